import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Kysely, type Logger, PostgresDialect } from 'kysely'
import pg from 'pg'
import { usePool } from './prepared-query.js'
import type { QueryDone } from './query-done.js'
import type { Database } from './schema.js'

/** Where a PostgreSQL server is and as whom to enter it: an address, or its parts (`host` may be a socket's folder). */
export type DatabaseConnection =
  | { readonly connectionString: string }
  | {
      readonly host: string
      readonly port: number
      readonly user: string
      readonly password: string
      readonly database: string
    }

/** How {@link openDatabase} connects. */
export interface OpenDatabaseOptions {
  readonly connection: DatabaseConnection
  /** The most connections that are open at the same time. */
  readonly poolSize: number
  /** Hears of a connection that broke, such as when the server restarts; the pool replaces it by itself. */
  readonly onError: (error: Error) => void
  /** Hears of each query when it is done; without it nothing is measured. */
  readonly onQuery?: (query: QueryDone) => void
}

/** How many connections are open, how many of them nobody uses, and how many requests wait for one. */
export interface PoolCounts {
  readonly total: number
  readonly idle: number
  readonly waiting: number
}

/** An open database: typed queries, and the pool under them for what Kysely can't express. */
export interface OpenedDatabase {
  /** `db.destroy()` ends the pool too. */
  readonly db: Kysely<Database>
  readonly pool: pg.Pool
}

/** Lets the connections that a pool opens from now on go elsewhere; those that are open stay where they are. */
export function moveConnections(pool: pg.Pool, connection: DatabaseConnection): void {
  Object.assign(pool.options, connection)
}

const oids = { int8: 20, date: 1082, timestamp: 1114, timestamptz: 1184 } as const
const arrayOids = { int8: 1016, date: 1182, timestamp: 1115, timestamptz: 1185 } as const

const textArrayOid: number = 1009

/** How long a new connection, or one from a full pool, is waited for. */
const connectTimeoutMs = 30_000

/** The newest migration with derived tables that this program keeps: an older program may not write any. */
const keeps = '0027'

/**
 * Every connection begins with these. The time zone and styles decide how PostgreSQL writes a date as text, which is
 * what callers get, so they don't depend on the server's own settings. The limits keep one lost query from holding
 * locks for ever: queries that may rightly take longer (a migration, a rebuild) raise them for themselves.
 */
export const sessionSettings = `
  set time zone 'UTC';
  set datestyle = 'ISO, YMD';
  set intervalstyle = 'iso_8601';
  set statement_timeout = '60s';
  set lock_timeout = '20s';
  set idle_in_transaction_session_timeout = '60s';
  set momentum.keeps = '${keeps}'`

/**
 * Opens a pool of connections; none is made before the first query.
 *
 * `bigint` comes as a number (beyond 2^53 - 1 the query fails rather than lose digits), `timestamptz`, `timestamp`,
 * `date`, `numeric` and ranges as PostgreSQL's own text in UTC. Statements are cancelled after 60 s, waits for a lock
 * after 20 s, transactions that idle after 60 s.
 */
export function openDatabase(options: OpenDatabaseOptions): OpenedDatabase {
  const pool = new pg.Pool({
    ...options.connection,
    max: options.poolSize,
    application_name: 'momentum-lrs',
    connectionTimeoutMillis: connectTimeoutMs,
    types: { getTypeParser },
    // Awaited by the pool, although its types say otherwise.
    onConnect: async client => {
      // Without a listener a lost connection ends the process. The pool listens to idle ones only, so one that breaks
      // between two queries of a transaction would be nobody's.
      client.on('error', options.onError)
      await client.query(sessionSettings)
    }
  })
  // The same news again, of idle ones.
  pool.on('error', () => undefined)
  const { onQuery } = options
  const log: Logger = ({ query, queryDurationMillis, level }) =>
    onQuery?.({ sql: query.sql, durationMs: queryDurationMillis, hasFailed: level === 'error' })
  const dialect = new PostgresDialect({ pool })
  const db = new Kysely<Database>(onQuery === undefined ? { dialect } : { dialect, log })
  usePool(db, { pool, onQuery })
  return { db, pool }
}

/**
 * The folder of the migrations: the nearest one above this module, which finds it from the sources, from the build and
 * in the container image alike.
 */
export const migrationsFolder = findFolder('migrations', dirname(fileURLToPath(import.meta.url)))

function findFolder(name: string, from: string): string {
  const folder = join(from, name)
  const parent = dirname(from)
  return existsSync(folder) || parent === from ? folder : findFolder(name, parent)
}

type Parser = (text: string) => unknown

/** Types are set per pool, because `pg.types` is shared by everything in the process that uses the driver. */
const parsers: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [oids.int8, parseInt8],
  [oids.date, asText],
  [oids.timestamp, asText],
  [oids.timestamptz, asText],
  [arrayOids.int8, arrayOf(parseInt8)],
  [arrayOids.date, arrayOf(asText)],
  [arrayOids.timestamp, arrayOf(asText)],
  [arrayOids.timestamptz, arrayOf(asText)]
])

function getTypeParser(oid: number): Parser {
  return parsers.get(oid) ?? pg.types.getTypeParser(oid)
}

function asText(text: string): string {
  return text
}

function parseInt8(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} is beyond what a number can hold`)
  return value
}

function arrayOf(parse: Parser): Parser {
  const parseTexts = pg.types.getTypeParser(textArrayOid)
  return text => (parseTexts(text) as readonly (string | null)[]).map(item => (item === null ? null : parse(item)))
}
