import { lstat, mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import {
  findOwner,
  homeOf,
  isAlive,
  prepareCluster,
  prepareHome,
  readPassword
} from '../../src/database/embedded-cluster.js'
import { startEmbeddedServer } from '../../src/database/embedded-server.js'
import { openFolder } from '../support/folder.js'
import { writeProgramPackage } from '../support/program-package.js'

t.test('a home that its account can not enter is made in the shared folder, with a link to it', async t => {
  const folder = await openFolder(t)
  const { uid, gid } = await stat(folder)
  const lines: string[] = []
  const sharedFolder = join(folder, 'shared')
  const options = {
    dataDir: join(folder, 'data'),
    sharedFolder,
    account: { name: 'guest', uid, gid },
    log: (line: string) => lines.push(line),
    canEnter: async (_: unknown, path: string) => path.includes('/shared/')
  }
  t.equal(await findOwner(homeOf(options.dataDir)), null)
  const home = await prepareHome(options)
  t.ok(home.path.startsWith(join(sharedFolder, 'clusters')))
  t.equal(await readlink(homeOf(options.dataDir).path), home.path)
  t.equal((await stat(home.path)).mode & 0o777, 0o700)
  t.match(lines, [/The account guest can't enter .*data, so its database is in .*clusters/])
  t.strictSame(await prepareHome(options), home, 'the next start follows the link')
  t.equal(lines.length, 1)
  t.match(await findOwner(home), { uid, gid })

  const other = await prepareHome({ ...options, dataDir: join(folder, 'other') })
  t.not(other.path, home.path)
})

t.test('a home with data that can not be entered, and a shared folder that neither can, are said', async t => {
  const folder = await openFolder(t)
  const options = {
    dataDir: join(folder, 'data'),
    sharedFolder: join(folder, 'shared'),
    account: null,
    log: () => undefined,
    canEnter: async () => false
  }
  await t.rejects(prepareHome(options), {
    code: 'embedded-server-failed',
    message: /The account of this process, which/
  })
  const full = { ...options, dataDir: join(folder, 'full') }
  await mkdir(join(folder, 'full/postgres/data'), { recursive: true })
  await t.rejects(prepareHome(full), { message: /can't enter .*full\/postgres: let it pass .*chmod o\+x/ })
  t.ok((await lstat(join(folder, 'full/postgres'))).isDirectory(), 'nothing is moved')
})

t.test('all who start together read the same password', async t => {
  const folder = await openFolder(t)
  await mkdir(join(folder, 'postgres'))
  const home = homeOf(folder)
  const passwords = await Promise.all(Array.from({ length: 5 }, () => readPassword(home, 'someone', null)))
  t.equal(new Set(passwords).size, 1)
  t.match(passwords[0], /^[0-9a-f]{48}$/)
  t.strictSame(await readdir(home.path), ['someone.password'])
  t.equal((await stat(join(home.path, 'someone.password'))).mode & 0o777, 0o600)
})

t.test('of two that make the cluster at the same time the second one takes what the first has made', async t => {
  const folder = await openFolder(t)
  const home = homeOf(folder)
  await mkdir(home.path)
  const initdb = `dir="\${1#--pgdata=}"; sleep 0.1; mkdir -p "$dir"; echo 18 > "$dir/PG_VERSION"`
  const { folder: programs } = await writeProgramPackage(folder, { initdb })
  const path = join(programs, 'native/bin/initdb')
  const binaries = { postgres: '/absent', initdb: '/bin/sh', major: 18 }
  const wrapped = join(folder, 'initdb')
  await writeFile(wrapped, `#!/bin/sh\nexec /bin/sh ${path} "$@"\n`, { mode: 0o755 })
  const run = () => prepareCluster(home, { ...binaries, initdb: wrapped }, null)
  await Promise.all([run(), run()])
  t.equal(await readFile(join(home.data, 'PG_VERSION'), 'utf8'), '18\n')
  t.strictSame((await readdir(home.path)).sort(), ['data', 'postgres.password'])
})

t.test('a full disk is named, whether the cluster or the start meets it', async t => {
  const folder = await openFolder(t)
  const complaint = 'echo "FATAL:  could not write lock file: No space left on device" >&2; exit 1'
  const { resolveFrom } = await writeProgramPackage(folder, { initdb: complaint })
  const options = { dataDir: join(folder, 'data'), sharedFolder: join(folder, 'shared'), log: () => undefined }
  await t.rejects(startEmbeddedServer(options, { resolveFrom }), {
    code: 'embedded-server-failed',
    message: /initdb failed\. The disk is full: free some space for .*No space left on device/s
  })
  t.notMatch(await readdir(join(options.dataDir, 'postgres')), [/initialising/], 'no draft stays')

  const second = await openFolder(t)
  const postgres = `[ "$1" = --version ] && echo "postgres (PostgreSQL) 18.9" && exit; ${complaint}`
  const initdb = `dir="\${1#--pgdata=}"; mkdir -p "$dir"; echo 18 > "$dir/PG_VERSION"`
  const package2 = await writeProgramPackage(second, { postgres, initdb })
  await t.rejects(startEmbeddedServer({ ...options, dataDir: join(second, 'data') }, package2), {
    message: /could not be started: it ended with code 1\. The disk is full: free some space/
  })
})

t.test('a process is alive or not, whoever it belongs to', async t => {
  t.equal(isAlive(process.pid), true)
  t.equal(isAlive(1), true)
  t.equal(isAlive(2_147_483_646), false)
})
