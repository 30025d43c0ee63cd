import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to PostgreSQL that can be cut. */
export interface Proxy {
  /** The address of the database by this way. */
  readonly databaseUrl: string
  /** Breaks every connection off, and lets none in until it is mended. */
  readonly cut: () => number
  readonly mend: () => void
  readonly close: () => void
}

/** Opens a way to the database of an address. */
export async function openProxy(databaseUrl: string): Promise<Proxy> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  const state = { isCut: false }
  const server = createServer(socket => {
    if (state.isCut) {
      socket.destroy()
      return
    }
    const further = connect(Number(target.port), target.hostname)
    for (const [one, other] of [
      [socket, further],
      [further, socket]
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(databaseUrl)
  url.port = String((server.address() as AddressInfo).port)
  const destroyAll = () => {
    const count = sockets.size / 2
    for (const socket of sockets) socket.resetAndDestroy()
    return count
  }
  return {
    databaseUrl: String(url),
    cut: () => {
      state.isCut = true
      return destroyAll()
    },
    mend: () => {
      state.isCut = false
    },
    close: () => {
      destroyAll()
      server.close()
    }
  }
}
