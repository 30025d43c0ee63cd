import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { futureTolerance } from './learner-days.js'

/** A learner-day that is to be counted anew, and what of it. */
export interface Touched {
  readonly agentId: number
  /** Local day, `YYYY-MM-DD`. */
  readonly day: string
  readonly moduleId: number | null
  readonly activityId: number | null
  /** The instant of an event that is still to come: the day is counted again then. Null for none. */
  readonly futureAt: string | null
}

/** Enqueues the learner-days that changed events touch: each where the event was, and where it is now. */
export async function enqueueTouched(
  trx: Transaction<Database>,
  tenantId: number,
  touched: readonly Touched[]
): Promise<void> {
  if (touched.length === 0) return
  await sql`
    with touched as materialized (
      select * from unnest(
        ${touched.map(row => row.agentId)}::integer[],
        ${touched.map(row => row.day)}::date[],
        ${touched.map(row => row.futureAt)}::timestamptz[]) as touched(agent_id, day, future_at)
    )
    insert into rollup_queue (tenant_id, agent_id, day, due_at)
    select distinct ${tenantId}::integer, agent_id, day, due_at
    from touched
    cross join lateral (
      select statement_timestamp() as due_at
      union all
      select future_at - ${futureTolerance}::interval where future_at is not null
    ) as due`.execute(trx)
}
