import { readFile, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { homeOf, roles } from './embedded-cluster.js'
import { failure, hasCode } from './embedded-failure.js'
import type { ServerConnection } from './embedded-ownership.js'
import { findPostmaster } from './embedded-process.js'

/**
 * Finds the embedded server of a folder that runs already, for a command beside the service: nothing is started, made
 * or taken over.
 *
 * @returns the way in for the service's own role; null when no server runs there.
 * @throws LrsError `embedded-server-failed` when this user may not read the server's password.
 */
export async function findRunningServer(dataDir: string): Promise<ServerConnection | null> {
  const home = homeOf(resolve(dataDir))
  const path = await realpath(home.path).catch(() => home.path)
  const postmaster = await findPostmaster({ ...home, path, data: join(path, 'data') })
  if (postmaster?.status !== 'ready') return null
  try {
    const password = (await readFile(join(path, `${roles.service}.password`), 'utf8')).trim()
    return {
      host: postmaster.socketFolder,
      port: postmaster.port,
      user: roles.service,
      password,
      database: roles.service
    }
  } catch (error) {
    if (!hasCode(error, 'EACCES')) throw error
    throw failure(`${path} is closed to this user: run the command as the user that the service runs as`)
  }
}
