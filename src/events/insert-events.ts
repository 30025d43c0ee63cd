import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { type EventNumbers, type EventOfStatement, eventColumns, eventRows } from './event-rows.js'

/** Learning events, and the version of the mapping that they were read by. */
export interface MappedEvents {
  readonly version: number
  readonly events: readonly EventOfStatement[]
}

/** The mapping by which events were read is not the newest any more: read them again, by the newest. */
export class StaleMapping extends Error {
  override readonly name = 'StaleMapping'
}

/**
 * Writes the learning events of stored statements, each on the tenant's local day of its statement's timestamp.
 *
 * One round trip, for an empty list too: that a statement stands for nothing also follows from the mapping. The
 * transaction must have entered the tenant's gate of writers, as `insertStatements` does, by a statement before this
 * one: a derivation, which begins alone in the gate, then finds either a transaction that has ended or one that sees
 * the newest mapping and time zone.
 *
 * @throws {StaleMapping} when the mapping has a newer version; the transaction has to be rolled back then.
 */
export async function insertEvents(
  trx: Transaction<Database>,
  tenantId: number,
  { version, events }: MappedEvents,
  numbers: EventNumbers
): Promise<void> {
  const columns = sql.join(['tenant_id', 'statement_seq', 'day', ...eventColumns].map(column => sql.ref(column)))
  const { rows } = await sql<{ isNewest: boolean }>`
    with newest as materialized (
      select coalesce(max(version), 0) = ${version} as "isNewest" from event_mapping where tenant_id = ${tenantId}
    ),
    inserted as (
      insert into learning_event (${columns})
      select ${columns} from (${eventRows(tenantId, events, numbers)}) as event
      where (select "isNewest" from newest)
    )
    select "isNewest" from newest`.execute(trx)
  if (!rows.every(({ isNewest }) => isNewest)) throw new StaleMapping(`Version ${version} is not the newest`)
}
