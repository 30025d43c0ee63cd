import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerConnection } from './embedded-ownership.js'
import { type EmbeddedServer, type EmbeddedServerOptions, startEmbeddedServer } from './embedded-server.js'

/** An embedded server that is started again when it ends by itself. */
export interface SupervisedServer {
  readonly connection: ServerConnection
  /** Ends the watch, and the server. */
  readonly stop: () => Promise<void>
}

/** How often it is looked whether the server still runs: a file and a process table. */
const lookMs = 500

/**
 * Starts the embedded server, and again whenever its first process has ended, be it for a lack of memory or by a hand:
 * nobody else would.
 *
 * @param onMoved hears where the new one is to be entered, for the folder of its socket is another one.
 * @throws LrsError `embedded-server-failed` when the first start fails; of the later ones each is logged and tried again.
 */
export async function superviseEmbeddedServer(
  options: EmbeddedServerOptions,
  onMoved: (connection: ServerConnection) => void
): Promise<SupervisedServer> {
  let server: EmbeddedServer = await startEmbeddedServer(options)
  const stopped = new AbortController()
  const { connection } = server
  const look = async () => {
    if (!(await server.hasEnded())) return
    options.log('The embedded PostgreSQL has ended by itself; it is started again')
    await server.stop()
    server = await startEmbeddedServer(options)
    onMoved(server.connection)
  }
  const watch = async () => {
    while (!stopped.signal.aborted) {
      await sleep(lookMs, null, { signal: stopped.signal }).catch(() => undefined)
      if (stopped.signal.aborted) return
      await look().catch(error => options.log(`The embedded PostgreSQL could not be started again: ${error.message}`))
    }
  }
  const watching = watch()
  return {
    connection,
    stop: async () => {
      stopped.abort()
      await watching
      await server.stop()
    }
  }
}
