import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { roles } from './embedded-cluster.js'
import { failure } from './embedded-failure.js'
import type { Postmaster } from './embedded-process.js'

/** How to enter a server: the socket's folder as `host`. */
export interface ServerConnection {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** The right of one service to a server, for as long as it isn't released. */
export interface Ownership {
  release(): Promise<void>
}

/** Held, in the superuser's database, by the service that a server belongs to: its connection's end frees it. */
const ownerLock = 4_107_214_002

const regainEveryMs = 500

/** The superuser's way into a server. */
export function superuserConnection(postmaster: Postmaster, password: string): ServerConnection {
  const { socketFolder, port } = postmaster
  return { host: socketFolder, port, user: roles.superuser, password, database: 'postgres' }
}

/** Connects; null when the server is just starting or ending, or its socket is gone. */
export async function tryEnter(connection: ServerConnection): Promise<pg.Client | null> {
  const client = new pg.Client({ ...connection, application_name: 'momentum-lrs owner', connectionTimeoutMillis: 5000 })
  // Without a listener the loss of the connection would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.end().catch(() => undefined)
    // Class 57 is PostgreSQL's "not now"; its other answers are about us, and the same the next time.
    if (error instanceof pg.DatabaseError && !error.code?.startsWith('57')) throw error
    return null
  }
}

/**
 * Takes the server for this process until it is released. When the connection that holds the right is lost, it is
 * taken again as soon as the server answers.
 *
 * @throws LrsError `embedded-server-failed` when another process has it.
 */
export async function takeOwnership(
  client: pg.Client,
  connection: ServerConnection,
  log: (line: string) => void
): Promise<Ownership> {
  if (!(await tryLock(client))) {
    await client.end()
    throw failure(
      'The database is in use by another running Momentum LRS: stop that one, or choose another DATA_DIR for this one'
    )
  }
  const state: Holding = { client, released: false }
  watch(state, connection, log)
  return {
    async release() {
      state.released = true
      await state.client.end().catch(() => undefined)
    }
  }
}

interface Holding {
  client: pg.Client
  released: boolean
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [ownerLock])
  return rows[0]?.taken === true
}

function watch(state: Holding, connection: ServerConnection, log: (line: string) => void): void {
  state.client.once('end', () => {
    if (state.released) return
    log('The connection that marks the embedded PostgreSQL as ours was lost; taking it again')
    regain(state, connection, log).catch((error: Error) => log(`It could not be taken again: ${error.message}`))
  })
}

async function regain(state: Holding, connection: ServerConnection, log: (line: string) => void): Promise<void> {
  while (!state.released) {
    await sleep(regainEveryMs, undefined, { ref: false })
    const client = state.released ? null : await tryEnter(connection)
    if (client === null) continue
    state.client = client
    if (!(await tryLock(client))) log('The embedded PostgreSQL is now also in use by another Momentum LRS')
    watch(state, connection, log)
    return
  }
}
