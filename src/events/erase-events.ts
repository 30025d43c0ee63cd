import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'

/** What an event counted for: somebody's day, and one of their activities. */
export interface ErasedTouch {
  readonly agentId: number
  readonly day: string
  readonly moduleId: number | null
  readonly activityId: number | null
  readonly futureAt: null
  /** The event's instant. */
  readonly timestamp: string
}

/**
 * Deletes the learning events of statements.
 *
 * @returns how many there were, and what they counted for, the doers' and the subjects'.
 */
export async function eraseEvents(
  trx: Transaction<Database>,
  tenantId: number,
  seqs: readonly number[]
): Promise<{ readonly learningEvents: number; readonly touched: readonly ErasedTouch[] }> {
  const { rows } = await sql<{ count: number; touched: readonly ErasedTouch[] }>`
    with gone as (
      delete from learning_event where tenant_id = ${tenantId} and statement_seq = any(${seqs}::bigint[])
      returning agent_id, subject_agent_id, day, module_id, activity_id, "timestamp"
    )
    select (select count(*)::integer from gone) as count, coalesce(json_agg(touched), '[]') as touched
    from (
      select distinct agent as "agentId", day, module_id as "moduleId", activity_id as "activityId",
        null as "futureAt", "timestamp"
      from gone, unnest(array[agent_id, subject_agent_id]) as agent
      where agent is not null
    ) as touched`.execute(trx)
  return {
    learningEvents: rows.reduce((sum, { count }) => sum + count, 0),
    touched: rows.flatMap(({ touched }) => touched)
  }
}
