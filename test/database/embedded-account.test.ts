import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { canEnter, chooseAccount, give, identity, makeOpenFolder, runAs } from '../../src/database/embedded-account.js'
import { openFolder } from '../support/folder.js'

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
