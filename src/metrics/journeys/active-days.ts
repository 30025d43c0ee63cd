import { type RawBuilder, sql } from 'kysely'
import { daysOfRow, rowOf } from '../../rollup/learner-weeks.js'
import { isActiveDay } from '../activity.js'
import { firstDayOf } from '../learner-weeks.js'
import { weeksOf } from '../shares.js'
import { addDays, daysBetween } from '../window.js'
import type { JourneyRequest } from './journey.js'

/** The days on which learners were active, as sets. */
export interface ActiveDays {
  /**
   * Common table expressions of which the last is `active_learner`: for each learner (`person_id`) who was active, the
   * active days as `days`, and the first of those that were read as `first_day`.
   */
  readonly expressions: RawBuilder<unknown>
  /** SQL over `days` for whether one of them lies between two, half-open; these may lie outside of what is looked at. */
  readonly hasDay: (from: RawBuilder<unknown>, to: RawBuilder<unknown>) => RawBuilder<boolean>
  /** SQL over a row of `active_learner` for whether the learner was active before a day, as far as the record goes. */
  readonly wasActiveBefore: (day: RawBuilder<unknown>) => RawBuilder<boolean>
}

/**
 * The active days of learners between two local days, half-open, and those around them in the same rows of `learner_weeks`:
 * all there are, of everyone or of the learners of a cohort.
 *
 * A set is a string with a bit for each day, the first day at its end as in an integer, and a stretch of days is a part of
 * the string. Rows of `learner_weeks` are shifted to their places in it, and so are learner-days counted from events.
 */
export function activeDays(
  request: JourneyRequest,
  { from, to }: { readonly from: string; readonly to: string }
): ActiveDays {
  const begins = rowOf(from)
  const ends = addDays(rowOf(addDays(to, -1)), daysOfRow)
  const set = sql`bit(${sql.lit(daysBetween(begins, ends))})`
  const isRollup = request.source === 'rollup'
  return {
    expressions: isRollup ? setsOfWeeks(request, { from, to, begins, set }) : setsOfDays(begins, set),
    hasDay: (from, to) => sql<boolean>`bit_count(substring(days, ${ends}::date - ${to} + 1, ${to} - ${from})) > 0`,
    wasActiveBefore: day =>
      isRollup
        ? sql<boolean>`(first_day < ${day} or ${hasEarlierRow(request, begins)})`
        : sql<boolean>`first_day < ${day}`
  }
}

function setsOfWeeks(
  request: JourneyRequest,
  {
    begins,
    set,
    ...span
  }: { readonly from: string; readonly to: string; readonly begins: string; readonly set: RawBuilder<unknown> }
): RawBuilder<unknown> {
  return sql`
    ${weeksOf(request, span)},
    active_learner as materialized (
      select person_id, bit_or(active::${set} << (begins - ${begins}::date)) as days,
        min(begins + ${firstDayOf(sql`active`)}::integer) as first_day
      from population_weeks where active <> 0 group by person_id
    )`
}

/** A day that is not looked at is shifted out of the set; for the first one all count. */
function setsOfDays(begins: string, set: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    active_learner as materialized (
      select person_id, bit_or(1::${set} << (day - ${begins}::date)) as days, min(day) as first_day
      from population_day where ${isActiveDay} group by person_id
    )`
}

/**
 * Whether a learner was active before all that was read: looked up along the key for those of whom it matters. Asked with
 * `exists` PostgreSQL may read the rows of everyone instead; of a value it can't.
 */
function hasEarlierRow({ tenantId }: JourneyRequest, begins: string): RawBuilder<boolean> {
  return sql<boolean>`(
    select true from learner_weeks as earlier
    where earlier.tenant_id = ${tenantId} and earlier.person_id = active_learner.person_id
      and earlier.begins < ${begins}::date and earlier.active <> 0
    limit 1) is true`
}
