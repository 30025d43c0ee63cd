import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../../database/schema.js'
import { isActiveDay } from '../activity.js'
import { guardFor, leastShownOf } from '../disclosure/guard.js'
import type { MetricAsker } from '../resolve-query.js'
import { addDays, type Interval } from '../window.js'
import { askJourney, firstActive } from './ask-journey.js'
import {
  type JourneyMeta,
  type JourneyQuery,
  type JourneyRequest,
  journeyMeta,
  type PreparedJourney,
  resolveJourney
} from './journey.js'
import { type CohortCounts, type RetentionCohort, type RetentionCurve, toCohorts, toCurve } from './retention-matrix.js'
import { addUnits, resolveUnits } from './units.js'

/** Raised whenever the same data would give another number. */
const definitionVersion = 1

/** How a period of a cohort is cut, and what makes a learner retained in it. */
export const retentionTypes = ['bracket', 'unbounded', 'rolling'] as const
export type RetentionType = (typeof retentionTypes)[number]

export const defaultPeriods = 12
export const mostPeriods = 24

export interface RetentionQuery extends JourneyQuery {
  readonly type?: RetentionType | undefined
  readonly unit?: Interval | undefined
  /** How many periods of each cohort, with the one in which it began. */
  readonly periods?: number | undefined
}

export interface RetentionAnswer extends RetentionCurve {
  readonly retention: 'retention'
  readonly results: readonly RetentionCohort[]
  readonly meta: JourneyMeta
}

/** Everything that decides what is counted. */
export interface RetentionRequest extends JourneyRequest {
  readonly type: RetentionType
  readonly unit: Interval
  readonly count: number
}

/**
 * How many of those who became active in each unit of the window were active in the units after it.
 *
 * A learner's cohort is the day, ISO week or month of their first active day ever, which has to lie in the window; they
 * count when they are in P of that unit. Period 0 is the cohort's own unit. *Bracket*: active in the nth unit of the
 * calendar after it. *Unbounded*: in that or any later one up to `asOf`. *Rolling*: in the nth unit counted from the
 * learner's own first day. Numerator: learners retained. Denominator, `eligible`: learners of the cohort whose nth unit
 * has closed, that is whose last day is over at `asOf`. Null: `bracket_open` when it can have closed for nobody,
 * `empty_denominator`, `small_group`.
 *
 * @throws LrsError `invalid-parameter` as `resolveWindow` and `resolveCohort` do
 */
export async function prepareRetention(
  db: Kysely<Database>,
  query: RetentionQuery,
  asker: MetricAsker
): Promise<PreparedJourney<RetentionAnswer>> {
  const { type = 'bracket', unit = 'week', periods: count = defaultPeriods } = query
  const window = resolveUnits(query, unit, asker)
  const request = { ...(await resolveJourney(db, query, window, asker)), type, unit, count }
  return { request, complete: () => completeRetention(db, request) }
}

async function completeRetention(db: Kysely<Database>, request: RetentionRequest) {
  const { type, unit, count } = request
  const { rows, state } = await countRetention(db, request)
  const leastShown = leastShownOf(await guardFor(db, request), request.minGroupSize)
  const results = toCohorts(rows, { ...request, leastShown })
  const answer: RetentionAnswer = {
    retention: 'retention',
    results,
    ...toCurve(results),
    meta: journeyMeta(request, state, { options: { type, unit, periods: count }, definitionVersion, immature: 0 })
  }
  return { answer, version: state.version }
}

/** Counts the learners of each cohort of the window, in order, whether or not they may be shown. */
export function countRetention(db: Kysely<Database>, request: RetentionRequest) {
  const { window, source } = request
  return askJourney<CohortCounts>(db, request, {
    periods: window.periods,
    days: { from: source === 'events' ? '-infinity' : window.from, to: lastDay(request) },
    expressions: onDaysThatCount => expressions(request, onDaysThatCount),
    answer: counted(request)
  })
}

