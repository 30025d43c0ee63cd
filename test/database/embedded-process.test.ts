import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { homeOf } from '../../src/database/embedded-cluster.js'
import { findPostmaster, makeSocketFolder, readCommand } from '../../src/database/embedded-process.js'
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
