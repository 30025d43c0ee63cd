import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import { dataVersion } from '../store/data-version.js'
import type { Source } from './consistency.js'

/** What an answer is made from, and when it was asked for. */
export interface AnswerOf {
  readonly tenantId: number
  readonly source: Source
  readonly asOf: Date
}

/**
 * SQL for the data version that an answer can be told by; null when it has none. It must be read in the same query as
 * the answer, to be of the same snapshot. Two answers to one query on one local day that have the same are equal, but
 * for their `asOf`, `consistentThrough` and how far a derivation has come.
 *
 * From the rollups it is the tenant's data version. Events come without raising it, but each with a row of the queue,
 * and the recomputation that takes that row raises it; an event whose time comes waits there for it as well. So an
 * answer from events is told by the same version, but only while no row is due, and nothing was raised after `asOf`:
 * otherwise an event whose time has come since may be in the version, but not in the answer. Due by the database's clock
 * as well: what is stored between `asOf`, a whole millisecond, and the reading is in the answer.
 */
export function answerVersion({ tenantId, source, asOf }: AnswerOf): RawBuilder<number | null> {
  if (source === 'rollup') return dataVersion(tenantId)
  return sql<number | null>`case
    when exists (select from rollup_queue where tenant_id = ${tenantId}
      and (attempts > 0 or due_at <= greatest(clock_timestamp(), ${asOf.toISOString()}::timestamptz))) then null
    when exists (select from data_version
      where tenant_id = ${tenantId} and raised_at > ${asOf.toISOString()}::timestamptz) then null
    else ${dataVersion(tenantId)} end`
}

/** Finds the version that an answer would be told by if it were made now; null when it would have none. */
export async function findAnswerVersion(db: Kysely<Database>, of: AnswerOf): Promise<number | null> {
  const { rows } = await sql<{ version: number | null }>`select ${answerVersion(of)} as version`.execute(db)
  return rows.reduce<number | null>((_, { version }) => version, null)
}
