import { type RawBuilder, sql } from 'kysely'
import type { MeasureRequest } from './metric.js'
import { rowsOfCohort } from './shares.js'
import { addDays } from './window.js'

type Request = Pick<MeasureRequest, 'tenantId' | 'filter' | 'periods' | 'timeZone' | 'today'>

/**
 * A query for how many activities each learner has begun by the end of each period, or of today where that is earlier,
 * and how many of these they have completed by its end: `ordinal`, `person_id`, `pairs` and `completed`. Periods that
 * have not begun have no rows. The instants of `learner_begun` are in order, and so are counted without being read.
 *
 * `offset 0` keeps the bounds from being worked out anew for each learner: 20 conversions of zones for one number.
 */
export function begunCounts(request: Request): RawBuilder<unknown> {
  const { tenantId, filter, periods, today } = request
  const tomorrow = addDays(today, 1)
  const begun = periods.flatMap(({ from, to }, at) =>
    from <= today ? [{ ordinal: at + 1, until: to < tomorrow ? to : tomorrow, to }] : []
  )
  const everyone = sql`(select person_id, begun, completed from learner_begun where tenant_id = ${tenantId}) as learner_begun`
  const rows = filter === null ? sql`select * from ${everyone}` : rowsOfCohort(tenantId, everyone)
  const isOver = begun.every(({ until, to }) => until === to)
  const counts = sql`
    select ordinal, person_id, ${before(sql`until_at`, sql`begun`)} as pairs,
      ${before(sql`until_at`, sql`completed`)} ${isOver ? sql`` : completedLater(tenantId)} as completed
    from (${rows}) as learner_begun
    cross join (
      select ordinal, ${startOf(sql`until`, request)} as until_at, ${startOf(sql`ends`, request)} as ends_at
      from unnest(${begun.map(({ ordinal }) => ordinal)}::bigint[], ${begun.map(({ until }) => until)}::date[],
        ${begun.map(({ to }) => to)}::date[]) as given (ordinal, until, ends)
      offset 0
    ) as bound`
  // Of a cohort they are grouped, as the deeds of other metrics are: otherwise they were read anew for each learner.
  return filter === null
    ? counts
    : sql`
      select ordinal, person_id, sum(pairs) as pairs, sum(completed) as completed
      from (${counts}) as begun group by ordinal, person_id`
}

/** SQL for how many of instants in order lie before an instant. PostgreSQL's instants are whole microseconds. */
function before(instant: RawBuilder<unknown>, instants: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`width_bucket(${instant} - interval '1 microsecond', ${instants})`
}

/**
 * What was begun by the end of today and completed after it, but before the period's end. As good as nobody has any: an
 * event may lie a few minutes ahead of the clock.
 */
function completedLater(tenantId: number): RawBuilder<number> {
  return sql<number>`
    + case when ${before(sql`ends_at`, sql`completed`)} = ${before(sql`until_at`, sql`completed`)} then 0 else (
      select count(*)::integer from (
        select from learner_activity as done
        where done.tenant_id = ${tenantId} and done.person_id = learner_begun.person_id
          and (first_started_at is not null or first_completed_at is not null)
        group by activity_id
        having least(min(first_started_at), min(first_completed_at)) < until_at
          and min(first_completed_at) >= until_at and min(first_completed_at) < ends_at
      ) as later) end`
}

/**
 * SQL for the instant at which a day begins in the zone. Where clocks go back over midnight, it comes twice, and
 * PostgreSQL gives the second: the first is told by the day before, whose offset still holds.
 */
function startOf(day: RawBuilder<unknown>, { timeZone }: Pick<Request, 'timeZone'>): RawBuilder<unknown> {
  const midnight = sql`(${day}::timestamp at time zone ${timeZone})`
  const dayBefore = sql`(${midnight} - interval '1 day')`
  const offset = sql`((${dayBefore} at time zone ${timeZone}) - (${dayBefore} at time zone 'UTC'))`
  const first = sql`((${day}::timestamp - ${offset}) at time zone 'UTC')`
  return sql`case when (${first} at time zone ${timeZone})::date = ${day} then least(${first}, ${midnight}) else ${midnight} end`
}
