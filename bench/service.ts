import { randomUUID } from 'node:crypto'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import type pg from 'pg'
import { pino } from 'pino'
import { buildApp } from '../src/app.js'
import { readConfig } from '../src/config.js'
import { startEmbeddedServer } from '../src/database/embedded-server.js'
import { migrate } from '../src/database/migrate.js'
import { migrationsFolder, openDatabase } from '../src/database/open.js'
import type { Database } from '../src/database/schema.js'
import { operatorScopes } from '../src/http/scopes.js'
import { makeAnswerMemory } from '../src/metrics/answer-memory.js'
import { createCredential } from '../src/store/credential.js'
import { ensureTenant } from '../src/store/tenant.js'

/** The service over an embedded PostgreSQL that keeps every promise of durability, in this process. */
export interface BenchService {
  readonly db: Kysely<Database>
  readonly pool: pg.Pool
  readonly tenantId: number
  readonly url: string
  /** What every request under `/xapi` needs. */
  readonly headers: Readonly<Record<string, string>>
  readonly stop: () => Promise<void>
}

/** The authority of statements that are stored without a request. */
export const authority = '{"objectType":"Agent","account":{"homePage":"https://bench.example","name":"bench"}}'

/** What a bench wants otherwise than the service has it by itself. */
interface BenchOptions {
  /** As environment variables. */
  readonly settings?: Readonly<Record<string, string>>
  readonly now?: () => Date
}

const secret = 'a secret of the bench alone'

/**
 * Starts the service on a throw-away database, or on the one in the folder BENCH_DATA_DIR, which is kept: what takes long
 * to fill can be measured again.
 */
export async function startBenchService({
  settings = {},
  now = () => new Date()
}: BenchOptions = {}): Promise<BenchService> {
  const kept = process.env.BENCH_DATA_DIR
  const dataDir = kept ?? (await mkdtemp(join(tmpdir(), 'momentum-bench-')))
  await mkdir(dataDir, { recursive: true })
  await chmod(dataDir, 0o755)
  const server = await startEmbeddedServer({ dataDir, log: () => undefined, sharedFolder: join(dataDir, 'shared') })
  const { db, pool } = openDatabase({ connection: server.connection, poolSize: 10, onError: () => undefined })
  await migrate(db, migrationsFolder)
  const { id: tenantId } = await ensureTenant(db, 'bench', 'UTC')
  const config = readConfig(settings)
  const app = await buildApp({
    context: {
      db,
      config,
      memory: config.answerMemorySize === 0 ? undefined : makeAnswerMemory(config.answerMemorySize),
      now,
      makeId: randomUUID,
      program: '0.0.0',
      wakeWorker: () => undefined,
      workerCounts: () => ({ batches: 0, rows: 0, errors: 0 }),
      poolCounts: () => ({ total: 0, idle: 0, waiting: 0 })
    },
    logger: pino({ level: 'silent' }),
    version: '0.0.0'
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    db,
    pool,
    tenantId,
    url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    headers: await credentialHeaders(db, tenantId),
    stop: async () => {
      await app.close()
      await db.destroy()
      await server.stop()
      if (kept === undefined) await rm(dataDir, { recursive: true, force: true })
    }
  }
}

/** Makes a credential of a tenant's operator, or of a manager who may see their own line: what its requests need. */
export async function credentialHeaders(
  db: Kysely<Database>,
  tenantId: number,
  manager?: string
): Promise<Readonly<Record<string, string>>> {
  const key = randomUUID()
  const reach =
    manager === undefined ? { scopes: operatorScopes } : { scopes: ['line/read'] as const, personId: manager }
  await createCredential(db, { tenantId, name: 'bench', key, secret, ...reach })
  return {
    authorization: `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`,
    'x-experience-api-version': '1.0.3',
    'content-type': 'application/json'
  }
}

/** Leaves the tables as autovacuum would in time. */
export async function vacuum(pool: pg.Pool): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('set statement_timeout = 0')
    await client.query('vacuum (analyze)')
  } finally {
    client.release(true)
  }
}
