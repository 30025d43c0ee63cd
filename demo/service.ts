import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** A running Momentum LRS and a credential for it. */
export interface Service {
  readonly url: string
  readonly key: string
  readonly secret: string
  /** Whether the demo started it, so that the demo must stop it. */
  readonly ownedByDemo: boolean
  /** Stops it and removes its data, if the demo started it; does nothing otherwise. */
  stop(): Promise<void>
}

const startTimeoutMs = 120_000
const stopTimeoutMs = 40_000

/**
 * The service at `MOMENTUM_URL`, if it is ready and `MOMENTUM_KEY` and `MOMENTUM_SECRET` are given.
 *
 * @returns null when there is none, or no credential for it
 */
export async function findService(environment: NodeJS.ProcessEnv): Promise<Service | null> {
  const url = (environment.MOMENTUM_URL ?? 'http://127.0.0.1:8080').replace(/\/+$/, '')
  const { MOMENTUM_KEY: key = '', MOMENTUM_SECRET: secret = '' } = environment
  if (key === '' || secret === '' || !(await isReady(url))) return null
  return { url, key, secret, ownedByDemo: false, stop: async () => {} }
}

/**
 * Starts the program on a throw-away data directory and a free port, and waits until it is ready.
 *
 * @throws {Error} with what the program wrote to standard error, if it ends or isn't ready in two minutes
 */
export async function startService(timeZone: string, signal: AbortSignal): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), 'momentum-demo-'))
  // Started as root, the embedded server runs under another account, which must be able to pass through to its data.
  await chmod(folder, 0o711)
  const port = await freePort()
  const credential = { key: `demo-${randomBytes(6).toString('hex')}`, secret: randomBytes(24).toString('base64url') }
  const child = spawnProgram({
    DATA_DIR: join(folder, 'data'),
    HOST: '127.0.0.1',
    PORT: String(port),
    BOOTSTRAP_KEY: credential.key,
    BOOTSTRAP_SECRET: credential.secret,
    LOG_LEVEL: 'warn',
    TENANT_TIME_ZONE: timeZone
  })
  const stop = async () => {
    await end(child)
    await rm(folder, { recursive: true, force: true })
  }
  const service = { url: `http://127.0.0.1:${port}`, ...credential, ownedByDemo: true, stop }
  try {
    await untilReady(service.url, child, signal)
    return service
  } catch (error) {
    await stop()
    throw error
  }
}

function spawnProgram(settings: Readonly<Record<string, string>>): ChildProcess {
  // Whoever has DATABASE_URL set must not find the demo's statements there; the program falls back to its own server.
  const environment = { ...process.env, ...settings, DATABASE_URL: '' }
  // In a process group of its own, so that Ctrl-C reaches the demo alone, which then stops the service in order.
  const child = spawn(process.execPath, [fileURLToPath(new URL('../main.js', import.meta.url))], {
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true
  })
  process.once('exit', () => child.kill('SIGTERM'))
  return child
}

async function untilReady(url: string, child: ChildProcess, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + startTimeoutMs
  while (!(await isReady(url))) {
    if (hasEnded(child)) throw new Error('The service ended before it was ready; its messages are above')
    if (Date.now() > deadline) throw new Error(`The service was not ready within ${startTimeoutMs / 1000} s`)
    await delay(100, undefined, { signal })
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2000) })
    await response.arrayBuffer()
    return response.status === 200
  } catch {
    return false
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  await ended
  clearTimeout(timer)
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('There is no free port on 127.0.0.1')
  return address.port
}
