import {
  credentialKey,
  credentialSecret,
  folder,
  integer,
  networks,
  oneOf,
  origins,
  pathPrefix,
  postgresUrl,
  roleScopes,
  type SettingReader,
  text,
  timeZone,
  webUrl
} from './config/values.js'
import { LrsError } from './errors.js'

/** Every setting of the program, resolved. */
export interface Config {
  readonly host: string
  readonly port: number
  /** Processes that answer requests. */
  readonly workers: number
  readonly databaseUrl: string | null
  readonly dataDir: string
  readonly databasePoolSize: number
  readonly bootstrapKey: string | null
  readonly bootstrapSecret: string | null
  readonly logLevel: string
  readonly tenantTimeZone: string
  /** The version that a request under /xapi is answered in when it names none, or one that is not served. */
  readonly defaultXapiVersion: '1.0.3' | '2.0.0'
  readonly maxBodyBytes: number
  readonly maxMultipartBytes: number
  readonly maxAttachmentBytes: number
  readonly maxAttachments: number
  readonly maxBatchStatements: number
  readonly maxWaitingStatements: number
  readonly maxPageStatements: number
  readonly maxJsonDepth: number
  readonly maxPeople: number
  readonly maxPeopleBytes: number
  readonly minGroupSize: number
  /** 0 for none. */
  readonly answerMemorySize: number
  readonly requestTimeoutMs: number
  readonly shutdownTimeoutMs: number
  /** 0 for never. */
  readonly slowQueryMs: number
  readonly otlpEndpoint: string | null
  /** Origins whose pages may call; `*` for every one. */
  readonly corsOrigins: readonly string[]
  readonly rateLimitPerMinute: number
  /** Begins with a slash and ends without one. */
  readonly pathPrefix: string | null
  /** Addresses and networks whose proxy headers are believed. */
  readonly trustProxy: readonly string[] | null
  readonly oidcIssuer: string | null
  readonly oidcAudience: string | null
  readonly oidcJwksUri: string | null
  readonly oidcScopeClaim: string
  readonly oidcRoleClaim: string | null
  /** Scopes by role. */
  readonly oidcRoleScopes: Readonly<Record<string, readonly string[]>> | null
  readonly oidcTenantClaim: string | null
  readonly oidcTenant: string
  readonly oidcPersonClaim: string | null
}

