import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { dueRows, touchedBy } from './touched.js'

/** What an event touched before it was changed or erased, or touches since. */
export interface Touched {
  /** The doer, or the subject. */
  readonly agentId: number
  /** The event's local day, `YYYY-MM-DD`, as its row has it or had it. */
  readonly day: string
  /** `learning_event.module_id` and `activity_id`; unless both are given, no row of `learner_activity` is touched. */
  readonly moduleId: number | null
  readonly activityId: number | null
  /** The instant of an event that is still to come: all is counted again then. Null for none. */
  readonly futureAt: string | null
  /**
   * The instant of the event, where it is known. The event's session may reach into a later day: with the instant that
   * day is known, without it the two that follow are enqueued too.
   */
  readonly timestamp?: string
}

/**
 * Enqueues what changed or erased events touch. Call it for what was before and what is after, in the transaction that
 * makes the change. One round trip, none for an empty list.
 */
export async function enqueueTouched(
  trx: Transaction<Database>,
  tenantId: number,
  rows: readonly Touched[]
): Promise<void> {
  if (rows.length === 0) return
  const events = sql`
    select ${tenantId}::integer as tenant_id, agent_id, null::integer as subject_agent_id, module_id, activity_id,
      "timestamp", day
    from given where "timestamp" is not null`
  await sql`
    with given as materialized (
      select * from unnest(
        ${rows.map(row => row.agentId)}::integer[],
        ${rows.map(row => row.day)}::date[],
        ${rows.map(row => row.moduleId)}::integer[],
        ${rows.map(row => row.activityId)}::integer[],
        ${rows.map(row => row.timestamp ?? row.futureAt)}::timestamptz[]
      ) as given(agent_id, day, module_id, activity_id, "timestamp")
    ),
    touched as (
      select agent_id, day, module_id, activity_id, "timestamp" from (${touchedBy(events)}) as touched
      union all
      select agent_id, day + later, case when later = 0 and activity_id is not null then module_id end,
        case when later = 0 and module_id is not null then activity_id end, null
      from given cross join generate_series(0, 2) as later where "timestamp" is null
    ),
    due as (${dueRows})
    insert into rollup_queue (tenant_id, agent_id, day, module_id, activity_id, due_at)
    select ${tenantId}::integer, agent_id, day, module_id, activity_id, coalesce(due_at, clock_timestamp())
    from due`.execute(trx)
}
