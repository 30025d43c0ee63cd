import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { canEnter, chooseAccount, give, identity, makeOpenFolder, runAs } from '../../src/database/embedded-account.js'
import { homeOf } from '../../src/database/embedded-cluster.js'
import { explain, failure, hasCode, ignoring } from '../../src/database/embedded-failure.js'
import { memorySettings } from '../../src/database/embedded-memory.js'
import { findPostmaster, makeSocketFolder, readCommand } from '../../src/database/embedded-process.js'
import { LrsError } from '../../src/errors.js'
import { openFolder } from '../support/folder.js'

t.test('the command of a process is read with and without /proc', async t => {
  t.match(await readCommand(process.pid), /node/)
  t.match(await readCommand(process.pid, '/absent'), /node/)
  t.equal(await readCommand(2_147_483_646), '')
})

t.test('only a PostgreSQL that runs on the very folder counts as its server', async t => {
  const home = homeOf(await openFolder(t))
  t.equal(await findPostmaster(home), null)
  await mkdir(home.data, { recursive: true })
  for (const pid of ['', 'nonsense', '2147483646', String(process.pid)]) {
    await writeFile(join(home.data, 'postmaster.pid'), `${pid}\n${home.data}\n0\n5432\n/tmp\n\n\nready\n`)
    t.equal(await findPostmaster(home), null, `not process ${pid}`)
  }
})

t.test('a socket goes where its path is short and its account gets in', async t => {
  const folder = await openFolder(t)
  const made = await makeSocketFolder(null, [`/${'x'.repeat(80)}`, '/with,comma', folder])
  t.ok(made.startsWith(folder))
  t.equal((await stat(made)).mode & 0o777, 0o700)
  const closed = await openFolder(t)
  const enter = async (_: unknown, path: string) => !path.startsWith(closed)
  t.ok((await makeSocketFolder(null, [closed, folder], enter)).startsWith(folder))
  t.strictSame(await readdir(closed), [], 'nothing stays where it did not go')
  await t.rejects(makeSocketFolder(null, [closed], enter), { code: 'embedded-server-failed', message: /set TMPDIR/ })
})

const passwd = `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1::/:/sbin/nologin
nobody:x:65534:65533::/:/sbin/nologin

postgres:x:101:104::/var/lib/postgresql:/bin/bash
`

t.test('an ordinary user runs the server as oneself', async t => {
  t.equal(chooseAccount({ uid: 1000, passwd, owner: { uid: 101, gid: 104 } }), null)
  t.strictSame(identity(null), {})
})

t.test('root runs it as the owner of the cluster, or else as postgres, or else as nobody', async t => {
  const postgres = { name: 'postgres', uid: 101, gid: 104 }
  t.strictSame(chooseAccount({ uid: 0, passwd, owner: null }), postgres)
  t.strictSame(chooseAccount({ uid: 0, passwd, owner: { uid: 0, gid: 0 } }), postgres)
  t.strictSame(chooseAccount({ uid: 0, passwd, owner: { uid: 1, gid: 7 } }), { name: 'daemon', uid: 1, gid: 7 })
  t.strictSame(chooseAccount({ uid: 0, passwd, owner: { uid: 77, gid: 78 } }), { name: '77', uid: 77, gid: 78 })
  const without = passwd.replace(/^postgres.*$/m, '')
  t.strictSame(chooseAccount({ uid: 0, passwd: without, owner: null }), { name: 'nobody', uid: 65534, gid: 65533 })
  t.strictSame(identity(postgres), { uid: 101, gid: 104 })
})

t.test('root without any such account is told what to do', async t => {
  t.throws(() => chooseAccount({ uid: 0, passwd: 'root:x:0:0\n', owner: null }), {
    code: 'embedded-server-failed',
    message: /neither a user postgres nor a user nobody .* or set DATABASE_URL/
  })
})

t.test('a program that ends, fails or is not there gives a result', async t => {
  t.strictSame(await runAs(null, '/bin/sh', ['-c', 'echo out; echo err >&2; exit 3']), {
    code: 3,
    output: 'out\nerr\n'
  })
  t.match(await runAs(null, '/absent', []), { code: null, output: /ENOENT/ })
  t.strictSame(await runAs(null, '/bin/sh', ['-c', 'kill -9 $$']), { code: null, output: '' })
  const { output } = await runAs(null, '/bin/sh', ['-c', 'echo "$PGHOST$LC_ALL$PATH"'])
  t.equal(output, `C${process.env.PATH}\n`, 'no variable for a PostgreSQL of ours gets there')
})

