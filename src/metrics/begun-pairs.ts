import { type RawBuilder, sql } from 'kysely'
import { eventDeeds } from './event-deeds.js'
import type { MeasureRequest } from './metric.js'
import { extent, isSmallCohort } from './shares.js'

type Request = Omit<MeasureRequest, 'options'>

/** Before every event that anybody has recorded. */
const dawn = '0001-01-01'

/**
 * A query for the activities that learners have begun by the end of the periods, however long ago: `person_id`,
 * `activity_id`, the local day `begun_on` of the first *started* or *completed*, and `completed_on` of the first
 * *completed*, null for none.
 *
 * The rollup has the instants of the first of each and so answers exactly; the days of another zone are those of the
 * events.
 */
export function begunPairs(request: Request): RawBuilder<unknown> {
  const { begun, begunOn, completedOn } = request.source === 'rollup' ? fromRollup(request) : fromEvents(request)
  return sql`
    select person_id, activity_id, ${begunOn} as begun_on, ${completedOn} as completed_on
    from (${begun}) as begun
    group by person_id, activity_id`
}

function fromRollup(request: Request) {
  const { tenantId, filter, timeZone } = request
  const of = (whose: RawBuilder<unknown>) => sql`
    select person_id, activity_id, first_started_at, first_completed_at
    from learner_activity
    where tenant_id = ${tenantId} and (first_started_at is not null or first_completed_at is not null) and ${whose}`
  const isSmall = isSmallCohort(tenantId)
  // As with learner-days, few learners are looked up, and of many the rows are scanned and sifted.
  const begun =
    filter === null
      ? of(sql`true`)
      : sql`
        ${of(sql`${isSmall} and person_id = any(array(select person_id from in_population))`)}
        union all
        ${of(sql`not ${isSmall} and (person_id in (select person_id from in_population)) is true`)}`
  const dayOf = (instant: RawBuilder<unknown>) => sql`(${instant} at time zone ${timeZone})::date`
  return {
    begun,
    begunOn: dayOf(sql`least(min(first_started_at), min(first_completed_at))`),
    completedOn: dayOf(sql`min(first_completed_at)`)
  }
}

function fromEvents(request: Request) {
  const sinceEver = { ...request, window: { from: dawn, to: extent(request, {}).to } }
  return {
    begun: eventDeeds(sinceEver, {
      kinds: ['started', 'completed'],
      columns: [sql`event.activity_id`, sql`event.kind`],
      where: sql`event.activity_id is not null and event.module_id is not null`
    }),
    begunOn: sql`min(day)`,
    completedOn: sql`min(day) filter (where kind = 'completed')`
  }
}
