import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../../database/schema.js'
import { daysOfRow } from '../../rollup/learner-weeks.js'
import { guardFor, leastShownOf } from '../disclosure/guard.js'
import type { Population } from '../population.js'
import type { MetricAsker } from '../resolve-query.js'
import { dated } from '../shares.js'
import { addDays, type Interval } from '../window.js'
import { type ActiveDays, activeDays } from './active-days.js'
import { askJourney } from './ask-journey.js'
import {
  type JourneyMeta,
  type JourneyQuery,
  type JourneyRequest,
  journeyMeta,
  type PreparedJourney,
  resolveJourney
} from './journey.js'
import { type CohortCounts, type RetentionCohort, type RetentionCurve, toCohorts, toCurve } from './retention-matrix.js'
import { addUnits, resolveUnits, startOfUnit } from './units.js'

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
  const days = { from: window.from, to: lastDay(request) }
  // A row more tells of nearly everyone whether they were active before, so that few have to be looked up.
  const active = activeDays(request, { ...days, from: addDays(days.from, -daysOfRow) })
  return askJourney<CohortCounts>(db, request, {
    periods: window.periods,
    days: { ...days, from: source === 'events' ? '-infinity' : days.from },
    expressions: population => [active.expressions, acquired(request, active, population), cells(request, active)],
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
 * Those whose first active day ever lies in the window, by the cohort in whose P they were on it. P, which has a row for
 * each learner and cohort, is read for them alone.
 */
function acquired({ window }: RetentionRequest, active: ActiveDays, population: Population): RawBuilder<unknown> {
  const { stretches, onDaysThatCount } = population
  return sql`
    first_active as materialized (
      select person_id, first_day as day, days from active_learner
      where first_day >= ${window.from}::date and first_day < ${window.to}::date
        and not ${active.wasActiveBefore(sql`${window.from}::date`)}
    ),
    acquired as materialized (
      select ordinal, person_id, day as first_day, days
      from ${dated(window, sql`first_active`)}
      ${stretches === null ? sql`join population using (ordinal, person_id)` : onDaysThatCount}
    )`
}

/** Of each cohort and period, the learners whose period has closed and those of them who were retained. */
function cells(request: RetentionRequest, active: ActiveDays): RawBuilder<unknown> {
  const { window, type, count } = request
  const tomorrow = sql`${window.today}::date + 1`
  const { begins, ends } = nthPeriod(request)
  const isEligible = sql`ends < ${tomorrow}`
  const isRetained = active.hasDay(sql`begins`, type === 'unbounded' ? sql`greatest(ends, ${tomorrow})` : sql`ends`)
  return sql`
    cell as (
      select ordinal, nth, count(*)::integer as size, count(*) filter (where ${isEligible})::integer as eligible,
        count(*) filter (where ${isEligible} and ${isRetained})::integer as retained
      from (
        select ordinal, nth, days, ${begins} as begins, ${ends} as ends
        from acquired cross join generate_series(0, ${count}::integer - 1) as nth
      ) as learner
      group by ordinal, nth
    )`
}

/** SQL for the days of the nth period, half-open: in the calendar from the cohort's unit, or from the learner's first day. */
function nthPeriod({ window, type, unit, count }: RetentionRequest) {
  if (type === 'rolling') {
    const after = (nth: RawBuilder<unknown>) => sql`(first_day + make_interval(${sql.raw(`${unit}s`)} => ${nth}))::date`
    return { begins: after(sql`nth`), ends: after(sql`nth + 1`) }
  }
  const first = startOfUnit(window.from, unit)
  const starts = Array.from({ length: window.periods.length + count }, (_, at) => addUnits(first, unit, at))
  return { begins: sql`(${starts}::date[])[ordinal + nth]`, ends: sql`(${starts}::date[])[ordinal + nth + 1]` }
}

/** One row per cohort, in order: its size, and for each period how many are eligible and how many were retained. */
function counted({ count }: RetentionRequest): RawBuilder<unknown> {
  return sql`
    select period.ordinal, coalesce(max(size), 0) as size,
      jsonb_agg(coalesce(eligible, 0) order by nth) as eligible, jsonb_agg(coalesce(retained, 0) order by nth) as retained
    from period cross join generate_series(0, ${count}::integer - 1) as nth left join cell using (ordinal, nth)
    group by period.ordinal order by period.ordinal`
}
