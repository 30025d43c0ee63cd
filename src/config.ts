import { resolve } from 'node:path'
import { IANAZone } from 'luxon'
import { LrsError } from './errors.js'

/** Every setting of the program, resolved. */
export interface Config {
  readonly host: string
  readonly port: number
  readonly databaseUrl: string | null
  readonly dataDir: string
  readonly databasePoolSize: number
  readonly bootstrapKey: string | null
  readonly bootstrapSecret: string | null
  readonly logLevel: string
  readonly tenantTimeZone: string
  readonly maxBodyBytes: number
  readonly maxBatchStatements: number
  readonly maxPageStatements: number
  readonly maxJsonDepth: number
  readonly maxPeople: number
  readonly minGroupSize: number
  readonly requestTimeoutMs: number
  readonly shutdownTimeoutMs: number
}

interface Setting {
  /** The environment variable. */
  readonly name: string
  /** What is taken when the variable is absent or empty; null means that there is none. */
  readonly default: string | null
  readonly meaning: string
  /** Reads the text of the variable, or returns a sentence that says what it should be. */
  readonly read: (text: string) => { readonly value: unknown } | { readonly expected: string }
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

/** Every setting by its name in `Config`: variable, default, meaning, and how its text is read. */
export const settings: { readonly [name in keyof Config]: Setting } = {
  host: {
    name: 'HOST',
    default: '127.0.0.1',
    meaning: 'Address to listen on; 0.0.0.0 for every interface',
    read: text
  },
  port: {
    name: 'PORT',
    default: '8080',
    meaning: 'TCP port to listen on; 0 takes a free one',
    read: integer(0, 65_535)
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
    meaning: 'Connections to PostgreSQL at most',
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
  maxBodyBytes: {
    name: 'MAX_BODY_BYTES',
    default: '10485760',
    meaning: 'Bytes of a request body at most; more is 413',
    read: integer(1024, 1_073_741_824)
  },
  maxBatchStatements: {
    name: 'MAX_BATCH_STATEMENTS',
    default: '5000',
    meaning: 'Statements in one request at most; more is 413',
    read: integer(1, 100_000)
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
    default: '10000',
    meaning: 'People in one `PUT /api/v1/people` at most; more is 413',
    read: integer(1, 100_000)
  },
  minGroupSize: {
    name: 'MIN_GROUP_SIZE',
    default: '10',
    meaning: 'Aggregates over 1 to this many people less one are hidden; 5 is the floor',
    read: integer(5, 1000)
  },
  requestTimeoutMs: {
    name: 'REQUEST_TIMEOUT_MS',
    default: '60000',
    meaning: 'Milliseconds in which a request must have been received whole, and a database statement be done',
    read: integer(1000, 3_600_000)
  },
  shutdownTimeoutMs: {
    name: 'SHUTDOWN_TIMEOUT_MS',
    default: '30000',
    meaning: 'Milliseconds that requests in flight get to finish once the program is told to stop',
    read: integer(100, 600_000)
  }
}

/**
 * Resolves the settings from an environment.
 *
 * @throws {LrsError} `invalid-configuration`, one line for each setting that is wrong.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = []
  const config: Record<string, unknown> = {}
  for (const [key, setting] of Object.entries(settings)) {
    const given = environment[setting.name]
    const written = given === undefined || given === '' ? setting.default : given
    if (written === null) {
      config[key] = null
      continue
    }
    const outcome = setting.read(written)
    if ('expected' in outcome) {
      const shown =
        setting.name === 'BOOTSTRAP_SECRET' || setting.name === 'DATABASE_URL' ? 'its value' : `"${written}"`
      problems.push(`${setting.name}: ${shown} is not ${outcome.expected}`)
    } else {
      config[key] = outcome.value
    }
  }
  if ((config.bootstrapKey === null) !== (config.bootstrapSecret === null)) {
    problems.push('BOOTSTRAP_KEY and BOOTSTRAP_SECRET: give both or neither')
  }
  if (problems.length > 0) throw new LrsError('invalid-configuration', problems.join('\n'))
  return config as unknown as Config
}

function text(value: string) {
  return { value }
}

function folder(value: string) {
  return { value: resolve(value) }
}

function integer(least: number, most: number): Setting['read'] {
  return value => {
    const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN
    return number >= least && number <= most
      ? { value: number }
      : { expected: `a whole number from ${least} to ${most}` }
  }
}

function oneOf(words: readonly string[]): Setting['read'] {
  return value => (words.includes(value) ? { value } : { expected: `one of ${words.join(', ')}` })
}

/**
 * Says whether a text is the IANA name of a time zone: `Area/Location`, `UTC` or `GMT`.
 *
 * Offsets (`+02:00`) and abbreviations (`CET`) are none: PostgreSQL and JavaScript read them differently.
 */
export function isTimeZone(name: string): boolean {
  return /^(UTC|GMT|[A-Za-z_]+(\/[A-Za-z0-9_+-]+){1,2})$/.test(name) && IANAZone.isValidZone(name)
}

function timeZone(value: string) {
  return isTimeZone(value) ? { value } : { expected: 'an IANA time zone such as Europe/Berlin' }
}

function postgresUrl(value: string) {
  const valid = URL.canParse(value) && /^postgres(ql)?:$/.test(new URL(value).protocol)
  return valid ? { value } : { expected: 'a URL of the form postgres://user:password@host:5432/database' }
}

function credentialKey(value: string) {
  // A colon would end the key in the Authorization header (RFC 7617 section 2).
  return /^[!-9;-~]{1,200}$/.test(value) ? { value } : { expected: '1 to 200 visible ASCII characters without a colon' }
}

function credentialSecret(value: string) {
  // Control characters can't be sent in the Authorization header (RFC 7617 section 2).
  return /^[^\p{Cc}]{16,1000}$/u.test(value) ? { value } : { expected: '16 to 1000 characters, none of them a control' }
}
