import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import t, { type Test } from 'tap'
import type { ServerConnection } from '../../src/database/embedded-ownership.js'
import { type EmbeddedServer, type Surroundings, startEmbeddedServer } from '../../src/database/embedded-server.js'
import { openFolder } from '../support/folder.js'

const isRoot = process.getuid?.() === 0

t.test('the first start makes the database, the second one finds its data', async t => {
  const folder = await openFolder(t)
  const first = await start(t, folder)
  t.equal(first.adopted, false)
  const [facts] = await query(
    first.connection,
    `select current_user as "user", current_database() as database, rolsuper as superuser, rolcreatedb as createdb,
      current_setting('server_version_num')::int / 10000 as major, current_setting('listen_addresses') as addresses,
      current_setting('timezone') as zone, current_setting('server_encoding') as encoding,
      current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous
    from pg_roles where rolname = current_user`
  )
  t.strictSame(
    { ...facts },
    {
      user: 'momentum',
      database: 'momentum',
      superuser: false,
      createdb: false,
      major: 18,
      addresses: '',
      zone: 'UTC',
      encoding: 'UTF8',
      fsync: 'off',
      synchronous: 'on'
    }
  )
  await query(first.connection, 'create extension btree_gist; create table kept as select 42 as answer')
  t.equal((await stat(first.connection.host)).mode & 0o777, 0o700, 'the socket is in a private folder')
  for (const name of await readdir(join(folder, 'data/postgres'))) {
    const { mode } = await stat(join(folder, 'data/postgres', name))
    t.equal(mode & 0o077, 0, `${name} is closed to others`)
  }
  await t.rejects(query({ ...first.connection, password: 'guessed' }, 'select'), { code: '28P01' })
  await Promise.all([first.stop(), first.stop()])
  await t.rejects(stat(first.connection.host), { code: 'ENOENT' }, 'the socket and its folder are gone')

  const second = await start(t, folder)
  t.strictSame(await query(second.connection, 'select answer from kept'), [{ answer: 42 }])
  t.equal(second.connection.password, first.connection.password)
})

t.test('a server that a killed service left running is taken over, and one in use is refused', async t => {
  const folder = await openFolder(t)
  const service = await startService(t, folder)
  await query(service.superuser, 'create table kept as select 42 as answer')
  await t.rejects(start(t, folder), {
    code: 'embedded-server-failed',
    message: /in use by another running Momentum LRS/
  })
  service.child.kill('SIGKILL')
  await once(service.child, 'exit')

  const lines: string[] = []
  const adopted = await start(t, folder, {}, lines)
  t.equal(adopted.adopted, true)
  t.match(lines, [/left running/])
  t.equal(adopted.superuser.host, service.superuser.host, 'it is the same server')
  t.strictSame(await query(adopted.superuser, 'select answer from kept'), [{ answer: 42 }])
  await t.rejects(start(t, folder), { message: /in use by another running/ })

  const own = `select pid from pg_locks where locktype = 'advisory'`
  const [before] = await query(adopted.superuser, own)
  await query(adopted.superuser, `select pg_terminate_backend(${before?.pid})`)
  await until(async () => {
    const [after] = await query(adopted.superuser, own)
    return after !== undefined && after.pid !== before?.pid
  })
  t.match(lines, [/left running/, /was lost; taking it again/])
  await t.rejects(start(t, folder), { message: /in use by another running/ }, 'the right is held again')

  await adopted.stop()
  await t.rejects(stat(adopted.connection.host), { code: 'ENOENT' })
})

t.test('a service that lost the server to another one says so', async t => {
  const folder = await openFolder(t)
  const lines: string[] = []
  const server = await start(t, folder, {}, lines)
  const rival = new pg.Client({ ...server.superuser })
  await rival.connect()
  const waiting = rival.query(`select pg_advisory_lock(((classid::bigint << 32) | objid::bigint))
    from pg_locks where locktype = 'advisory' limit 1`)
  await sleep(100)
  await query(
    server.superuser,
    `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted`
  )
  await waiting
  await until(async () => lines.some(line => /also in use by another/.test(line)))
  t.pass('it is in the log')
  await rival.end()
})

