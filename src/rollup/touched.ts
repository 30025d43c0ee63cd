import { type RawBuilder, sql } from 'kysely'
import { futureTolerance } from './learner-days.js'
import { laterDays } from './session.js'

/**
 * What an event touches: an agent's day and, for who did it, a row of `learner_activity`, the steps in its module and the
 * attempts at its activity.
 */
export interface TouchedRow {
  readonly tenant_id: number
  readonly agent_id: number
  readonly day: string
  readonly module_id: number | null
  readonly activity_id: number | null
  /** Of the event: it touches the same again when its time comes. */
  readonly timestamp: string
}

/**
 * A query for all that events touch, not without repetitions: the doer's day, with the module and activity; the
 * subject's day; and the doer's day 30 minutes later, whose session the event may be part of.
 *
 * @param events a query for `tenant_id, agent_id, subject_agent_id, module_id, activity_id, timestamp, day`.
 */
export function touchedBy(events: RawBuilder<unknown>): RawBuilder<TouchedRow> {
  const later = laterDays(sql`event."timestamp"`, sql`tenant.time_zone`)
  const laterRows = later.map(day => sql`(false, event.agent_id, ${day}, null, null)`)
  return sql<TouchedRow>`
    select event.tenant_id, touched.agent_id, touched.day, touched.module_id, touched.activity_id, event."timestamp"
    from (${events}) as event
    join tenant on tenant.id = event.tenant_id
    cross join lateral (values
      (true, event.agent_id, event.day, case when event.activity_id is not null then event.module_id end,
        case when event.module_id is not null then event.activity_id end),
      (true, event.subject_agent_id, event.day, null, null),
      ${sql.join(laterRows)}
    ) as touched(is_own, agent_id, day, module_id, activity_id)
    where touched.agent_id is not null and (is_own or touched.day <> event.day)`
}

/**
 * A query for the rows of the queue that the common table expression `touched` (`agent_id, day, module_id, activity_id,
 * timestamp`) asks for: each once for now, and for a future event again for when its time comes.
 */
export const dueRows = sql`
  select agent_id, day, module_id, activity_id, null::timestamptz as due_at from touched
  union
  select agent_id, day, module_id, activity_id, "timestamp" - ${futureTolerance}::interval from touched
  where "timestamp" - ${futureTolerance}::interval > clock_timestamp()`
