import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import pg from 'pg'
import { type Logger, pino } from 'pino'
import t, { type Test } from 'tap'
import { readConfig } from '../src/config.js'
import { type Service, startService } from '../src/service.js'
import { basic } from './support/app.js'
import { emptyDatabase, type TestDatabase, testDatabase } from './support/database.js'
import { opened } from './support/statements.js'

const silent = pino({ level: 'silent' })

/** Starts the service over a database; it is stopped when the test ends. */
async function start(
  t: Test,
  { url }: TestDatabase,
  settings: Record<string, string> = {},
  logger: Logger = silent
): Promise<Service> {
  const config = readConfig({ DATABASE_URL: url, PORT: '0', ...settings })
  const service = await startService(config, logger, '0.0.0')
  t.teardown(() => service.stop())
  return service
}

async function post({ url, credential: { key, secret } }: Service) {
  return fetch(`${url}/xapi/statements`, {
    method: 'POST',
    headers: {
      authorization: basic(key, secret ?? ''),
      'x-experience-api-version': '1.0.3',
      'content-type': 'application/json'
    },
    body: JSON.stringify(opened)
  })
}

/** Waits until a query gives something. */
async function until({ db }: TestDatabase, query: string): Promise<void> {
  const deadline = Date.now() + 10_000
  while ((await sql.raw(query).execute(db)).rows.length === 0) {
    if (Date.now() > deadline) throw new Error(`Nothing came of ${query}`)
    await sleep(10)
  }
}

const ourConnections = `from pg_stat_activity
  where datname = current_database() and application_name = 'momentum-lrs' and pid <> pg_backend_pid()`

const areGone = `select where not exists (select ${ourConnections})`

t.test('services that start at once on an empty database share its schema and one first credential', async t => {
  const database = await emptyDatabase(t)
  const services = await Promise.all([start(t, database), start(t, database), start(t, database)])
  const made = services.filter(({ credential }) => credential.secret !== null)
  t.equal(made.length, 1)
  const [{ credential } = { credential: null }] = made
  t.match(credential, { key: /^[0-9a-f]{24}$/, secret: /^[0-9a-f]{48}$/ })
  const { rows } = await sql`select key from credential`.execute(database.db)
  t.same(rows, [{ key: credential?.key }])
  for (const { url, credential: known } of services) {
    t.equal(known.key, credential?.key)
    t.equal((await post({ url, credential: credential ?? known, stop: async () => {} })).status, 200)
  }
})

t.test('the first credential can be given; one with its key is left as it is', async t => {
  const database = await testDatabase(t)
  const settings = { BOOTSTRAP_KEY: 'the-key', BOOTSTRAP_SECRET: 'the: secret of sixteen' }
  const first = await start(t, database, settings)
  t.same(first.credential, { key: 'the-key', secret: 'the: secret of sixteen' })
  t.equal((await post(first)).status, 200)
  const again = await start(t, database, { ...settings, BOOTSTRAP_SECRET: 'another secret of more' })
  t.same(again.credential, { key: 'the-key', secret: null })
  const unsaid = await start(t, database)
  t.same(unsaid.credential, { key: 'the-key', secret: null })
})

t.test('the first tenant keeps the time zone of its first start', async t => {
  const database = await testDatabase(t)
  await start(t, database, { TENANT_TIME_ZONE: 'Europe/Berlin' })
  await start(t, database, { TENANT_TIME_ZONE: 'UTC' })
  t.match(await sql`select name, time_zone from tenant`.execute(database.db), {
    rows: [{ name: 'default', time_zone: 'Europe/Berlin' }]
  })
})

t.test('the worker counts within a second; what it cannot do is logged and tried again', async t => {
  const database = await testDatabase(t)
  const lines: string[] = []
  const service = await start(t, database, {}, pino({ level: 'warn' }, { write: line => lines.push(line) }))
  const waits: number[] = []
  for (const count of [1, 2, 3]) {
    await post(service)
    const acknowledged = Date.now()
    await until(database, `select from learner_day where opened = ${count}`)
    waits.push(Date.now() - acknowledged)
  }
  t.ok(Math.min(...waits) < 1000, `after ${waits} ms`)
  await sql`alter table learner_day add constraint broken check (opened < 4)`.execute(database.db)
  await post(service)
  while (!lines.join().includes('could not recompute')) await sleep(10)
  await sql`alter table learner_day drop constraint broken`.execute(database.db)
  await until(database, 'select from learner_day where opened = 4')
})

t.test('a lost connection is logged, and a new one made', async t => {
  const database = await testDatabase(t)
  const lines: string[] = []
  const service = await start(t, database, {}, pino({ level: 'warn' }, { write: line => lines.push(line) }))
  await sql.raw(`select pg_terminate_backend(pid) ${ourConnections}`).execute(database.db)
  while (!lines.join().includes('an idle database connection was lost')) await sleep(10)
  t.equal((await post(service)).status, 200)
})

t.test('stopping waits for the request in flight, closes every connection, and may be asked for twice', async t => {
  const database = await testDatabase(t)
  const service = await start(t, database)
  const holder = new pg.Client({ ...database.connection })
  await holder.connect()
  await holder.query('begin; lock table statement in access exclusive mode')
  const answer = post(service)
  await until(database, `select from pg_locks where not granted`)
  const stopped = Promise.all([service.stop(), service.stop()])
  while (
    await fetch(service.url, { headers: { connection: 'close' } }).then(
      () => true,
      () => false
    )
  )
    await sleep(10)
  await holder.query('commit')
  await holder.end()
  t.equal((await answer).status, 200)
  const begin = Date.now()
  await stopped
  t.ok(Date.now() - begin < 10_000, 'a connection that the client keeps alive does not hold it up')
  await until(database, areGone)
})

t.test('a request that never ends does not hold up a stop beyond SHUTDOWN_TIMEOUT_MS', async t => {
  const database = await testDatabase(t)
  const { url, credential, stop } = await start(t, database, { SHUTDOWN_TIMEOUT_MS: '200' })
  const { port, hostname } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  socket.write(
    `POST /xapi/statements HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic(credential.key, credential.secret ?? '')}\r\n` +
      'X-Experience-API-Version: 1.0.3\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n'
  )
  await once(socket, 'data')
  const begin = Date.now()
  await stop()
  t.ok(Date.now() - begin < 5000)
})

t.test('what keeps it from listening is told with what to do, and what was started is stopped', async t => {
  const database = await testDatabase(t)
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const port = String((other.address() as AddressInfo).port)
  const table: [Record<string, string>, RegExp][] = [
    [{ PORT: port }, /another program listens on port \d+ of 127.0.0.1 already: stop it, or set PORT/],
    [{ HOST: '192.0.2.1' }, /192\.0\.2\.1 is not an address of this machine: set HOST/],
    [{ HOST: 'fe80::1' }, /^The service cannot listen: /]
  ]
  for (const [settings, message] of table) {
    await t.rejects(start(t, database, settings), { code: 'invalid-configuration', message })
    await until(database, areGone)
  }
})

t.test('a database that is not there ends the start', async t => {
  const config = readConfig({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', PORT: '0' })
  await t.rejects(startService(config, silent, '0.0.0'), { code: 'ECONNREFUSED' })
})
