import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Kysely, sql } from 'kysely'
import t, { type Test } from 'tap'
import { startEmbeddedServer } from '../src/database/embedded-server.js'
import { openDatabase } from '../src/database/open.js'
import type { Database } from '../src/database/schema.js'
import { learnerDays } from '../src/rollup/learner-days.js'
import { drain } from './support/app.js'
import { testDatabase } from './support/database.js'
import { openFolder } from './support/folder.js'
import { type Greeting, type Program, startProgram } from './support/program.js'
import { opened } from './support/statements.js'

const run = promisify(execFile)
const headers = { 'x-experience-api-version': '1.0.3', 'content-type': 'application/json' }

async function ask<Body>({ url, authorization }: Greeting, path: string, body?: unknown, method = 'POST') {
  const sent = body === undefined ? {} : { method, body: JSON.stringify(body) }
  const response = await fetch(`${url}${path}`, { headers: { ...headers, authorization }, ...sent })
  return { status: response.status, body: (await response.json()) as Body }
}

/** Begins a POST of a statement, and leaves the end of its body out. */
async function beginPost({ url, authorization }: Greeting) {
  const { port, hostname } = new URL(url)
  const socket = connect(Number(port), hostname)
  const body = JSON.stringify(opened)
  socket.write(
    `POST /xapi/statements HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nX-Experience-API-Version: 1.0.3\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`
  )
  // The service has begun with the request when it asks for the body.
  await once(socket, 'data')
  socket.write(body.slice(0, -5))
  return { socket, end: () => socket.write(body.slice(-5)) }
}

/** Waits until nobody listens there any more. */
async function untilClosed(url: string): Promise<void> {
  const deadline = Date.now() + 10_000
  const knock = () => fetch(`${url}/health/live`, { headers: { connection: 'close' } })
  while (
    await knock().then(
      () => true,
      () => false
    )
  ) {
    if (Date.now() > deadline) throw new Error(`${url} still answers`)
    await sleep(10)
  }
}

/** Posts batches, several at a time, until the service is killed; the ids that were acknowledged. */
async function killDuringLoad(program: Program, greeting: Greeting, actors: readonly object[]) {
  const acknowledged: string[] = []
  const send = async () => {
    for (let at = 0; ; at++) {
      const batch = Array.from({ length: 1 + (at % 10) }, (_, n) => ({
        ...opened,
        actor: actors[(at + n) % 17],
        timestamp: new Date(Date.UTC(2026, 2, 1 + ((at * 7 + n) % 28), 12)).toISOString()
      }))
      acknowledged.push(...(await ask<string[]>(greeting, '/xapi/statements', batch)).body)
    }
  }
  const load = Promise.allSettled(Array.from({ length: 6 }, send))
  while (acknowledged.length < 500) await sleep(5)
  program.child.kill('SIGKILL')
  await load
  await program.ended
  return acknowledged
}

/** Asks until the metric from the rollups is the one from the events, for ten seconds at most. */
async function compareMetrics(t: Test, greeting: Greeting) {
  const metric = (consistency: string) =>
    ask<{ results: readonly { numerator: number }[] }>(
      greeting,
      `/api/v1/metrics/active-users?from=2026-03-01&to=2026-03-29&interval=day&cohort=pilot&consistency=${consistency}`
    )
  const strong = (await metric('strong')).body.results
  t.equal(strong.length, 28)
  t.ok(strong.some(({ numerator }) => numerator > 0))
  const deadline = Date.now() + 10_000
  let eventual = (await metric('eventual')).body.results
  while (JSON.stringify(eventual) !== JSON.stringify(strong) && Date.now() < deadline) {
    await sleep(20)
    eventual = (await metric('eventual')).body.results
  }
  t.same(eventual, strong)
}

