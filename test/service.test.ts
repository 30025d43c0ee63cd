import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import t from 'tap'
import { emptyDatabase, testDatabase } from './support/database.js'
import { openFolder } from './support/folder.js'
import { type Greeting, type Program, startProgram } from './support/program.js'
import { opened } from './support/statements.js'

const headers = { 'x-experience-api-version': '1.0.3', 'content-type': 'application/json' }

async function stop({ child, ended }: Program, signal: NodeJS.Signals = 'SIGTERM') {
  child.kill(signal)
  return ended
}

async function readStatements({ url, authorization }: Greeting) {
  const response = await fetch(`${url}/xapi/statements`, { headers: { ...headers, authorization } })
  return { status: response.status, body: await response.json() }
}

/** Begins a POST of a statement, and leaves the end of its body out. */
async function beginPost({ url, authorization }: Greeting) {
  const { port, hostname, host } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  const body = JSON.stringify(opened)
  const lines = [
    'POST /xapi/statements HTTP/1.1',
    `Host: ${host}`,
    `Authorization: ${authorization}`,
    `X-Experience-API-Version: 1.0.3`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Expect: 100-continue'
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  // The service has begun with the request when it asks for the body.
  await once(socket, 'data')
  socket.write(body.slice(0, -5))
  return { socket, end: () => socket.write(body.slice(-5)) }
}

/** Waits until nobody listens there any more. */
async function untilClosed(url: string): Promise<void> {
  const deadline = Date.now() + 10_000
  while (
    await fetch(`${url}/health/live`, { headers: { connection: 'close' } }).then(
      () => true,
      () => false
    )
  ) {
    if (Date.now() > deadline) throw new Error(`${url} still answers`)
    await sleep(10)
  }
}

t.test(
  'on an empty folder: a greeting whose curl line works as pasted, and the data are there the next time',
  async t => {
    const folder = await openFolder(t)
    const settings = { DATA_DIR: join(folder, 'data') }
    const first = startProgram(t, settings)
    const greeting = await first.ready()
    t.match(greeting.url, /^http:\/\/127\.0\.0\.1:\d+$/)
    t.match(greeting.text, `API reference   ${greeting.url}/docs`)
    t.match(greeting.key, /^[0-9a-f]{24}$/)
    t.match(greeting.secret, /^[0-9a-f]{48}$/)
    const { stdout } = await promisify(execFile)('bash', ['-c', greeting.curl])
    const [id] = JSON.parse(stdout)
    t.match(await readStatements(greeting), { status: 200, body: { statements: [{ id }] } })
    const { code, output } = await stop(first, 'SIGINT')
    t.equal(code, 0)
    t.equal(output, greeting.text, 'nothing but the greeting is printed')

    const second = startProgram(t, settings)
    const again = await second.ready()
    t.equal(again.key, greeting.key)
    t.notMatch(again.text, greeting.secret)
    t.match(again.text, /printed at the first start only/)
    const authorized = { ...again, authorization: greeting.authorization }
    t.match(await readStatements(authorized), { status: 200, body: { statements: [{ id }] } })

    const post = await beginPost(authorized)
    second.child.kill('SIGTERM')
    second.child.kill('SIGINT')
    await untilClosed(again.url)
    t.equal(second.child.exitCode, null, 'it waits for the request in flight')
    post.end()
    t.match(await text(post.socket), /^HTTP\/1\.1 200 OK[^]*\["[0-9a-f-]{36}"\]/)
    t.match(await second.ended, { code: 0, errors: '' })
    const files = await readdir(folder, { recursive: true })
    t.notOk(
      files.some(file => file.endsWith('postmaster.pid')),
      'PostgreSQL is stopped'
    )
  }
)

t.test(
  'with DATABASE_URL: two services that start at once on an empty database share one first credential',
  async t => {
    const { url, db } = await emptyDatabase(t)
    const programs = [startProgram(t, { DATABASE_URL: url }), startProgram(t, { DATABASE_URL: url })]
    const greetings = await Promise.all(programs.map(program => program.ready()))
    const [made] = greetings.filter(({ secret }) => /^[0-9a-f]{48}$/.test(secret))
    t.equal(greetings.filter(({ secret }) => secret.startsWith('(printed')).length, 1)
    t.equal(new Set(greetings.map(({ key }) => key)).size, 1)
    const { rows } = await sql`select key from credential`.execute(db)
    t.same(rows, [{ key: made?.key }])
    for (const greeting of greetings) {
      t.match(await readStatements({ ...greeting, authorization: made?.authorization ?? '' }), { status: 200 })
    }
    for (const program of programs) t.match(await stop(program), { code: 0, errors: '' })
  }
)

t.test('the first credential can be given, and what is hard to quote is quoted', async t => {
  const { url } = await testDatabase(t)
  const settings = { DATABASE_URL: url, BOOTSTRAP_KEY: 'the-key', BOOTSTRAP_SECRET: `it's "hard": $HOME \\ !` }
  const program = startProgram(t, settings)
  const greeting = await program.ready()
  t.equal(greeting.key, 'the-key')
  t.equal(greeting.secret, settings.BOOTSTRAP_SECRET)
  const { stdout } = await promisify(execFile)('bash', ['-c', greeting.curl])
  t.match(JSON.parse(stdout), [/^[0-9a-f-]{36}$/])
  await stop(program)
  const again = startProgram(t, settings)
  t.match((await again.ready()).secret, /^\(printed/)
  await stop(again)
})

t.test('the worker counts within a second, and says in the log when it cannot; so does a lost connection', async t => {
  const { url, db } = await testDatabase(t)
  const program = startProgram(t, { DATABASE_URL: url, LOG_LEVEL: 'info' })
  const { url: endpoint, authorization } = await program.ready()
  const post = () =>
    fetch(`${endpoint}/xapi/statements`, {
      method: 'POST',
      headers: { ...headers, authorization },
      body: JSON.stringify(opened)
    })
  const until = async (query: string) => {
    const deadline = Date.now() + 10_000
    while ((await sql.raw(query).execute(db)).rows.length === 0) {
      if (Date.now() > deadline) throw new Error(`Nothing came of ${query}`)
      await sleep(10)
    }
  }
  const begin = Date.now()
  await post()
  await until('select from learner_day where opened = 1')
  t.ok(Date.now() - begin < 1000)
  await sql`alter table learner_day add constraint broken check (opened < 2)`.execute(db)
  await post()
  await until(`select from pg_stat_database where datname = current_database() and xact_rollback > 0`)
  await sql`alter table learner_day drop constraint broken`.execute(db)
  await until('select from learner_day where opened = 2')
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'momentum-lrs' and pid <> pg_backend_pid() and state = 'idle'`.execute(
    db
  )
  t.equal((await post()).status, 200, 'a new connection is made')
  const { code, errors } = await stop(program)
  t.equal(code, 0)
  t.match(errors, /the worker could not recompute a batch/)
  t.match(errors, /an idle database connection was lost/)
  t.match(errors, /"signal":"SIGTERM"/)
})

t.test('a request that never ends does not hold up a stop beyond SHUTDOWN_TIMEOUT_MS', async t => {
  const { url } = await testDatabase(t)
  const program = startProgram(t, { DATABASE_URL: url, SHUTDOWN_TIMEOUT_MS: '200' })
  const { socket } = await beginPost(await program.ready())
  socket.on('error', () => undefined)
  t.match(await stop(program), { code: 0 })
})

t.test('told to stop while it starts, it stops as soon as it has started, and greets nobody', async t => {
  const { url, pool } = await testDatabase(t)
  const holder = await pool.connect()
  await holder.query('select pg_advisory_lock(4107214001)')
  const program = startProgram(t, { DATABASE_URL: url })
  const deadline = Date.now() + 20_000
  const isWaiting = `select from pg_locks where locktype = 'advisory' and not granted
    and database = (select oid from pg_database where datname = current_database())`
  while ((await holder.query(isWaiting)).rows.length === 0) {
    if (Date.now() > deadline) throw new Error('It does not wait for the migrations of another')
    await sleep(10)
  }
  program.child.kill('SIGTERM')
  await sleep(50)
  await holder.query('select pg_advisory_unlock(4107214001)')
  holder.release()
  t.match(await program.ended, { code: 0, output: '', errors: '' })
})

t.test('all mistakes of the settings are told together, before anything is started', async t => {
  const folder = await openFolder(t)
  const settings = { DATA_DIR: join(folder, 'data'), PORT: 'eighty', TENANT_TIME_ZONE: 'Mars', BOOTSTRAP_KEY: 'key' }
  const { code, output, errors } = await startProgram(t, settings).ended
  t.equal(code, 1)
  t.equal(output, '')
  t.match(errors, /cannot go on\.\ninvalid-configuration: PORT: .*\nTENANT_TIME_ZONE: .*\nBOOTSTRAP_KEY and/)
  t.same(await readdir(folder), [])
})

t.test('what keeps it from listening is told with what to do, and what was started is stopped', async t => {
  const { url, db } = await testDatabase(t)
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const port = String((other.address() as AddressInfo).port)
  const table: [Record<string, string>, RegExp][] = [
    [{ PORT: port }, /^invalid-configuration: .*another program listens on port \d+ of 127.0.0.1 already.* set PORT/m],
    [{ HOST: '192.0.2.1' }, /^invalid-configuration: .*192\.0\.2\.1 is not an address of this machine: set HOST/m],
    [{ HOST: 'fe80::1' }, /^invalid-configuration: The service cannot listen: /m]
  ]
  for (const [settings, message] of table) {
    const { code, output, errors } = await startProgram(t, { DATABASE_URL: url, ...settings }).ended
    t.equal(code, 1)
    t.equal(output, '')
    t.match(errors, message)
  }
  const { rows } = await sql`select from pg_stat_activity
    where datname = current_database() and application_name = 'momentum-lrs' and pid <> pg_backend_pid()`.execute(db)
  t.equal(rows.length, 0)
})

t.test('a database that cannot be reached ends the start', async t => {
  const { code, errors } = await startProgram(t, { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }).ended
  t.equal(code, 1)
  t.match(errors, /cannot go on\.\n[^]*ECONNREFUSED/)
})

t.test('other commands: openapi prints the document, an unknown one the usage', async t => {
  const document = await startProgram(t, { DATA_DIR: '/nowhere' }, ['openapi']).ended
  t.match(document, { code: 0, errors: '' })
  t.match(JSON.parse(document.output), { openapi: /^3\.1/, paths: { '/xapi/statements': { get: {} } } })
  const unknown = await startProgram(t, {}, ['dance']).ended
  t.match(unknown, { code: 2, output: '', errors: /^Usage: momentum \[command\]/ })
})
