import { type RawBuilder, sql } from 'kysely'
import { isActiveDay } from './activity.js'
import type { Counting } from './metric.js'

interface CalendarUnit {
  /** The longest stretch that stands for a unit where it has no whole one. */
  readonly longestDays: number
  /** SQL for the number of the unit that a day lies in: whole, and one more for each unit. */
  numberOf(day: RawBuilder<unknown>): RawBuilder<number>
}

const units: Readonly<Record<'week' | 'month', CalendarUnit>> = {
  // The first day of the calendar is a Monday.
  week: { longestDays: 7, numberOf: day => sql<number>`((${day} - date '0001-01-01') / 7)` },
  month: {
    longestDays: 31,
    numberOf: day => sql<number>`(extract(year from ${day}) * 12 + extract(month from ${day}))::integer`
  }
}

/**
 * Counts the learners active in a calendar unit, as a mean over the units that lie whole in the period and are over.
 *
 * A unit that is running counts only where there is no other: it would pull the mean down for want of days. A period
 * without a whole unit stands for one itself while it is short enough, so that the running week has an answer, which
 * `partial` marks; a longer one has none.
 *
 * @param unit an ISO week, from Monday, or a calendar month.
 * @param today the local day that is not over yet.
 */
export function wholeUnits(unit: 'week' | 'month', today: string): Counting {
  const { longestDays, numberOf } = units[unit]
  const first = sql`${numberOf(sql`(starts - 1)`)} + 1`
  const end = numberOf(sql`least(ends, ${today}::date)`)
  const count = sql`(${end} - (${first}))`
  const isShort = sql`ends - starts <= ${sql.lit(longestDays)}`
  return {
    deeds: sql`select person_id, day from population_day where ${isActiveDay}`,
    perLearner: [
      sql`count(distinct ${numberOf(sql`day`)})
        filter (where ${numberOf(sql`day`)} >= ${first} and ${numberOf(sql`day`)} < ${end}) as whole_units`
    ],
    x: sql`case when ${count} > 0 then coalesce(whole_units, 0)
      when ${isShort} then (learner.person_id is not null)::integer else 0 end`,
    y: sql`1`,
    per: sql`case when ${count} > 0 then ${count} when ${isShort} then 1 else 0 end`
  }
}
