import { resolve } from 'node:path'
import t from 'tap'
import { readConfig, settings } from '../src/config.js'

t.test('every setting without a value has the default that its entry names', async t => {
  t.same(readConfig({}), {
    host: '127.0.0.1',
    port: 8080,
    databaseUrl: null,
    dataDir: resolve('data'),
    databasePoolSize: 10,
    workers: 1,
    bootstrapKey: null,
    bootstrapSecret: null,
    logLevel: 'warn',
    tenantTimeZone: 'UTC',
    defaultXapiVersion: '2.0.0',
    maxBodyBytes: 10_485_760,
    maxMultipartBytes: 268_435_456,
    maxAttachmentBytes: 104_857_600,
    maxAttachments: 100,
    maxBatchStatements: 5000,
    maxWaitingStatements: 20_000,
    maxPageStatements: 500,
    maxJsonDepth: 100,
    maxPeople: 50_000,
    maxPeopleBytes: 67_108_864,
    minGroupSize: 10,
    answerMemorySize: 500_000,
    requestTimeoutMs: 60_000,
    shutdownTimeoutMs: 30_000,
    slowQueryMs: 1000,
    otlpEndpoint: null,
    corsOrigins: ['*'],
    rateLimitPerMinute: 0,
    pathPrefix: null,
    trustProxy: null,
    oidcIssuer: null,
    oidcAudience: null,
    oidcJwksUri: null,
    oidcScopeClaim: 'scope',
    oidcRoleClaim: null,
    oidcRoleScopes: null,
    oidcTenantClaim: null,
    oidcTenant: 'default',
    oidcPersonClaim: null
  })
  for (const [name, setting] of Object.entries(settings)) {
    t.match(setting.meaning, /^[A-Z].{10,}/, `${name} says what it means`)
    t.match(setting.name, /^[A-Z_]+$/, `${name} has an environment variable`)
  }
})

t.test('an empty variable counts as absent', async t => {
  t.same(readConfig({ PORT: '', DATABASE_URL: '', BOOTSTRAP_KEY: '', BOOTSTRAP_SECRET: '' }), readConfig({}))
})

t.test('what is given is read', async t => {
  const given = readConfig({
    HOST: '::1',
    PORT: '0',
    DATABASE_URL: 'postgresql://momentum:secret@db.example:5433/lrs',
    DATA_DIR: '/var/data',
    BOOTSTRAP_KEY: 'key',
    BOOTSTRAP_SECRET: 'sixteen: letters',
    LOG_LEVEL: 'debug',
    TENANT_TIME_ZONE: 'Europe/Berlin',
    MIN_GROUP_SIZE: '5',
    CORS_ORIGINS: 'https://lms.example.org, http://localhost:3000',
    PATH_PREFIX: '/lrs/v1',
    TRUST_PROXY: 'loopback, 10.0.0.0/8, fd00::/8, 192.0.2.7',
    OIDC_ISSUER: 'https://id.example.org/realms/one',
    OIDC_AUDIENCE: 'momentum',
    OIDC_ROLE_CLAIM: 'realm_access.roles',
    OIDC_ROLE_SCOPES: 'teacher = statements/read  state; admin=all,admin;'
  })
  t.match(given, {
    corsOrigins: ['https://lms.example.org', 'http://localhost:3000'],
    pathPrefix: '/lrs/v1',
    trustProxy: ['loopback', '10.0.0.0/8', 'fd00::/8', '192.0.2.7'],
    oidcIssuer: 'https://id.example.org/realms/one',
    oidcAudience: 'momentum',
    oidcRoleClaim: 'realm_access.roles',
    oidcRoleScopes: { teacher: ['statements/read', 'state'], admin: ['all', 'admin'] },
    host: '::1',
    port: 0,
    databaseUrl: 'postgresql://momentum:secret@db.example:5433/lrs',
    dataDir: '/var/data',
    bootstrapKey: 'key',
    bootstrapSecret: 'sixteen: letters',
    logLevel: 'debug',
    tenantTimeZone: 'Europe/Berlin',
    minGroupSize: 5
  })
})

t.test('all mistakes are reported together, a line each', async t => {
  const mistakes = {
    PORT: '65536',
    DATABASE_URL: 'mysql://root:hunter2@localhost/lrs',
    DATABASE_POOL_SIZE: '1',
    BOOTSTRAP_KEY: 'with:colon',
    BOOTSTRAP_SECRET: 'too short',
    LOG_LEVEL: 'loud',
    TENANT_TIME_ZONE: 'Mars/Olympus',
    DEFAULT_XAPI_VERSION: '1.0.2',
    MAX_BODY_BYTES: '10 MB',
    MAX_BATCH_STATEMENTS: '-1',
    MIN_GROUP_SIZE: '4',
    REQUEST_TIMEOUT_MS: '1e3',
    CORS_ORIGINS: 'https://lms.example.org/path',
    RATE_LIMIT_PER_MINUTE: 'many',
    PATH_PREFIX: '/lrs/',
    TRUST_PROXY: '10.0.0.0/33',
    OIDC_ISSUER: 'id.example.org',
    OIDC_JWKS_URI: 'ftp://id.example.org/keys',
    OIDC_ROLE_SCOPES: 'teacher',
    OIDC_AUDIENCE: 'momentum',
    OIDC_ROLE_CLAIM: 'roles'
  }
  try {
    readConfig(mistakes)
    t.fail('was accepted')
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    t.equal(code, 'invalid-configuration')
    const lines = message.split('\n')
    const wrong = Object.keys(mistakes).slice(0, -2)
    t.equal(lines.length, wrong.length)
    for (const [at, name] of wrong.entries()) t.ok(lines[at]?.startsWith(`${name}: `), lines[at] ?? name)
    t.notMatch(message, /hunter2|too short/, 'no secret is repeated')
    t.match(message, /PORT: "65536" is not a whole number from 0 to 65535/)
    t.match(message, /TENANT_TIME_ZONE: "Mars\/Olympus" is not an IANA time zone/)
    t.match(message, /LOG_LEVEL: "loud" is not one of fatal, error/)
  }
})

t.test('a URL that is none, and half a first credential, are mistakes', async t => {
  t.throws(() => readConfig({ DATABASE_URL: 'localhost' }), { message: /DATABASE_URL: its value is not a URL/ })
  t.throws(() => readConfig({ BOOTSTRAP_KEY: 'key' }), { message: /give both or neither/ })
  t.throws(() => readConfig({ BOOTSTRAP_SECRET: 'sixteen letters!' }), { message: /give both or neither/ })
  t.throws(() => readConfig({ OIDC_ISSUER: 'https://id.example' }), {
    message: 'OIDC_ISSUER and OIDC_AUDIENCE: give both or neither'
  })
  t.throws(() => readConfig({ OIDC_ROLE_CLAIM: 'roles' }), { message: /OIDC_ROLE_SCOPES: give both or neither/ })
  t.same(readConfig({ CORS_ORIGINS: 'none' }).corsOrigins, [])
})
