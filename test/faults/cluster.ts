import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type EmbeddedServer, startEmbeddedServer } from '../../src/database/embedded-server.js'

const run = promisify(execFile)
const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export const credential = { key: 'faults', secret: 'a secret of the faults alone' } as const

/** A PostgreSQL that keeps every promise of durability, and the services on it. */
export interface Cluster {
  readonly databaseUrl: string
  /** Starts a service as a process of its own; it answers when this resolves. */
  readonly startService: (settings?: ServiceSettings) => Promise<RunningService>
  /** The server's process, and the folder of its data. */
  readonly postmaster: () => Promise<number>
  readonly dataDir: string
  /** Kills PostgreSQL with -9, all of it, and starts it again on what it left. */
  readonly killDatabase: () => Promise<void>
  /** Runs a command of the program; what it printed, and its exit code. */
  readonly command: (...args: readonly string[]) => Promise<{ readonly code: number; readonly output: string }>
}

/** A service that may be killed and started again under the same address. */
export interface RunningService {
  readonly url: string
  /** Ends it with -9, at whatever it is doing. */
  readonly kill: () => Promise<void>
  /** Starts it again; it answers when this resolves. */
  readonly restart: () => Promise<void>
  /** Tells it to stop, as a supervisor does; its exit code. */
  readonly stop: () => Promise<number | null>
}

/** How a service is started otherwise than the others. */
export interface ServiceSettings {
  /** Environment variables. */
  readonly environment?: Readonly<Record<string, string>>
  /** Another build of the program. */
  readonly program?: string
}

/** Gives a cluster to a function, and takes all of it down afterwards. */
export async function cluster<Outcome>(
  use: (cluster: Cluster) => Promise<Outcome>,
  prepare: (folder: string) => Promise<() => Promise<void>> = async () => async () => undefined
): Promise<Outcome> {
  const dataDir = await mkdtemp(join(tmpdir(), 'momentum-faults-'))
  const undo = await prepare(dataDir)
  // The account that root lends the server has to pass through.
  await chmod(dataDir, 0o755)
  const port = await freePort()
  // By TCP, since the folder of the socket is another one after each start.
  // Little of the log is kept ahead, so that a small disk is enough.
  const settings = { listen_addresses: '127.0.0.1', port: String(port), min_wal_size: '32MB', max_wal_size: '96MB' }
  const start = () =>
    startEmbeddedServer({ dataDir, log: () => undefined, sharedFolder: join(dataDir, 'shared'), settings })
  let server = await start()
  const databaseUrl = urlOf(server, port)
  const children: ChildProcess[] = []
  const environment = { ...process.env, DATABASE_URL: databaseUrl, LOG_LEVEL: 'silent' }
  try {
    return await use({
      databaseUrl,
      dataDir,
      startService: settings => startService(environment, children, settings),
      postmaster: () => readPostmaster(dataDir),
      killDatabase: async () => {
        process.kill(await readPostmaster(dataDir), 'SIGKILL')
        server = await start()
      },
      command: async (...args) =>
        run(process.execPath, [main, ...args], { env: environment, maxBuffer: 2 ** 26 }).then(
          ({ stdout }) => ({ code: 0, output: stdout }),
          error => ({ code: error.code, output: `${error.stdout}${error.stderr}` })
        )
    })
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await server.stop()
    await undo()
    await rm(dataDir, { recursive: true, force: true })
  }
}

function urlOf({ connection }: EmbeddedServer, port: number): string {
  const { user, password, database } = connection
  return `postgres://${user}:${password}@127.0.0.1:${port}/${database}`
}

async function startService(
  environment: NodeJS.ProcessEnv,
  children: ChildProcess[],
  { environment: changes = {}, program = main }: ServiceSettings = {}
): Promise<RunningService> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const settings = { PORT: String(port), BOOTSTRAP_KEY: credential.key, BOOTSTRAP_SECRET: credential.secret }
  let child: ChildProcess | null = null
  const restart = async () => {
    child = spawn(process.execPath, [program], {
      env: { ...environment, ...settings, ...changes },
      stdio: ['ignore', 'ignore', 'inherit']
    })
    children.push(child)
    await untilReady(url, child)
  }
  await restart()
  return {
    url,
    restart,
    kill: async () => {
      const ended = child === null || child.exitCode !== null ? null : once(child, 'exit')
      child?.kill('SIGKILL')
      await ended
    },
    stop: async () => {
      if (child === null || child.exitCode !== null) return child?.exitCode ?? null
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const [code] = await ended
      return code
    }
  }
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    const isReady = await fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false
    )
    if (isReady) return
    if (child.exitCode !== null) throw new Error(`A service ended with ${child.exitCode} before it was ready`)
    await sleep(50)
  }
}

/** The process of the postmaster; when it is killed its backends notice and end by themselves. */
async function readPostmaster(dataDir: string): Promise<number> {
  const [pid = ''] = (await readFile(join(dataDir, 'postgres/data/postmaster.pid'), 'utf8')).split('\n')
  return Number(pid)
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  server.close()
  await once(server, 'close')
  return port
}
