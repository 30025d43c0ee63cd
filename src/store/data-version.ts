import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'

/**
 * Notes that what metrics are made from has changed: the roster, saved cohorts, assignments, what is derived, or how.
 *
 * **The last statement of the transaction**: from here until the commit whoever changes something of the same tenant
 * waits, and since a transaction that has all other locks waits for nothing but this one, in the order of the tenants,
 * nobody waits in a circle. A rehearsal does without.
 *
 * @see docs/decisions/0026-answers-are-told-apart-by-a-data-version.md
 */
export async function raiseDataVersions(trx: Transaction<Database>, tenantIds: Iterable<number>): Promise<void> {
  const changed = [...new Set(tenantIds)]
  if (changed.length === 0) return
  await sql`
    insert into data_version (tenant_id, version, raised_at)
    select tenant_id, 1, clock_timestamp() from unnest(${changed}::integer[]) as tenant_id order by tenant_id
    on conflict (tenant_id) do update set version = data_version.version + 1, raised_at = clock_timestamp()`.execute(
    trx
  )
}

/**
 * Notes that a tenant's roster, the persons on it or its saved cohorts have changed, and with them the data: the last
 * statement of the transaction, as `raiseDataVersions` is.
 *
 * @see docs/decisions/0029-groups-that-differ-by-few.md
 */
export async function raiseRosterVersion(trx: Transaction<Database>, tenantId: number): Promise<void> {
  await sql`
    insert into data_version (tenant_id, version, raised_at, roster_version)
    values (${tenantId}, 1, clock_timestamp(), 1)
    on conflict (tenant_id) do update set version = data_version.version + 1, raised_at = clock_timestamp(),
      roster_version = data_version.roster_version + 1`.execute(trx)
}

/** SQL for a tenant's roster version, 0 before the first change; to be read in the same query as the roster. */
export function rosterVersion(tenantId: number): RawBuilder<number> {
  return sql<number>`coalesce((select roster_version from data_version where tenant_id = ${tenantId}), 0)`
}

/** Finds a tenant's roster version: one row by its key. */
export async function findRosterVersion(db: Kysely<Database>, tenantId: number): Promise<number> {
  const { rows } = await sql<{ version: number }>`select ${rosterVersion(tenantId)} as version`.execute(db)
  return rows.reduce((_, { version }) => version, 0)
}

/**
 * SQL for a tenant's data version, 0 before the first change. It must be read in the same query as the answer, to be of
 * the same snapshot: two answers of one version are made from the same rollups, roster, cohorts and assignments.
 */
export function dataVersion(tenantId: number): RawBuilder<number> {
  return sql<number>`coalesce((select version from data_version where tenant_id = ${tenantId}), 0)`
}

/** Finds a tenant's data version: one row by its key. */
export async function findDataVersion(db: Kysely<Database>, tenantId: number): Promise<number> {
  const { rows } = await sql<{ version: number }>`select ${dataVersion(tenantId)} as version`.execute(db)
  return rows.reduce((_, { version }) => version, 0)
}
