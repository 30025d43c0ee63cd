import { type Kysely, sql } from 'kysely'
import { toMilliseconds } from '../database/instant-text.js'
import type { Database } from '../database/schema.js'
import { raiseDataVersions } from '../store/data-version.js'
import { transact } from '../store/transact.js'

/** A row of the queue that is tried no more. */
export interface ParkedRow {
  readonly id: number
  readonly tenant: string
  /** What it names: `agent 12 on 2026-03-02`, or `statement …`, a voided one. */
  readonly names: string
  readonly attempts: number
  /** RFC 3339 in UTC. */
  readonly enqueuedAt: string
  readonly parkedAt: string
  /** The SQLSTATE and message of the last failure. */
  readonly lastError: string
}

const isoText = (column: string) => toMilliseconds(sql.ref(column))

/** Lists the parked rows of a tenant, or of all (null), oldest first. */
export async function listParkedRows(db: Kysely<Database>, tenantId: number | null): Promise<readonly ParkedRow[]> {
  const { rows } = await sql<ParkedRow>`
    select rollup_queue.id, tenant.name as tenant, attempts, last_error as "lastError",
      ${isoText('enqueued_at')} as "enqueuedAt", ${isoText('parked_at')} as "parkedAt",
      case when voided_statement_id is not null then 'statement ' || voided_statement_id
        when agent_id is not null then 'agent ' || agent_id || ' on ' || day
        else 'person ' || person_id || ' on ' || day end
        || coalesce(', activity ' || activity_id || ' of module ' || module_id, '') as names
    from rollup_queue join tenant on tenant.id = rollup_queue.tenant_id
    where parked_at is not null and attempts > 0 and (${tenantId}::integer is null or tenant.id = ${tenantId})
    order by rollup_queue.id`.execute(db)
  return rows
}

/**
 * Has the parked rows of a tenant, or of all (null), tried again at once. They count as due since they were enqueued:
 * for so long what they name has not been counted.
 *
 * @returns how many they are.
 */
export async function retryParkedRows(db: Kysely<Database>, tenantId: number | null): Promise<number> {
  return transact(db, async trx => {
    const { rows } = await sql<{ tenant_id: number }>`
    update rollup_queue set parked_at = null, attempts = 0, due_at = enqueued_at
    where parked_at is not null and attempts > 0
      and (${tenantId}::integer is null or tenant_id = ${tenantId})
    returning tenant_id`.execute(trx)
    // Answers warn of them no more.
    await raiseDataVersions(
      trx,
      rows.map(({ tenant_id }) => tenant_id)
    )
    return rows.length
  })
}
