import { execFile, spawn } from 'node:child_process'
import { chmod, mkdtemp, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { kill } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Account, canEnter, give, identity, serverEnvironment } from './embedded-account.js'
import { type Home, isAlive } from './embedded-cluster.js'
import { failure } from './embedded-failure.js'

/** A running server as its file postmaster.pid describes it. */
export interface Postmaster {
  readonly pid: number
  /** The port, which names the socket's file. */
  readonly port: number
  readonly socketFolder: string
  readonly status: 'starting' | 'stopping' | 'ready' | 'standby' | 'unknown'
}

/** How the server is started. */
export interface SpawnOptions {
  readonly home: Home
  readonly postgres: string
  readonly account: Account | null
  /** Settings beyond the usual ones, which they override. */
  readonly settings: Readonly<Record<string, string>>
}

/** A server that was just spawned. */
export interface Spawned {
  readonly pid: number
  readonly socketFolder: string
  /** Resolves with the reason when the process has ended, or when it could not be made. */
  readonly ended: Promise<string>
  /** As `ended`, and keeps this process from ending first. */
  join(): Promise<string>
  kill(): void
  /** What the server has written since it was started. */
  readonly output: () => Promise<string>
}

/** Only names the socket's file: there is no TCP. */
const port = 5432
const pollMs = 20
const socketFolderPrefix = 'momentum-lrs-'

/** Larger than any process's number. */
const noProcess = 2_147_483_647
const longestSocketFolder = 80
const logBytesKept = 10 * 1024 * 1024

/**
 * Moderate, for a machine that runs the service too. `max_wal_size` is what the log of changes may grow to under load
 * (docs/decisions/0039-tables-are-not-partitioned.md). The server's own log holds no statement's text and no values of
 * rows, which are people's data. Compilation of plans (jit) costs more than it brings for queries of milliseconds.
 */
const usualSettings: Readonly<Record<string, string>> = {
  max_connections: '100',
  max_wal_size: '4GB',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  password_encryption: 'scram-sha-256',
  logging_collector: 'off',
  log_checkpoints: 'off',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic'
}

/**
 * Starts the server on a socket in a new folder that only the account can enter. It gets a process group of its own,
 * so that a terminal's Ctrl-C doesn't reach it while the service finishes what is in flight.
 */
