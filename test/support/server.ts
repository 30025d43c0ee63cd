import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedServer } from '../../src/database/embedded-server.js'
import { migrate } from '../../src/database/migrate.js'
import { migrationsFolder, openDatabase } from '../../src/database/open.js'
import { asAdmin, type TestConnection, type TestServerAddress } from './address.js'

/** The run's server. */
export interface TestServer {
  readonly address: TestServerAddress
  stop(): Promise<void>
}

/**
 * Starts the embedded server in a folder of its own (durability off, because its data lasts as long as the run), or
 * takes the one that a URL names, and makes the migrated template that each test file clones.
 */
export async function startTestServer(url: string | null): Promise<TestServer> {
  const server =
    url === null ? await startEmbedded() : { admin: parseUrl(url), owner: parseUrl(url), stop: async () => {} }
  const template = { ...server.owner, database: `template_${crypto.randomUUID().slice(0, 8)}` }
  try {
    await asAdmin(server.admin, `create database ${template.database} owner "${template.user}"`)
    const { db } = openDatabase({ connection: template, poolSize: 1, onError: ignore })
    await migrate(db, migrationsFolder).finally(() => db.destroy())
  } catch (error) {
    await server.stop()
    throw error
  }
  return {
    address: { admin: server.admin, template },
    async stop() {
      if (url !== null) await asAdmin(server.admin, `drop database ${template.database} with (force)`)
      await server.stop()
    }
  }
}

async function startEmbedded() {
  const dataDir = await mkdtemp(join(tmpdir(), 'momentum-test-'))
  // The account that root lends the server has to pass through.
  await chmod(dataDir, 0o755)
  const server = await startEmbeddedServer({
    dataDir,
    log: ignore,
    sharedFolder: join(dataDir, 'shared'),
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', shared_buffers: '64MB' }
  })
  return {
    admin: server.superuser,
    owner: server.connection,
    async stop() {
      await server.stop()
      await rm(dataDir, { recursive: true, force: true })
    }
  }
}

function parseUrl(text: string): TestConnection {
  const url = new URL(text)
  return {
    host: url.searchParams.get('host') ?? decodeURIComponent(url.hostname),
    port: Number(url.searchParams.get('port') ?? (url.port || 5432)),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: url.pathname.slice(1)
  }
}

function ignore(): void {}