t.test('a killed server recovers on the next start, with all that was committed', async t => {
  const folder = await openFolder(t)
  const server = await start(t, folder)
  await query(server.connection, 'create table kept as select 42 as answer')
  const worker = new pg.Client({ ...server.connection })
  worker.on('error', () => undefined)
  await worker.connect()
  const { rows } = await worker.query<{ pid: number }>('select pg_backend_pid() as pid')
  const pid = Number(rows[0]?.pid)
  process.kill(pid, 'SIGSTOP')
  process.kill(await postmasterPid(folder), 'SIGKILL')
  // A worker that outlives its server still has the data in its hands: the next server has to wait for it.
  setTimeout(() => process.kill(pid, 'SIGKILL'), 1000)
  const next = await start(t, folder)
  t.equal(next.adopted, false)
  t.strictSame(await query(next.connection, 'select answer from kept'), [{ answer: 42 }])
  t.match(await readFile(join(folder, 'data/postgres/server.log'), 'utf8'), /pre-existing shared memory block/)
  await t.rejects(stat(server.connection.host), { code: 'ENOENT' }, 'what the killed one left is cleared away')
})

t.test('a TMPDIR that is too long for a socket is passed over, and a long log begins anew', async t => {
  const folder = await openFolder(t)
  await (await start(t, folder)).stop()
  const log = join(folder, 'data/postgres/server.log')
  await truncate(log, 11 * 1024 * 1024)
  const long = join(folder, 'x'.repeat(80))
  await mkdir(long)
  const { TMPDIR } = process.env
  process.env.TMPDIR = long
  const server = await start(t, folder).finally(() => {
    process.env.TMPDIR = TMPDIR
    if (TMPDIR === undefined) delete process.env.TMPDIR
  })
  t.match(server.connection.host, /^\/tmp\/momentum-lrs-/)
  t.equal((await stat(`${log}.1`)).size, 11 * 1024 * 1024)
  t.ok((await stat(log)).size < 10_000)
})

t.test('a number in postmaster.pid that is another process by now does not keep the server from starting', async t => {
  const folder = await openFolder(t)
  await (await start(t, folder)).stop()
  await writeFile(join(folder, 'data/postgres/data/postmaster.pid'), '1\n/gone\n0\n5432\n/gone\n\n\nready\n')
  const server = await start(t, folder)
  t.strictSame(await query(server.connection, 'select 1 as one'), [{ one: 1 }])
})