export async function spawnServer({ home, postgres, account, settings }: SpawnOptions): Promise<Spawned> {
  const socketFolder = await makeSocketFolder(account)
  const size = await rotateLog(home.logFile)
  const log = await open(home.logFile, 'a', 0o600)
  await give(home.logFile, account)
  try {
    const all = {
      ...usualSettings,
      listen_addresses: '',
      port: String(port),
      unix_socket_directories: `"${socketFolder}"`,
      unix_socket_permissions: '0700',
      ...settings
    }
    const child = spawn(
      postgres,
      ['-D', home.data, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      {
        ...identity(account),
        cwd: '/',
        env: serverEnvironment(),
        detached: true,
        stdio: ['ignore', log.fd, log.fd]
      }
    )
    child.unref()
    const ended = new Promise<string>(resolve => {
      child.on('error', error => resolve(error.message))
      child.on('exit', (code, signal) => resolve(`it ended with ${signal ?? `code ${code}`}`))
    })
    return {
      pid: child.pid ?? noProcess,
      socketFolder,
      ended,
      join() {
        child.ref()
        return ended
      },
      kill() {
        child.kill('SIGQUIT')
      },
      output: async () => (await readFile(home.logFile)).subarray(size).toString('utf8')
    }
  } finally {
    await log.close()
  }
}

/** A socket's path may have about 100 bytes, so a long or closed TMPDIR isn't taken. */
export async function makeSocketFolder(
  account: Account | null,
  parents: readonly string[] = [tmpdir(), '/tmp'],
  enter = canEnter
): Promise<string> {
  for (const parent of parents) {
    if (Buffer.byteLength(parent) > longestSocketFolder || /[",]/.test(parent)) continue
    const folder = await mkdtemp(join(parent, socketFolderPrefix))
    await chmod(folder, 0o700)
    await give(folder, account)
    if (await enter(account, folder)) return folder
    await rm(folder, { recursive: true })
  }
  throw failure('There is no short folder for the socket of the embedded PostgreSQL: set TMPDIR to one')
}

/** Keeps the log and one predecessor; returns the log's size in bytes. */
async function rotateLog(file: string): Promise<number> {
  const { size } = await stat(file).catch(() => ({ size: 0 }))
  if (size < logBytesKept) return size
  await rename(file, `${file}.1`)
  return 0
}

/** Reads postmaster.pid; null when there is none, or when it is left over from a server that is no more. */
export async function findPostmaster(home: Home): Promise<Postmaster | null> {
  const text = await readFile(join(home.data, 'postmaster.pid'), 'utf8').catch(() => '')
  const lines = text.split('\n').map(line => line.trim())
  const [pid = '', folder = '', , filePort = '', socketFolder = '', , , status = ''] = lines
  if (!/^\d+$/.test(pid) || !isAlive(Number(pid))) return null
  // After a crash of the machine or in a new container the number may be another program's, and a process that has
  // ended but that nobody has waited for has no command any more.
  const command = await readCommand(Number(pid))
  if (!command.includes('postgres') || !command.includes(folder)) return null
  return { pid: Number(pid), port: Number(filePort), socketFolder, status: asStatus(status) }
}

function asStatus(text: string): Postmaster['status'] {
  return (['starting', 'stopping', 'ready', 'standby'] as const).find(status => status === text) ?? 'unknown'
}

/** The command line of a process, from /proc or, on systems without it, from `ps`; empty when there is none. */
export async function readCommand(pid: number, processes = '/proc'): Promise<string> {
  return readFile(join(processes, String(pid), 'cmdline'), 'utf8').catch(async () => {
    const asked = promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)])
    return asked.then(
      ({ stdout }) => stdout,
      () => ''
    )
  })
}

/**
 * Makes what a dead server left behind harmless: its socket's folder, and its number in postmaster.pid where that is
 * another process's by now, which PostgreSQL would take for the server and never start again.
 *
 * The file itself stays: it names the shared memory by which PostgreSQL notices workers that outlived a killed server,
 * and two generations writing at once would destroy the data.
 */
export async function disarmStalePostmaster(home: Home): Promise<void> {
  const file = join(home.data, 'postmaster.pid')
  const text = await readFile(file, 'utf8').catch(() => '')
  if (text === '' || (await findPostmaster(home)) !== null) return
  await writeFile(file, text.replace(/^\d+/, String(noProcess)))
  await removeSocketFolder(text.split('\n')[4] ?? '')
}

/** Removes a folder that {@link spawnServer} made, and no other. */
export async function removeSocketFolder(folder: string): Promise<void> {
  if (basename(folder).startsWith(socketFolderPrefix)) await rm(folder, { recursive: true, force: true })
}

/** How a server is asked to end, and for how long it is waited for before it is asked more sharply. */
export interface StopBounds {
  readonly fastMs: number
  readonly immediateMs: number
}

/**
 * Ends the server: fast shutdown (open transactions roll back, everything is written), after a bound immediate
 * shutdown (the next start recovers from the log). Resolves when the server is gone.
 *
 * @throws LrsError `embedded-server-failed` when it outlives both.
 */
export async function stopServer(home: Home, pid: number, bounds: StopBounds): Promise<void> {
  for (const [signal, boundMs] of [
    ['SIGINT', bounds.fastMs],
    ['SIGQUIT', bounds.immediateMs]
  ] as const) {
    // A number that the file no longer names may be another process's by now.
    if ((await findPostmaster(home))?.pid !== pid) return
    kill(pid, signal)
    if (await waitUntilGone(home, pid, boundMs)) return
  }
  throw failure(`The embedded PostgreSQL (process ${pid}) does not end: end it with kill -9 ${pid}`)
}

async function waitUntilGone(home: Home, pid: number, boundMs: number): Promise<boolean> {
  const end = Date.now() + boundMs
  while (Date.now() < end) {
    if ((await findPostmaster(home))?.pid !== pid) return true
    await sleep(pollMs)
  }
  return false
}
