import { type RawBuilder, sql } from 'kysely'
import type { LearnerDayCounts } from '../database/schema.js'

/** Where the counts of learner-days are taken from. */
export interface LearnerDaysRequest {
  readonly tenantId: number
  /** `rollup` reads `learner_day`, which lags by the queue; `events` counts the events anew, which is exact at once. */
  readonly source: 'rollup' | 'events'
  /** IANA zone that local days are cut in; `rollup` is right only for the tenant's own. */
  readonly timeZone: string
  /** First local day, `YYYY-MM-DD`. */
  readonly from: string
  /** The local day after the last. */
  readonly to: string
  /** The instant that decides which events still lie in the future. */
  readonly asOf: Date
}

/** One row per person and local day; `person_id` is null for an agent that belongs to no person yet. */
export interface LearnerDay extends LearnerDayCounts {
  tenant_id: number
  person_id: number | null
  day: string
}

/** How far ahead of the clock a timestamp may lie before its event waits for its time to come. */
export const futureTolerance = '5 minutes'

/** The counted columns of `learner_day`, in its order. */
export const countColumns: readonly (keyof LearnerDayCounts)[] = [
  'delivered',
  'opened',
  'completed_task',
  'repeated_session',
  'peer_feedback',
  'peer_feedback_received',
  'manager_check',
  'manager_check_received',
  'assessed',
  'completed',
  'started',
  'terminated',
  'posted',
  'replied',
  'endorsed',
  'reward_offered',
  'reward_claimed',
  'visited',
  'voided',
  'future'
]

/** A query for the learner-days of a window, to stand in parentheses or behind `with … as`. */
export function learnerDays(request: LearnerDaysRequest): RawBuilder<LearnerDay> {
  const { tenantId, source, from, to } = request
  if (source === 'events')
    return countedEvents(eventsOfWindow(request), sql`${request.asOf.toISOString()}::timestamptz`)
  return sql<LearnerDay>`
    select tenant_id, person_id, day, ${sql.join(countColumns.map(column => sql.ref(column)))}
    from learner_day
    where tenant_id = ${tenantId} and day >= ${from}::date and day < ${to}::date`
}

/**
 * Counts events by person and day.
 *
 * @param events a query for `tenant_id, person_id, day, role, kind, timestamp, is_voided`; `role` is `doer` or `subject`.
 */
export function countedEvents(events: RawBuilder<unknown>, asOf: RawBuilder<unknown>): RawBuilder<LearnerDay> {
  const live = sql`not is_voided and "timestamp" <= ${asOf} + ${futureTolerance}::interval`
  const counts = countColumns.map(column => {
    if (column === 'voided') return sql`count(*) filter (where role = 'doer' and is_voided)::integer as voided`
    if (column === 'future') {
      return sql`count(*) filter (where role = 'doer' and not is_voided and not (${live}))::integer as future`
    }
    const role = column.endsWith('_received') ? 'subject' : 'doer'
    const kind = column.replace('_received', '').replace('_', '-')
    return sql`count(*) filter (where role = ${sql.lit(role)} and kind = ${sql.lit(kind)} and ${live})::integer as ${sql.ref(column)}`
  })
  return sql<LearnerDay>`
    select tenant_id, person_id, day, ${sql.join(counts)} from (${events}) as event
    where role = 'doer' or kind in ('peer-feedback', 'manager-check') and ${live}
    group by tenant_id, person_id, day`
}

/** Looked up and never copied, so that it does not matter which of the two statements came first. */
export const isVoided = sql`exists (
  select from statement as voiding
  where voiding.tenant_id = event.tenant_id and voiding.voids = event.statement_id and voiding.voids is not null)`

/**
 * The events of a window in a zone that may not be the tenant's. `day`, which has an index, is the tenant's local day:
 * two zones' days of one instant are at most two apart.
 */
function eventsOfWindow({ tenantId, timeZone, from, to }: LearnerDaysRequest): RawBuilder<unknown> {
  const day = sql`(event."timestamp" at time zone ${timeZone})::date`
  const side = (role: 'doer' | 'subject', agent: RawBuilder<unknown>) => sql`
    select event.tenant_id, person_agent.person_id, ${day} as day, ${sql.lit(role)} as role, event.kind,
      event."timestamp", ${isVoided} as is_voided
    from learning_event as event
    left join person_agent on person_agent.tenant_id = event.tenant_id and person_agent.agent_id = ${agent}
    where event.tenant_id = ${tenantId} and ${agent} is not null
      and event.day >= ${from}::date - 2 and event.day < ${to}::date + 2
      and ${day} >= ${from}::date and ${day} < ${to}::date`
  return sql`${side('doer', sql`event.agent_id`)} union all ${side('subject', sql`event.subject_agent_id`)}`
}
