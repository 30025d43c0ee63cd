import { type RawBuilder, sql } from 'kysely'
import { daysOfRow, rowsOf } from '../rollup/learner-weeks.js'
import type { FromWeeks } from './metric.js'
import { isOnly, type Population } from './population.js'
import { addDays, type Period } from './window.js'

/** What of a request is read from the sets of days. */
export interface WeeksRequest {
  /** Periods in local days, half-open. */
  readonly periods: readonly Pick<Period, 'from' | 'to'>[]
  readonly fromWeeks: FromWeeks
  readonly population: Population
  readonly isDeedOfPeriod: boolean
}

/**
 * Common table expressions behind `population_weeks`, of which the last is `learner`: the same as from learner-days, read
 * from the rows of seven weeks. Each row is met by the parts of the periods that its weeks reach into, and cut to their
 * days. `offset 0` keeps what is told of a row from being told again wherever it is read.
 */
export function learnersOfWeeks(request: WeeksRequest): RawBuilder<unknown> {
  const { fromWeeks, population, isDeedOfPeriod } = request
  const { days, columns, rowParts, perLearner } = fromWeeks
  const member = isDeedOfPeriod ? null : population.weeksThatCount
  const keys = isDeedOfPeriod ? population.keys.slice(0, 2) : population.keys
  const cut = sql`(
    select ${sql.join([sql`weeks.*`, sql`piece.ordinal`, ...keys.slice(2), sql`starts`, sql`ends`, sql`unit`])},
      ${days} & mask ${member === null ? sql`` : sql`& ${member.days}`} as days
    from population_weeks as weeks join piece using (begins) ${member === null ? sql`` : member.join}
  ) as weeks`
  const rows =
    columns === undefined
      ? sql`${cut} where days <> 0`
      : sql`(select ${sql.join([...keys, ...columns])} from ${cut} where days <> 0 offset 0) as weeks`
  return sql`
    ${pieces(request)},
    ${
      rowParts === undefined
        ? sql``
        : sql`part as (
      select ${sql.join([...keys, ...rowParts.by, ...rowParts.aggregates])} from ${rows}
      group by ${sql.join([...keys, ...rowParts.by])}
    ),`
    }
    learner as (
      select ${sql.join([...keys, ...perLearner])} from ${rowParts === undefined ? rows : sql`part`}
      group by ${sql.join(keys)}
    )`
}

/** The parts of the periods by the rows that they reach into, with the days of each as a set. */
function pieces({ periods, fromWeeks: { parts } }: WeeksRequest): RawBuilder<unknown> {
  const all = periods.flatMap((period, at) =>
    (parts?.(period) ?? [period]).flatMap((part, unit) =>
      rowsOf(part).map(({ begins, days }) => ({ ordinal: at + 1, unit, begins, days }))
    )
  )
  return sql`
    piece as (
      select ordinal, starts, ends, begins, mask, unit
      from unnest(
        ${all.map(({ ordinal }) => ordinal)}::bigint[], ${all.map(({ begins }) => begins)}::date[],
        ${all.map(({ days }) => days)}::bigint[], ${all.map(({ unit }) => unit)}::integer[]
      ) as given (ordinal, begins, mask, unit)
      join period using (ordinal)
      where ${isOnly({ periods })}
    )`
}

/** SQL for whether a learner has a day in so many parts of a period, and in how many. */
export function numberOfUnits(units: number, days: RawBuilder<number> = sql<number>`days`): RawBuilder<number> {
  const isIn = sql`${days} <> 0`
  return units > daysOfRow
    ? sql<number>`count(distinct unit) filter (where ${isIn})`
    : sql<number>`bit_count(bit_or(1::bigint << unit) filter (where ${isIn})::bit(49))`
}

/**
 * SQL for columns of a row that say where its days lie among the active ones: how many of these are `before` them, and how
 * many `until` their end. The days are all the active ones of a stretch.
 */
export const stretchColumns: readonly RawBuilder<unknown>[] = [
  sql`bit_count((active & ((days & -days) - 1))::bit(49)) as before`,
  sql`bit_count((active & ((days & -days) - 1 | days))::bit(49)) as until`
]

/** SQL over these for the sum over the days, of an array that has it by the first active day, the first two, and so on. */
export function sumOverStretch(array: string): RawBuilder<number> {
  const sums = sql.ref(array)
  return sql<number>`(coalesce(${sums}[until], 0) - coalesce(${sums}[before], 0))`
}

/** SQL for the first day of a set of days of a row, as its distance from the row's first day; the set must have one. */
export function firstDayOf(days: RawBuilder<number>): RawBuilder<number> {
  return sql<number>`bit_count((((${days}) & -(${days})) - 1)::bit(49))`
}

/**
 * SQL over a row with `next_active` for the days after which, within so many days, the learner was active again: the
 * active days, moved back by one day, by two, and so on.
 */
export function followedWithin(windowDays: number): RawBuilder<number> {
  const full = sql.lit(2 ** daysOfRow - 1)
  let reached: RawBuilder<unknown> = sql`0::bigint`
  for (let back = 1; back <= windowDays; back++) {
    reached = sql`${reached} | (active >> ${sql.lit(back)}) | (next_active << ${sql.lit(daysOfRow - back)})`
  }
  return sql<number>`((${reached}) & ${full})`
}

/** What of a period is over by the end of a day, half-open; nothing where it has not begun. */
export function upTo(day: string, { from, to }: { readonly from: string; readonly to: string }) {
  const end = addDays(day, 1)
  return from < end ? [{ from, to: to < end ? to : end }] : []
}

/** SQL over a row for the set of its days before a day. */
export function daysBefore(day: string): RawBuilder<number> {
  return sql<number>`((1::bigint << least(${sql.lit(daysOfRow)}, greatest(0, ${day}::date - begins))) - 1)`
}

/** SQL over a row for the Mondays of the weeks in which a set has a day: days fall onto the three before, and again. */
export function mondaysOf(days: RawBuilder<number>): RawBuilder<number> {
  const fallen = sql`(${days} | (${days} >> 1) | (${days} >> 2) | (${days} >> 3))`
  const mondays = Array.from({ length: daysOfRow / 7 }, (_, week) => 2 ** (7 * week)).reduce((sum, bit) => sum + bit, 0)
  return sql<number>`((${fallen} | (${fallen} >> 3)) & ${sql.lit(mondays)})`
}