interface Setting {
  /** The environment variable. */
  readonly name: string
  /** What is taken when the variable is absent or empty; null means that there is none. */
  readonly default: string | null
  readonly meaning: string
  /** Reads the text of the variable, or returns a sentence that says what it should be. */
  readonly read: SettingReader
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

/** Every setting by its name in `Config`: variable, default, meaning, and how its text is read. */
export const settings: { readonly [name in keyof Config]: Setting } = {
  host: { name: 'HOST', default: '127.0.0.1', meaning: 'Address to listen on; 0.0.0.0 for all interfaces', read: text },
  port: {
    name: 'PORT',
    default: '8080',
    meaning: 'TCP port to listen on; 0 takes a free one',
    read: integer(0, 65_535)
  },
  workers: {
    name: 'WORKERS',
    default: '1',
    meaning: 'Processes that answer requests on the same port, each with its own connections to PostgreSQL',
    read: integer(1, 64)
  },
  databaseUrl: {
    name: 'DATABASE_URL',
    default: null,
    meaning: 'URL of a PostgreSQL 15 to 18 to use; without it an embedded server keeps its data under DATA_DIR',
    read: postgresUrl
  },
  dataDir: { name: 'DATA_DIR', default: './data', meaning: 'Folder of the embedded server', read: folder },
  databasePoolSize: {
    name: 'DATABASE_POOL_SIZE',
    default: '10',
    meaning: 'Connections to PostgreSQL at most, of each process',
    read: integer(2, 1000)
  },
  bootstrapKey: {
    name: 'BOOTSTRAP_KEY',
    default: null,
    meaning: 'Key of the first credential; made at random when absent. Given together with BOOTSTRAP_SECRET',
    read: credentialKey
  },
  bootstrapSecret: {
    name: 'BOOTSTRAP_SECRET',
    default: null,
    meaning: 'Secret of the first credential, 16 characters or more; made at random and printed once when absent',
    read: credentialSecret
  },
  logLevel: {
    name: 'LOG_LEVEL',
    default: 'warn',
    meaning: `Least level that is logged to standard error: ${logLevels.join(', ')}; \`debug\` has a line per request`,
    read: oneOf(logLevels)
  },
  tenantTimeZone: {
    name: 'TENANT_TIME_ZONE',
    default: 'UTC',
    meaning: 'IANA time zone in which the first tenant’s local days are cut; kept from its first start on',
    read: timeZone
  },
  defaultXapiVersion: {
    name: 'DEFAULT_XAPI_VERSION',
    default: '2.0.0',
    meaning: 'Version of xAPI, 1.0.3 or 2.0.0, that answers a request which names none or one that is not served',
    read: oneOf(['1.0.3', '2.0.0'])
  },
  maxBodyBytes: {
    name: 'MAX_BODY_BYTES',
    default: '10485760',
    meaning: 'Bytes of a request body at most, of one with attachments its statements alone; more is 413',
    read: integer(1024, 1_073_741_824)
  },
  maxMultipartBytes: {
    name: 'MAX_MULTIPART_BYTES',
    default: '268435456',
    meaning: 'Bytes of a whole request of statements with attachments at most; more is 413',
    read: integer(1024, 1_099_511_627_776)
  },
  maxAttachmentBytes: {
    name: 'MAX_ATTACHMENT_BYTES',
    default: '104857600',
    meaning: 'Bytes of one attachment at most; more is 413',
    read: integer(0, 1_099_511_627_776)
  },
  maxAttachments: {
    name: 'MAX_ATTACHMENTS',
    default: '100',
    meaning: 'Attachments in one request at most; more is 413',
    read: integer(0, 10_000)
  },
  maxBatchStatements: {
    name: 'MAX_BATCH_STATEMENTS',
    default: '5000',
    meaning: 'Statements in one request at most; more is 413',
    read: integer(1, 100_000)
  },
  maxWaitingStatements: {
    name: 'MAX_WAITING_STATEMENTS',
    default: '20000',
    meaning: 'Statements that may wait to be stored at most; a request beyond is 503 with Retry-After',
    read: integer(1, 1_000_000)
  },
  maxPageStatements: {
    name: 'MAX_PAGE_STATEMENTS',
    default: '500',
    meaning: 'Statements in one answer at most; also what `limit=0` and no limit give',
    read: integer(1, 10_000)
  },
  maxJsonDepth: {
    name: 'MAX_JSON_DEPTH',
    default: '100',
    meaning: 'Levels that JSON in a request may be nested; deeper is 400',
    read: integer(10, 1000)
  },
  maxPeople: {
    name: 'MAX_PEOPLE',
    default: '50000',
    meaning:
      'People in one `PUT /api/v1/people`, or assignments in one `PUT /api/v1/assignments`, at most; more is 413',
    read: integer(1, 1_000_000)
  },
  maxPeopleBytes: {
    name: 'MAX_PEOPLE_BYTES',
    default: '67108864',
    meaning: 'Bytes of people or assignments as NDJSON or CSV in one request at most; more is 413',
    read: integer(1024, 1_073_741_824)
  },
  minGroupSize: {
    name: 'MIN_GROUP_SIZE',
    default: '10',
    meaning: 'Aggregates over 1 to this many people less one are hidden; 5 is the floor',
    read: integer(5, 1000)
  },
  answerMemorySize: {
    name: 'ANSWER_MEMORY_SIZE',
    default: '500000',
    meaning: 'Numbers of metrics that a process remembers at most, while the data are the same; 0 for none',
    read: integer(0, 100_000_000)
  },
  requestTimeoutMs: {
    name: 'REQUEST_TIMEOUT_MS',
    default: '60000',
    meaning: 'Milliseconds in which a request must have been received (408) and answered (503)',
    read: integer(1000, 3_600_000)
  },
  shutdownTimeoutMs: {
    name: 'SHUTDOWN_TIMEOUT_MS',
    default: '30000',
    meaning: 'Milliseconds that requests in flight get to finish once the program is told to stop',
    read: integer(100, 600_000)
  },
  slowQueryMs: {
    name: 'SLOW_QUERY_MS',
    default: '1000',
    meaning: 'Milliseconds from which on a query is logged, as its text without its values; 0 is never',
    read: integer(0, 3_600_000)
  },
  otlpEndpoint: {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    default: null,
    meaning:
      'OpenTelemetry collector that traces are sent to, such as `http://127.0.0.1:4318`; without it none are made',
    read: webUrl
  },
  corsOrigins: {
    name: 'CORS_ORIGINS',
    default: '*',
    meaning: 'Origins whose web pages may call the service, comma-separated; `*` is every one, `none` is none',
    read: origins
  },
  rateLimitPerMinute: {
    name: 'RATE_LIMIT_PER_MINUTE',
    default: '0',
    meaning: 'Requests of one credential in a minute at most, in each process; more is 429; 0 is no limit',
    read: integer(0, 10_000_000)
  },
  pathPrefix: {
    name: 'PATH_PREFIX',
    default: null,
    meaning: 'Path that a proxy shows the service under, such as `/lrs`, whether the proxy takes it off or not',
    read: pathPrefix
  },
  trustProxy: {
    name: 'TRUST_PROXY',
    default: null,
    meaning: 'Proxies whose X-Forwarded headers are believed: addresses, networks or `loopback`, comma-separated',
    read: networks
  },
  oidcIssuer: {
    name: 'OIDC_ISSUER',
    default: null,
    meaning: 'Issuer of the OpenID Connect provider whose bearer tokens are taken. Given together with OIDC_AUDIENCE',
    read: webUrl
  },
  oidcAudience: {
    name: 'OIDC_AUDIENCE',
    default: null,
    meaning: 'What the `aud` of a token must hold: the name that the provider knows this service by',
    read: text
  },
  oidcJwksUri: {
    name: 'OIDC_JWKS_URI',
    default: null,
    meaning: 'Where the provider’s keys are; found by discovery when absent',
    read: webUrl
  },
  oidcScopeClaim: {
    name: 'OIDC_SCOPE_CLAIM',
    default: 'scope',
    meaning: 'Claim with the scopes of a token, as a list or as words; a dot leads into an object',
    read: text
  },
  oidcRoleClaim: {
    name: 'OIDC_ROLE_CLAIM',
    default: null,
    meaning: 'Claim with the roles that OIDC_ROLE_SCOPES turns into scopes, such as `realm_access.roles`',
    read: text
  },
  oidcRoleScopes: {
    name: 'OIDC_ROLE_SCOPES',
    default: null,
    meaning: 'Scopes by role: `teacher=statements/read state; admin=all admin`',
    read: roleScopes
  },
  oidcTenantClaim: {
    name: 'OIDC_TENANT_CLAIM',
    default: null,
    meaning: 'Claim with the name of a token’s tenant; when absent every token is for OIDC_TENANT',
    read: text
  },
  oidcTenant: {
    name: 'OIDC_TENANT',
    default: 'default',
    meaning: 'Name of the tenant that tokens are for, unless OIDC_TENANT_CLAIM is set',
    read: text
  },
  oidcPersonClaim: {
    name: 'OIDC_PERSON_CLAIM',
    default: null,
    meaning:
      'Claim with the `personId` of whom a token stands for; without it no token has a line or numbers of its own',
    read: text
  }
}

/** Settings of which one means nothing without the other. */
const pairs = [
  ['bootstrapKey', 'bootstrapSecret'],
  ['oidcIssuer', 'oidcAudience'],
  ['oidcRoleClaim', 'oidcRoleScopes']
] as const

/**
 * Resolves the settings from an environment.
 *
 * @throws {LrsError} `invalid-configuration`, one line for each setting that is wrong.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = []
  const config: Record<string, unknown> = {}
  for (const [key, setting] of Object.entries(settings)) {
    const outcome = readSetting(setting, environment[setting.name])
    if ('problem' in outcome) problems.push(outcome.problem)
    else config[key] = outcome.value
  }
  for (const [one, other] of pairs) {
    if ((config[one] === null) !== (config[other] === null)) {
      problems.push(`${settings[one].name} and ${settings[other].name}: give both or neither`)
    }
  }
  if (problems.length > 0) throw new LrsError('invalid-configuration', problems.join('\n'))
  return config as unknown as Config
}

function readSetting(setting: Setting, given: string | undefined): { value: unknown } | { problem: string } {
  const written = given === undefined || given === '' ? setting.default : given
  if (written === null) return { value: null }
  const outcome = setting.read(written)
  if (!('expected' in outcome)) return outcome
  const shown = setting.name === 'BOOTSTRAP_SECRET' || setting.name === 'DATABASE_URL' ? 'its value' : `"${written}"`
  return { problem: `${setting.name}: ${shown} is not ${outcome.expected}` }
}
