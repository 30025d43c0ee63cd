import { type RawBuilder, sql } from 'kysely'
import { numberOfDays } from '../rollup/learner-weeks.js'
import { isActiveDay } from './activity.js'
import { mondaysOf, numberOfUnits } from './learner-weeks.js'
import type { Counting, FromWeeks, MeasureRequest } from './metric.js'
import { addDays, daysBetween } from './window.js'

interface Days {
  readonly from: string
  readonly to: string
}

interface CalendarUnit {
  /** The longest stretch that stands for a unit where it has no whole one. */
  readonly longestDays: number
  /** SQL for the number of the unit that a day lies in: whole, and one more for each unit. */
  numberOf(day: RawBuilder<unknown>): RawBuilder<number>
  /** The first day of the unit that a day lies in, and that of the next unit. */
  startOf(day: string): string
  next(start: string): string
}

const units: Readonly<Record<'week' | 'month', CalendarUnit>> = {
  // The first day of the calendar is a Monday.
  week: {
    longestDays: 7,
    numberOf: day => sql<number>`((${day} - date '0001-01-01') / 7)`,
    startOf: day => addDays(day, -(daysBetween('0001-01-01', day) % 7)),
    next: start => addDays(start, 7)
  },
  month: {
    longestDays: 31,
    numberOf: day => sql<number>`(date_part('year', ${day}) * 12 + date_part('month', ${day}))::integer`,
    startOf: day => `${day.slice(0, 8)}01`,
    next: start => `${addDays(start, 31).slice(0, 8)}01`
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
 */
export function wholeUnits(
  unit: 'week' | 'month',
  { today, periods, membership }: Pick<MeasureRequest, 'today' | 'periods' | 'membership'>
): Counting {
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
    // With `at_event` two stretches of a learner may share a week, which is one all the same.
    fromWeeks: unit === 'week' && membership !== 'at_event' ? weeksAtOnce(today) : unitByUnit(unit, today, periods),
    x: sql`case when ${count} > 0 then coalesce(whole_units, 0)
      when ${isShort} then (learner.person_id is not null)::integer else 0 end`,
    y: sql`1`,
    per: sql`case when ${count} > 0 then ${count} when ${isShort} then 1 else 0 end`
  }
}

/** Each unit is a part of its own, and the learner's parts are counted. */
function unitByUnit(unit: 'week' | 'month', today: string, periods: readonly Days[]): FromWeeks {
  const parts = (period: Days) => partsThatCount(unit, today, period)
  const most = Math.max(...periods.map(period => parts(period).length))
  return { days: sql`active`, perLearner: [sql`${numberOfUnits(most)} as whole_units`], parts }
}

/** No week is in two rows, so the whole weeks are one part, and each row's weeks are counted by themselves. */
function weeksAtOnce(today: string): FromWeeks {
  return {
    days: sql`active`,
    perLearner: [sql`sum(${numberOfDays(mondaysOf(sql`days`))}) as whole_units`],
    parts: period => {
      const weeks = partsThatCount('week', today, period)
      return weeks.slice(0, 1).map(({ from, to }) => ({ from, to: weeks.at(-1)?.to ?? to }))
    }
  }
}

/** The units that lie whole in a period and are over; the period itself where it has none and is short enough. */
function partsThatCount(unit: 'week' | 'month', today: string, period: Days): readonly Days[] {
  const whole = wholeParts(period.from, period.to < today ? period.to : today, units[unit])
  if (whole.length > 0) return whole
  return daysBetween(period.from, period.to) <= units[unit].longestDays ? [period] : []
}

/** The units that lie whole between two days. */
function wholeParts(from: string, to: string, { startOf, next }: Pick<CalendarUnit, 'startOf' | 'next'>): Days[] {
  const parts: Days[] = []
  const begun = startOf(from)
  for (let start = begun < from ? next(begun) : begun; next(start) <= to; start = next(start)) {
    parts.push({ from: start, to: next(start) })
  }
  return parts
}
