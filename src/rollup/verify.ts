import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import type { Difference } from './difference.js'
import { verifyEvents } from './verify-events.js'
import { notePending, type Snapshot, verifyPersons, verifyRollups } from './verify-rollups.js'

/** What was compared, and how many values were not what they ought to be. */
export interface Verification {
  readonly statements: number
  /** Rows of `learner_day` and `learner_activity` that are stored. */
  readonly learnerDays: number
  readonly learnerActivities: number
  readonly differences: number
  /** Differences that work explains which is still to be done: the queue's, or a derivation's. */
  readonly pending: number
}

/**
 * Compares a tenant's derived tables with a recomputation from the record: learning events with the texts of the
 * statements, learner-days and activities with the events. It sees one instant of the database, while others write, and
 * holds a part of it in memory at a time.
 *
 * @param onDifference hears of each value that is wrong; what is still pending is counted only.
 */
export async function verifyTenant(
  db: Kysely<Database>,
  tenantId: number,
  onDifference: (difference: Difference) => void
): Promise<Verification> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async trx => {
      let differences = 0
      let pending = 0
      const findings = {
        onDifference: (difference: Difference) => {
          differences += 1
          onDifference(difference)
        },
        onPending: (count: number) => {
          pending += count
        }
      }
      const { isDerived, ...snapshot } = await takeSnapshot(trx, tenantId)
      await notePending(trx, snapshot)
      const statements = await verifyEvents(trx, { tenantId, isPending: isDerived }, findings)
      await verifyPersons(trx, snapshot, findings)
      await verifyRollups(trx, snapshot, findings)
      return { statements, ...(await countRows(trx, tenantId)), differences, pending }
    })
}

/** The clock is read after the snapshot is taken, so that a worker's clock that the snapshot knows of was earlier. */
async function takeSnapshot(
  trx: Transaction<Database>,
  tenantId: number
): Promise<Snapshot & { readonly isDerived: boolean }> {
  const { rows } = await sql<{ rebuiltTo: number | null; isDerived: boolean; asOf: string }>`
    select min(person_position) as "rebuiltTo", coalesce(bool_or(phase = 'events'), false) as "isDerived",
      clock_timestamp()::text as "asOf"
    from derivation where tenant_id = ${tenantId} and phase <> 'done'`.execute(trx)
  return { tenantId, rebuiltTo: null, isDerived: false, asOf: '', ...rows[0] }
}

async function countRows(trx: Transaction<Database>, tenantId: number) {
  const { rows } = await sql<{ learnerDays: number; learnerActivities: number }>`
    select (select count(*) from learner_day where tenant_id = ${tenantId}) as "learnerDays",
      (select count(*) from learner_activity where tenant_id = ${tenantId}) as "learnerActivities"`.execute(trx)
  return { learnerDays: 0, learnerActivities: 0, ...rows[0] }
}