/** Nothing later than today is of interest, nor, but for `unbounded`, what lies behind the last period. */
function lastDay({ window, type, unit, count }: RetentionRequest): string {
  const tomorrow = addDays(window.today, 1)
  const reach = addUnits(window.to, unit, count)
  const least = type === 'unbounded' || tomorrow < reach ? tomorrow : reach
  // The rows of excluded events are those of the window.
  return least < window.to ? window.to : least
}

/**
 * Each learner is folded into one row: a bit for each period they were active in, the last such period, and how many
 * have closed. As the day of the asking lies in the first that is open, its number is how many have.
 */
function expressions(request: RetentionRequest, onDaysThatCount: RawBuilder<unknown>): readonly RawBuilder<unknown>[] {
  const { window, count } = request
  const nth = periodOf(request, sql`day`)
  return [
    firstActive(request),
    sql`acquired as materialized (
      select ordinal, person_id, day as first_day, ${periodOf(request, sql`${window.today}::date`, sql`day`)} as closed
      from (
        select population.ordinal, person_id, first_day as day
        from population join first_active using (person_id) join period using (ordinal)
        where first_day >= starts and first_day < ends offset 0
      ) as dated ${onDaysThatCount}
    )`,
    sql`retained as (
      select ordinal, person_id, closed, bit_or(case when nth < ${count}::integer then 1 << nth else 0 end) as periods,
        max(nth) as last_period
      from (
        select ordinal, person_id, closed, ${nth} as nth
        from acquired join population_day using (person_id)
        where ${isActiveDay} and day >= first_day and day <= ${window.today}::date
      ) as active
      group by ordinal, person_id, closed
    )`
  ]
}

/** SQL for the number of the period, from 0, that a local day lies in for a learner who began on `first`. */
function periodOf(
  { type, unit }: Pick<RetentionRequest, 'type' | 'unit'>,
  day: RawBuilder<unknown>,
  first: RawBuilder<unknown> = sql`first_day`
): RawBuilder<number> {
  if (unit === 'day') return sql<number>`(${day} - ${first})`
  const isRolling = type === 'rolling'
  // The first day of the year 1 was a Monday; no day that counts lies before it.
  const week = (of: RawBuilder<unknown>) => sql`((${of} - '0001-01-01'::date) / 7)`
  if (unit === 'week')
    return isRolling ? sql<number>`((${day} - ${first}) / 7)` : sql<number>`(${week(day)} - ${week(first)})`
  const month = (of: RawBuilder<unknown>) =>
    sql`(extract(year from ${of})::integer * 12 + extract(month from ${of})::integer)`
  const months = sql`(${month(day)} - ${month(first)})`
  if (!isRolling) return sql<number>`${months}`
  const isEarly = sql`${day} < (${first} + make_interval(months => ${months}))::date`
  return sql<number>`(${months} - case when ${isEarly} then 1 else 0 end)`
}

/** One row per cohort, in order: its size, and for each period how many are eligible and how many were retained. */
function counted({ type, count }: RetentionRequest): RawBuilder<unknown> {
  const isRetained = type === 'unbounded' ? sql`last_period >= nth` : sql`periods & (1 << nth) > 0`
  return sql`
    select period.ordinal, coalesce(max(size), 0) as size,
      jsonb_agg(coalesce(eligible, 0) order by nth) as eligible, jsonb_agg(coalesce(kept, 0) order by nth) as retained
    from period cross join generate_series(0, ${count}::integer - 1) as nth
    left join (
      select ordinal, nth, count(*)::integer as size, count(*) filter (where nth < closed)::integer as eligible,
        count(*) filter (where nth < closed and ${isRetained})::integer as kept
      from retained cross join generate_series(0, ${count}::integer - 1) as nth
      group by ordinal, nth
    ) as cell using (ordinal, nth)
    group by period.ordinal order by period.ordinal`
}
