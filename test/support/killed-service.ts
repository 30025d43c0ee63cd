import { startEmbeddedServer } from '../../src/database/embedded-server.js'

// A service for tests to kill: starts the server on the folder it is told, says so, and stays.

const [dataDir = '', sharedFolder = ''] = process.argv.slice(2)
const server = await startEmbeddedServer({ dataDir, sharedFolder, log: () => undefined, settings: { fsync: 'off' } })
process.stdout.write(`${JSON.stringify(server.superuser)}\n`)
setInterval(() => undefined, 60_000)
