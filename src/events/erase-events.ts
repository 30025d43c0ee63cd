import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'

/** Somebody's day that an event counted for. */
export interface TouchedDay {
  readonly agent_id: number
  readonly day: string
}

/**
 * Deletes the learning events of statements.
 *
 * @returns how many there were, and the days that they counted for, the doers' and the subjects'.
 */
export async function eraseEvents(
  trx: Transaction<Database>,
  tenantId: number,
  seqs: readonly number[]
): Promise<{ readonly learningEvents: number; readonly touched: readonly TouchedDay[] }> {
  const { rows } = await sql<{ count: number; touched: readonly TouchedDay[] }>`
    with gone as (
      delete from learning_event where tenant_id = ${tenantId} and statement_seq = any(${seqs}::bigint[])
      returning agent_id, subject_agent_id, day
    )
    select (select count(*)::integer from gone) as count, coalesce(json_agg(touched), '[]') as touched
    from (
      select distinct agent as agent_id, day from gone, unnest(array[agent_id, subject_agent_id]) as agent
      where agent is not null
    ) as touched`.execute(trx)
  return {
    learningEvents: rows.reduce((sum, { count }) => sum + count, 0),
    touched: rows.flatMap(({ touched }) => touched)
  }
}