t.test('of two that start together on an empty folder one gets the server', async t => {
  const folder = await openFolder(t)
  const outcomes = await Promise.allSettled([start(t, folder), start(t, folder)])
  t.strictSame(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  t.match(
    outcomes.find(outcome => outcome.status === 'rejected'),
    { reason: { code: 'embedded-server-failed', message: /in use by another running Momentum LRS/ } }
  )
  t.notMatch(await readdir(join(folder, 'data/postgres')), [/initialising/], 'no half-made cluster stays')
})

t.test('a start that was killed while it made the cluster is done again', async t => {
  const folder = await openFolder(t)
  const home = join(folder, 'data/postgres')
  await (await start(t, folder)).stop()
  await rm(join(home, 'data'), { recursive: true })
  await mkdir(join(home, 'initialising-2147483646-abcd'))
  const server = await start(t, folder)
  t.strictSame(await query(server.connection, 'select 1 as one'), [{ one: 1 }])
  t.notOk((await readdir(home)).some(name => name.startsWith('initialising')))
})

t.test('a server that does not end in time is asked more sharply', async t => {
  const folder = await openFolder(t)
  const hurried = await start(t, folder, { fastStopMs: 0 })
  await hurried.stop()
  await t.rejects(readFile(join(folder, 'data/postgres/data/postmaster.pid')), { code: 'ENOENT' })
  const stubborn = await start(t, folder, { fastStopMs: 0, immediateStopMs: 0 })
  await t.rejects(stubborn.stop(), { message: /does not end: end it with kill -9 \d+/ })
  await until(async () => !(await isThere(join(folder, 'data/postgres/data/postmaster.pid'))))
  await rm(stubborn.connection.host, { recursive: true, force: true })
})

t.test('a running server that can not be entered is named', async t => {
  const folder = await openFolder(t)
  const server = await start(t, folder)
  await rm(server.connection.host, { recursive: true })
  await t.rejects(start(t, folder, { enterMs: 200 }), {
    code: 'embedded-server-failed',
    message: /\(process \d+\) runs but does not let us in: see .*server\.log, end it with kill -INT/
  })
  await server.stop()
})

t.test('a server that takes longer than the bound is ended', async t => {
  const folder = await openFolder(t)
  await (await start(t, folder)).stop()
  await t.rejects(start(t, folder, { startMs: -1 }), { message: /runs but does not let us in/ })
  t.notOk(await isThere(join(folder, 'data/postgres/data/postmaster.pid')))
})

t.test('what keeps the server from starting is said, with what to do', async t => {
  const folder = await openFolder(t)
  const home = join(folder, 'data/postgres')
  const settings = { fsync: 'off', shared_buffers: 'plenty' }
  await t.rejects(start(t, folder, {}, [], settings), {
    code: 'embedded-server-failed',
    message: /it ended with code 1\. See the log in .*invalid value for parameter "shared_buffers"/s
  })
  await writeFile(join(home, 'data/PG_VERSION'), '17\n')
  await t.rejects(start(t, folder), { message: /was made by PostgreSQL 17 and the embedded server is 18: .*pg_dump/ })
  await rm(join(home, 'data/PG_VERSION'))
  await t.rejects(start(t, folder), { message: /is not the data directory of a PostgreSQL/ })
  const { uid } = await stat(home)
  await t.rejects(start(t, folder, { uid: uid + 1 }), { message: /belongs to another user: start as that user/ })

  await writeFile(join(folder, 'file'), '')
  await t.rejects(startEmbeddedServer({ dataDir: join(folder, 'file'), log }), { message: /is not a directory/ })
  await mkdir(join(folder, 'linked'))
  await symlink(join(folder, 'absent'), join(folder, 'linked/postgres'))
  await t.rejects(startEmbeddedServer({ dataDir: join(folder, 'linked'), log }), {
    message: /a link to a folder that is/
  })
  await t.rejects(start(t, folder, { platform: 'win32' }), { message: /not supported on Windows: set DATABASE_URL/ })
  const resolveFrom = join(folder, 'x.js')
  await t.rejects(start(t, folder, { resolveFrom }), {
    message: /is not installed .* install it with "npm install", or set/
  })
  const nobody = { uid: 0, passwdFile: '/absent' }
  await t.rejects(start(t, join(folder, 'fresh'), nobody), { message: /neither a user postgres nor a user nobody/ })
})

t.test('a server that fails after it was started is stopped again', async t => {
  const folder = await openFolder(t)
  await (await start(t, folder)).stop()
  const password = join(folder, 'data/postgres/momentum.password')
  await rm(password)
  await mkdir(password)
  await t.rejects(start(t, folder), { code: 'embedded-server-failed', message: /EISDIR/ })
  t.notOk(await isThere(join(folder, 'data/postgres/data/postmaster.pid')))
  await rm(password, { recursive: true })
  await writeFile(join(folder, 'data/postgres/postgres.password'), 'forgotten')
  await t.rejects(start(t, folder), { message: /password authentication failed/ })
})

t.test('root puts what its account must reach into the shared folder', { skip: !isRoot && 'root only' }, async t => {
  const folder = await openFolder(t)
  const closed = join(folder, 'closed')
  await mkdir(closed, { mode: 0o700 })
  const lines: string[] = []
  const options = { dataDir: join(closed, 'data'), sharedFolder: join(folder, 'shared'), log: lines.push.bind(lines) }
  const first = await startEmbeddedServer({ ...options, settings: { fsync: 'off' } })
  // Where the checkout is closed too, a line about the programs comes before.
  t.match(lines.pop(), /can't enter .*closed\/data, so its database is in .*shared\/clusters\//)
  await query(first.connection, 'create table kept as select 42 as answer')
  await first.stop()
  const second = await startEmbeddedServer({ ...options, settings: { fsync: 'off' } })
  t.strictSame(await query(second.connection, 'select answer from kept'), [{ answer: 42 }])
  t.notMatch(lines.join(), /so its database is in/, 'it is said once')
  await second.stop()
})

function log(): void {}

async function start(
  t: Test,
  folder: string,
  surroundings: Partial<Surroundings> = {},
  lines: string[] = [],
  settings: Readonly<Record<string, string>> = { fsync: 'off' }
): Promise<EmbeddedServer> {
  const server = await startEmbeddedServer(
    { dataDir: join(folder, 'data'), sharedFolder: join(folder, 'shared'), log: line => lines.push(line), settings },
    surroundings
  )
  t.teardown(() => server.stop().catch(() => undefined))
  return server
}

async function startService(t: Test, folder: string) {
  const script = join(dirname(fileURLToPath(import.meta.url)), '../support/killed-service.ts')
  const args = [...process.execArgv, script, join(folder, 'data'), join(folder, 'shared')]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data')
  return { child, superuser: JSON.parse(String(line)) as ServerConnection }
}

async function query(connection: ServerConnection, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ ...connection })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

async function postmasterPid(folder: string): Promise<number> {
  return Number((await readFile(join(folder, 'data/postgres/data/postmaster.pid'), 'utf8')).split('\n')[0])
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false
  )
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await condition()) return
    await sleep(20)
  }
  throw new Error('It did not become so within 10 s')
}