t.test('a folder is tried, given, and made for all to pass', async t => {
  const folder = await openFolder(t)
  t.equal(await canEnter(null, folder), true)
  t.equal(await canEnter(null, join(folder, 'absent')), false)
  const { uid, gid } = await stat(folder)
  const made = join(folder, 'made')
  const umask = process.umask(0o077)
  await makeOpenFolder(made)
  process.umask(umask)
  t.equal((await stat(made)).mode & 0o777, 0o755)
  await mkdir(join(folder, 'closed'), { mode: 0o700 })
  await makeOpenFolder(join(folder, 'closed'))
  t.equal((await stat(join(folder, 'closed'))).mode & 0o777, 0o700, 'one that is there stays as it is')
  await give(made, { name: 'me', uid, gid })
  await give(made, null)
  t.match(await stat(made), { uid, gid })
})

const context = { attempt: 'It could not be started', dataDir: '/data' }

t.test('every known cause is told with what to do about it', async t => {
  const known: readonly (readonly [string, RegExp])[] = [
    ['could not write to file: No space left on device', /The disk is full: free some space for \/data/],
    ['database files are incompatible with server', /made by another version .* pg_dump, or set DATABASE_URL/],
    ['lock file "postmaster.pid" already exists', /in use by another running Momentum LRS/],
    ['pre-existing shared memory block (key 1, ID 2) is still in use', /Processes of an earlier server still work/],
    ['could not bind Unix address "/tmp/x": Address already in use', /port or socket is taken .* TMPDIR/],
    ['could not create shared memory segment: Cannot allocate memory', /too little \(shared\) memory.*--shm-size/],
    ['data directory "/data" has wrong ownership', /belongs to another user: start as that user/],
    ['could not look up effective user ID 4711', /no line in \/etc\/passwd/],
    ['error while loading shared libraries: libm.so', /can't run on this system .*: set DATABASE_URL/],
    ['EROFS: read-only file system, mkdir', /can't be written: choose another DATA_DIR/],
    ['ENOTDIR: not a directory, mkdir', /is not a directory: choose/],
    ['spawn setuid: Operation not permitted', /A permission is missing: let this user write \/data/],
    ['something else', /See the log in \/data\/postgres, or set DATABASE_URL/]
  ]
  for (const [text, remedy] of known) {
    const fromOutput = explain(new Error('it ended'), { ...context, output: `LOG:  starting\nFATAL:  ${text}\n` })
    t.equal(fromOutput.code, 'embedded-server-failed')
    t.match(fromOutput.message, remedy, text)
    t.match(fromOutput.message, /^It could not be started: it ended\. .*\nIts last lines:\n {2}LOG: {2}starting\n/)
    t.match(explain(new Error(text), context).message, remedy, `${text}, as an error`)
  }
})

t.test('an error that is explained already stays itself, others become its cause', async t => {
  const explained = failure('because')
  t.equal(explain(explained, context), explained)
  t.equal(explained.cause, undefined)
  const cause = new Error('deep')
  t.equal(explain(cause, context).cause, cause)
  t.match(explain('thrown text', context), { message: /thrown text/ })
  t.ok(explained instanceof LrsError)
})

t.test("an operating system's code is recognised", async t => {
  t.equal(hasCode(Object.assign(new Error('x'), { code: 'ENOENT' }), 'EACCES', 'ENOENT'), true)
  t.equal(hasCode(new Error('x'), 'ENOENT'), false)
  t.equal(hasCode('ENOENT', 'ENOENT'), false)
  t.equal(ignoring('ENOENT')(Object.assign(new Error('x'), { code: 'ENOENT' })), null)
  t.throws(() => ignoring('ENOENT')(new Error('x')), { message: 'x' })
})

t.test('the server takes its share of the memory, within bounds', async t => {
  const gibibyte = 2 ** 30
  t.same(memorySettings(gibibyte / 2), {
    shared_buffers: '128MB',
    work_mem: '4MB',
    maintenance_work_mem: '64MB',
    effective_cache_size: '256MB'
  })
  t.same(memorySettings(8 * gibibyte), {
    shared_buffers: '1024MB',
    work_mem: '8MB',
    maintenance_work_mem: '128MB',
    effective_cache_size: '4096MB'
  })
  t.same(memorySettings(256 * gibibyte), {
    shared_buffers: '2048MB',
    work_mem: '32MB',
    maintenance_work_mem: '512MB',
    effective_cache_size: '131072MB'
  })
})
