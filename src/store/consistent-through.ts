import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/schema.js'

/**
 * The instant up to which every statement can be read: none that is still being written will get an earlier `stored`.
 *
 * A writer takes its transaction's id before its stamp. So each transaction that may still commit an earlier stamp is
 * in `pg_stat_activity` with an id, and began before its stamp; one without an id gets a stamp later than this query.
 *
 * @returns RFC 3339 in UTC, with microseconds.
 * @see xAPI 1.0.3 Communication 2.1.3, X-Experience-API-Consistent-Through
 */
export async function consistentThrough(db: Kysely<Database>): Promise<string> {
  const { rows } = await sql<{ instant: string }>`
    select to_char(least(statement_timestamp(), min(xact_start)) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as instant
    from pg_stat_activity
    where datname = current_database() and backend_xid is not null`.execute(db)
  return rows.map(row => row.instant).join()
}
