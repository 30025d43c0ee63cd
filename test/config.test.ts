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
    bootstrapKey: null,
    bootstrapSecret: null,
    logLevel: 'warn',
    tenantTimeZone: 'UTC',
    maxBodyBytes: 10_485_760,
    maxBatchStatements: 5000,
    maxPageStatements: 500,
    maxJsonDepth: 100,
    maxPeople: 10_000,
    minGroupSize: 10,
    requestTimeoutMs: 60_000,
    shutdownTimeoutMs: 30_000
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
    MIN_GROUP_SIZE: '5'
  })
  t.match(given, {
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
    MAX_BODY_BYTES: '10 MB',
    MAX_BATCH_STATEMENTS: '-1',
    MIN_GROUP_SIZE: '4',
    REQUEST_TIMEOUT_MS: '1e3'
  }
  try {
    readConfig(mistakes)
    t.fail('was accepted')
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    t.equal(code, 'invalid-configuration')
    const lines = message.split('\n')
    t.equal(lines.length, Object.keys(mistakes).length)
    for (const [at, name] of Object.keys(mistakes).entries())
      t.ok(lines[at]?.startsWith(`${name}: `), String(lines[at]))
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
})