t.test('the program from its first start on an empty folder, through a kill, to its last stop', async t => {
  const folder = await openFolder(t)
  const settings = {
    DATA_DIR: join(folder, 'data'),
    BOOTSTRAP_KEY: 'the-key',
    BOOTSTRAP_SECRET: `it's "hard": $HOME \\ !`
  }
  const first = startProgram(t, settings)
  const greeting = await first.ready()
  t.match(greeting.url, /^http:\/\/127\.0\.0\.1:\d+$/)
  t.match(greeting.text, `API reference   ${greeting.url}/docs`)
  t.match(greeting, { key: 'the-key', secret: settings.BOOTSTRAP_SECRET })
  const [id] = JSON.parse((await run('bash', ['-c', greeting.curl])).stdout)
  t.match(
    await ask(greeting, '/xapi/statements'),
    { status: 200, body: { statements: [{ id }] } },
    'the curl line works as pasted'
  )
  const agents = Array.from({ length: 20 }, (_, at) => ({ mbox: `mailto:learner-${at}@example.org` }))
  const roster = agents.map((agent, at) => ({ personId: `person-${at}`, agents: [agent], cohorts: ['pilot'] }))
  t.match(await ask(greeting, '/api/v1/people', roster, 'PUT'), { status: 200 })
  const acknowledged = await killDuringLoad(first, greeting, agents)
  t.equal((await first.ended).output, greeting.text, 'nothing but the greeting was printed')

  const second = startProgram(t, settings)
  const again = await second.ready()
  t.equal(again.key, 'the-key')
  t.match(again.secret, /^\(printed at the first start only\)/)
  const authorized = { ...again, authorization: greeting.authorization }
  t.match(await ask(authorized, `/xapi/statements?statementId=${id}`), { status: 200, body: { id } })
  await compareMetrics(t, authorized)

  const post = await beginPost(authorized)
  second.child.kill('SIGINT')
  second.child.kill('SIGTERM')
  await untilClosed(again.url)
  t.equal(second.child.exitCode, null, 'it waits for the request in flight')
  post.end()
  t.match(await text(post.socket), /^HTTP\/1\.1 200 OK[\s\S]*\["[0-9a-f-]{36}"\]/)
  t.match(await second.ended, { code: 0 })
  const files = await readdir(folder, { recursive: true })
  t.notOk(
    files.some(file => file.endsWith('postmaster.pid')),
    'PostgreSQL is stopped'
  )

  const server = await startEmbeddedServer({ dataDir: settings.DATA_DIR, log: () => undefined })
  t.teardown(() => server.stop())
  const { db } = openDatabase({ ...server, poolSize: 2, onError: () => undefined })
  t.teardown(() => db.destroy())
  const stored = new Set((await db.selectFrom('statement').select('id').execute()).map(row => row.id))
  const lost = acknowledged.filter(acknowledgedId => !stored.has(acknowledgedId))
  t.same(lost, [], `nothing of ${acknowledged.length} acknowledged is lost`)
  await drain(db)
  t.same(await daysOf(db, 'rollup'), await daysOf(db, 'events'))
})

async function daysOf(db: Kysely<Database>, source: 'rollup' | 'events') {
  const window = { tenantId: 1, timeZone: 'UTC', from: '2026-01-01', to: '2100-01-01', asOf: new Date() }
  const { rows } = await sql`
    select * from (${learnerDays({ ...window, source })}) as days order by person_id, day`.execute(db)
  return rows
}

t.test('told to stop while it starts, it stops as soon as it has started, and greets nobody', async t => {
  const { url, pool } = await testDatabase(t)
  const holder = await pool.connect()
  // The lock under which a process migrates.
  await holder.query('select pg_advisory_lock(4107214001)')
  const program = startProgram(t, { DATABASE_URL: url, SLOW_QUERY_MS: '0' })
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

t.test('what keeps it from starting, and other commands', async t => {
  const folder = await openFolder(t)
  const mistakes = { DATA_DIR: join(folder, 'data'), PORT: 'eighty', TENANT_TIME_ZONE: 'Mars', BOOTSTRAP_KEY: 'key' }
  const [mistaken, unreachable, openapi, unknown] = await Promise.all([
    startProgram(t, mistakes).ended,
    startProgram(t, { DATABASE_URL: 'postgres://nobody:a-secret@127.0.0.1:1/none' }).ended,
    startProgram(t, { PORT: 'eighty' }, ['openapi']).ended,
    startProgram(t, {}, ['dance']).ended
  ])
  t.match(mistaken, {
    code: 1,
    output: '',
    errors: /cannot go on\.\ninvalid-configuration: PORT: .*\nTENANT_TIME_ZONE: .*\nBOOTSTRAP_KEY and/
  })
  t.same(await readdir(folder), [], 'all mistakes are told together, before anything is started')
  t.match(unreachable, {
    code: 1,
    output: '',
    errors:
      /^Momentum LRS cannot go on\.\ndatabase-unreachable: The PostgreSQL of DATABASE_URL cannot be reached \(host "127\.0\.0\.1", port 1, database "none", user "nobody"\): nothing listens there\..*\n$/
  })
  t.match(openapi, { code: 0, errors: '' })
  t.match(JSON.parse(openapi.output), { openapi: /^3\.1/, paths: { '/xapi/statements': { get: {} } } })
  t.match(unknown, { code: 2, output: '', errors: /^Usage: momentum \[command\]/ })
})
