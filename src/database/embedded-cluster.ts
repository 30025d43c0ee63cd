import { createHash, randomBytes } from 'node:crypto'
import {
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile
} from 'node:fs/promises'
import { join } from 'node:path'
import { kill, pid } from 'node:process'
import { type Account, canEnter, give, makeOpenFolder, runAs } from './embedded-account.js'
import type { Binaries } from './embedded-binaries.js'
import { explain, failure, hasCode, ignoring } from './embedded-failure.js'

/** A folder with everything of one embedded server: the cluster in `data`, its passwords, its log. */
export interface Home {
  readonly path: string
  /** The data directory, in PostgreSQL's sense. */
  readonly data: string
  readonly logFile: string
}

/** What is needed to find or make the home. */
export interface HomeOptions {
  readonly dataDir: string
  /** Where a home is put whose account can't enter `dataDir`. */
  readonly sharedFolder: string
  readonly account: Account | null
  readonly log: (line: string) => void
  /** Whether the account can enter a folder; {@link canEnter} unless a test says otherwise. */
  readonly canEnter?: (account: Account | null, folder: string) => Promise<boolean>
}

/** The names under which the service and its maintenance enter the server. */
export const roles = { service: 'momentum', superuser: 'postgres' } as const

const draftPrefix = 'initialising-'

/** Where the home of a DATA_DIR is, whether or not it is there yet. */
export function homeOf(dataDir: string): Home {
  return homeAt(join(dataDir, 'postgres'))
}

function homeAt(path: string): Home {
  return { path, data: join(path, 'data'), logFile: join(path, 'server.log') }
}

/** Who owns the home that is there already; null for none. */
export async function findOwner(home: Home): Promise<{ readonly uid: number; readonly gid: number } | null> {
  const found = await statOrNull(home.path)
  return found === null ? null : { uid: found.uid, gid: found.gid }
}

/**
 * Makes the home, or checks the one that is there. When the account can't enter DATA_DIR, the home is made in the
 * shared folder and DATA_DIR gets a link to it.
 *
 * @throws LrsError `embedded-server-failed` when a link leads nowhere or the account can't enter a home with data.
 */
export async function prepareHome(options: HomeOptions): Promise<Home> {
  const { dataDir, account } = options
  const home = homeOf(dataDir)
  await makeOpenFolder(dataDir)
  if ((await statOrNull(home.path)) === null) {
    if ((await lstat(home.path).catch(() => null)) !== null) {
      throw failure(
        `${home.path} is a link to a folder that is not there: put the folder back, or remove the link to begin empty`
      )
    }
    await mkdir(home.path, { recursive: true, mode: 0o700 })
  }
  const isEmpty = (await readdir(home.path)).length === 0
  if (isEmpty) await give(home.path, account)
  const enter = options.canEnter ?? canEnter
  // The account goes by the folder's real path, because a link in a closed folder is closed to it too.
  const path = await realpath(home.path)
  if (await enter(account, path)) return homeAt(path)
  if (isEmpty) {
    const target = await moveHome(home, options)
    if (await enter(account, target)) return homeAt(target)
  }
  throw failure(
    `The account ${account?.name ?? 'of this process'}, which PostgreSQL runs as, can't enter ${home.path}: ` +
      'let it pass through every folder above (chmod o+x), or choose another DATA_DIR'
  )
}

/**
 * The name has a random part, so that a DATA_DIR that was moved and another one made in its old place never share a
 * cluster, and one that was removed begins empty.
 */
async function moveHome(home: Home, { dataDir, sharedFolder, account, log }: HomeOptions): Promise<string> {
  const clusters = join(sharedFolder, 'clusters')
  await makeOpenFolder(sharedFolder)
  await makeOpenFolder(clusters)
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 16)
  const target = await mkdtemp(join(clusters, `${hash}-`))
  await give(target, account)
  // Renaming a link over an empty folder is not possible, so there is a moment without either; a start that is killed
  // in it leaves an empty folder in the shared place and nothing else.
  await rm(home.path, { recursive: true })
  await symlink(target, home.path)
  log(`The account ${account?.name ?? 'of this process'} can't enter ${dataDir}, so its database is in ${target}`)
  return target
}

/**
 * Makes the cluster if it isn't there. It is made beside its place and renamed, so that a start that was killed in
 * between leaves nothing that looks like a cluster; what it left is removed here.
 *
 * @throws LrsError `embedded-server-failed` when it can't be made, or is one of another major version.
 */
export async function prepareCluster(home: Home, binaries: Binaries, account: Account | null): Promise<void> {
  await removeDrafts(home)
  if ((await statOrNull(home.data)) === null) await initialise(home, binaries, account)
  const version = await readFile(join(home.data, 'PG_VERSION'), 'utf8').catch(ignoring('ENOENT'))
  if (version === null) {
    throw failure(`${home.data} is not the data directory of a PostgreSQL: move it away, or choose another DATA_DIR`)
  }
  if (Number(version) === binaries.major) return
  throw failure(
    `${home.data} was made by PostgreSQL ${version.trim()} and the embedded server is ${binaries.major}: start the version ` +
      'of the program that made it and move the data with pg_dump, or choose another DATA_DIR'
  )
}

async function initialise(home: Home, binaries: Binaries, account: Account | null): Promise<void> {
  const draft = join(home.path, `${draftPrefix}${pid}-${randomBytes(4).toString('hex')}`)
  const passwordFile = `${draft}.password`
  try {
    await writeFile(passwordFile, await readPassword(home, roles.superuser, account), { mode: 0o600 })
    await give(passwordFile, account)
    // The builtin provider orders text by code point on every system alike, and never changes with its C library.
    const { code, output } = await runAs(account, binaries.initdb, [
      `--pgdata=${draft}`,
      `--username=${roles.superuser}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions'
    ])
    if (code !== 0) {
      const attempt = 'The database of the embedded PostgreSQL could not be made'
      throw explain(new Error('initdb failed'), { attempt, dataDir: home.path, output })
    }
    // Another process was quicker, with the same passwords.
    await rename(draft, home.data).catch(ignoring('ENOTEMPTY', 'EEXIST'))
  } finally {
    await rm(draft, { recursive: true, force: true })
    await rm(passwordFile, { force: true })
  }
}

/** A draft has the process in its name, because another one may be at it just now. */
async function removeDrafts(home: Home): Promise<void> {
  for (const name of await readdir(home.path)) {
    const maker = new RegExp(`^${draftPrefix}(\\d+)-`).exec(name)?.[1]
    if (maker !== undefined && !isAlive(Number(maker))) {
      await rm(join(home.path, name), { recursive: true, force: true })
    }
  }
}

/**
 * The password of a role, made the first time. A whole file is linked into place, so that of several processes that
 * start together all read the same one.
 */
export async function readPassword(home: Home, role: string, account: Account | null): Promise<string> {
  const file = join(home.path, `${role}.password`)
  const found = await readFile(file, 'utf8').catch(ignoring('ENOENT'))
  if (found !== null) return found.trim()
  const draft = `${file}.${randomBytes(4).toString('hex')}`
  await writeFile(draft, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 })
  await give(draft, account)
  await link(draft, file).catch(ignoring('EEXIST'))
  await rm(draft)
  return (await readFile(file, 'utf8')).trim()
}

/** Whether a process with this id exists, of whatever user. */
export function isAlive(id: number): boolean {
  try {
    kill(id, 0)
    return true
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
}

async function statOrNull(path: string) {
  return stat(path).catch(ignoring('ENOENT'))
}
