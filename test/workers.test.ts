import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import t from 'tap'
import { startEmbeddedServer } from '../src/database/embedded-server.js'
import { openDatabase } from '../src/database/open.js'
import { testDatabase } from './support/database.js'
import { openFolder } from './support/folder.js'
import { type Greeting, type Program, startProgram } from './support/program.js'
import { opened } from './support/statements.js'

// Each process reads and translates the program's sources, one after the other where the machine is busy.
t.setTimeout(300_000)

const run = promisify(execFile)
const headers = { 'x-experience-api-version': '1.0.3', 'content-type': 'application/json' }

/** Without a connection that is kept: each request may come to another process. */
async function post({ url, authorization }: Greeting, statement: object = opened): Promise<string[]> {
  const response = await fetch(`${url}/xapi/statements`, {
    method: 'POST',
    headers: { ...headers, authorization, connection: 'close' },
    body: JSON.stringify(statement)
  })
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`)
  return (await response.json()) as string[]
}

/** The processes that answer requests; the embedded server is another child. */
async function membersOf({ child }: Program): Promise<readonly number[]> {
  const { stdout } = await run('ps', ['-o', 'pid=,args=', '--ppid', String(child.pid)])
  const lines = stdout.split('\n').filter(line => line.includes('main.ts'))
  return lines.map(line => Number.parseInt(line, 10))
}

/** How many rows of the queue have been done, as one of the processes says. */
async function rowsDone({ url }: Greeting): Promise<number> {
  const answer = await fetch(`${url}/metrics`, { headers: { connection: 'close' } })
  return Number(/^momentum_worker_rows_total (\d+)$/m.exec(await answer.text())?.[1])
}

/** Posts from eight clients until told to stop. */
function startLoad(greeting: Greeting) {
  const acknowledged: string[] = []
  const failures: string[] = []
  let isStopping = false
  const send = async () => {
    while (!isStopping) {
      await post(greeting).then(
        ids => acknowledged.push(...ids),
        error => failures.push(String(error))
      )
    }
  }
  const sent = Promise.all(Array.from({ length: 8 }, send))
  return {
    acknowledged,
    failures,
    stop: async () => {
      isStopping = true
      await sent
    }
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('It never came to be')
    await sleep(20)
  }
}

t.test('two processes answer on one port over one embedded server', { timeout: 300_000 }, async t => {
  const folder = await openFolder(t)
  const program = startProgram(t, { WORKERS: '2', DATA_DIR: folder, LOG_LEVEL: 'error' })
  const greeting = await program.ready()
  const members = await membersOf(program)
  t.equal(members.length, 2)

  await t.test('what their workers have done is counted together', async t => {
    // Of as many days, for what one transaction stores of a learner's day is one row.
    const statements = Array.from({ length: 20 }, (_, day) => ({
      ...opened,
      timestamp: `2026-01-${10 + day}T12:00:00Z`
    }))
    await Promise.all(statements.map(statement => post(greeting, statement)))
    // Connections go to the processes in turns, so this asks both.
    const both = () => Promise.all([rowsDone(greeting), rowsDone(greeting)])
    await until(async () => (await both()).every((rows, _, [first]) => rows >= 20 && rows === first))
    t.ok((await both()).every(rows => rows >= 20))
  })

  await t.test('one that is killed is replaced', async t => {
    process.kill(members[0] ?? 0, 'SIGKILL')
    await until(async () => {
      const now = await membersOf(program)
      return now.length === 2 && !now.includes(members[0] ?? 0)
    })
    t.equal((await post(greeting)).length, 1)
  })

  await t.test('a stop under load answers what was accepted, and only what is stored is acknowledged', async t => {
    const load = startLoad(greeting)
    await until(async () => load.acknowledged.length > 100)
    t.same(load.failures, [])
    program.child.kill('SIGTERM')
    await load.stop()
    const { code, errors } = await program.ended
    t.equal(code, 0)
    t.match(errors, /another takes its place/)
    // Who came after the stop found nobody listening, or was told so; nobody else was refused.
    t.same(
      load.failures.filter(failure => !/fetch failed|503: .*"Service Unavailable"/.test(failure)),
      []
    )
    const server = await startEmbeddedServer({ dataDir: folder, log: () => undefined })
    const { db } = openDatabase({ connection: server.connection, poolSize: 1, onError: () => undefined })
    const { rows } = await sql<{ id: string }>`select id from statement`.execute(db)
    await db.destroy()
    await server.stop()
    const stored = new Set(rows.map(({ id }) => id))
    t.same(
      load.acknowledged.filter(id => !stored.has(id)),
      []
    )
  })
})

t.test('processes that cannot start end the program, which says why', { timeout: 300_000 }, async t => {
  const { url } = await testDatabase(t)
  const other = createServer()
  await once(other.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => other.close())
  const port = String((other.address() as AddressInfo).port)
  const { code, errors } = await startProgram(t, { DATABASE_URL: url, WORKERS: '2', PORT: port }).ended
  t.equal(code, 1)
  t.match(errors, /another program listens on port/)
})
