import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../../database/schema.js'
import { isActiveDay } from '../activity.js'
import { guardFor, leastShownOf } from '../disclosure/guard.js'
import type { MetricAsker } from '../resolve-query.js'
import { dated } from '../shares.js'
import type { Interval, Period } from '../window.js'
import { askJourney, firstActive } from './ask-journey.js'
import {
  type JourneyMeta,
  type JourneyQuery,
  type JourneyRequest,
  journeyMeta,
  type PreparedJourney,
  resolveJourney
} from './journey.js'
import { isSmall, noShare, type Share, shareOf } from './share.js'
import { addUnits, resolveUnits, startOfUnit } from './units.js'

/** Raised whenever the same data would give another number. */
const definitionVersion = 1

/** What a learner can be in a period, in the order of the answer. */
export const lifecycleStates = ['active', 'new', 'returning', 'resurrecting', 'dormant'] as const
export type LifecycleState = (typeof lifecycleStates)[number]

export interface LifecycleQuery extends JourneyQuery {
  readonly interval?: Interval | undefined
}

/** A period: of its target population, how many are in each state. */
export type LifecycleResult = Readonly<Record<LifecycleState, Share>> & {
  readonly period: { readonly from: string; readonly to: string }
  /** The window clips the period, or it is not over yet. */
  readonly partial: boolean
  /** |P|; null when hidden or not begun. */
  readonly population: number | null
}

export interface LifecycleAnswer {
  readonly lifecycle: 'lifecycle'
  readonly results: readonly LifecycleResult[]
  readonly meta: JourneyMeta
}

/** Learners of one period. */
export type LifecycleCounts = Readonly<Record<LifecycleState | 'population', number>>

/**
 * Where the learners of each period stand.
 *
 * A learner of P is *active* with an active day in the period. The active are *new*, when it has their first active day
 * ever; *returning*, when they were active before and in the previous unit; or *resurrecting*, when they were active
 * before and not in the previous unit: active = new + returning + resurrecting. *Dormant* are those who were active in
 * the previous unit and are not now. The previous unit is the day, ISO week or month before the period's and, where
 * the window clips the period, its days before `from`. Denominator: |P| of the period. Window: each period, in whole
 * local days of the query's time zone. Null: `empty_denominator`, `small_group`, `period_not_started`.
 *
 * @throws LrsError `invalid-parameter` as `resolveWindow` and `resolveCohort` do
 */
export async function prepareLifecycle(
  db: Kysely<Database>,
  query: LifecycleQuery,
  asker: MetricAsker
): Promise<PreparedJourney<LifecycleAnswer>> {
  const { interval = 'week' } = query
  const window = resolveUnits(query, interval, asker)
  const request = await resolveJourney(db, query, window, asker)
  return { request, complete: () => completeLifecycle(db, request, interval) }
}

async function completeLifecycle(db: Kysely<Database>, request: JourneyRequest, interval: Interval) {
  const { rows, state } = await countLifecycle(db, request, interval)
  const leastShown = leastShownOf(await guardFor(db, request), request.minGroupSize)
  const { today } = request.window
  const answer: LifecycleAnswer = {
    lifecycle: 'lifecycle',
    results: request.window.periods.map((period, at) =>
      toResult(period, rows[at] as LifecycleCounts, { today, leastShown: leastShown(at) })
    ),
    meta: journeyMeta(request, state, { options: { interval }, definitionVersion, immature: 0 })
  }
  return { answer, version: state.version }
}

/** Counts the learners of each period of the window, in order, whether or not they may be shown. */
export function countLifecycle(db: Kysely<Database>, request: JourneyRequest, interval: Interval) {
  const { window, source } = request
  return askJourney<LifecycleCounts>(db, request, {
    periods: window.periods,
    days: { from: source === 'events' ? '-infinity' : previousStart(window.from, interval), to: window.to },
    expressions: onDaysThatCount => expressions(request, interval, onDaysThatCount),
    answer: states
  })
}

function previousStart(day: string, interval: Interval): string {
  return addUnits(startOfUnit(day, interval), interval, -1)
}

/**
 * Each part is materialized, for it is not to be counted anew for every learner that it is joined to. `offset 0` keeps the
 * days on which learners belong to P from being joined to the calendar before the deeds are.
 */
function expressions(
  request: JourneyRequest,
  interval: Interval,
  onDaysThatCount: RawBuilder<unknown>
): readonly RawBuilder<unknown>[] {
  const previous = request.window.periods.map(({ from }) => previousStart(from, interval))
  return [
    firstActive(request),
    sql`previous_day as (
      select ordinal, begins + nth as day
      from period join unnest(${previous}::date[]) with ordinality as previous (begins, ordinal) using (ordinal)
      cross join generate_series(0, starts - begins - 1) as nth
    )`,
    sql`active_day as materialized (select person_id, day from population_day where ${isActiveDay})`,
    sql`active_now as materialized (
      select distinct ordinal, person_id
      from ${dated(request.window, sql`active_day`)} ${onDaysThatCount}
    )`,
    sql`active_before as materialized (
      select distinct ordinal, person_id from active_day join previous_day using (day)
    )`
  ]
}

const isNow = sql`active_now.person_id is not null`
const isBefore = sql`active_before.person_id is not null`
const count = (condition: RawBuilder<unknown>) => sql`count(*) filter (where ${condition})::integer`

/** One row per period, in order, also for those in which P is empty. */
const states: RawBuilder<unknown> = sql`
  select coalesce(population, 0) as population, coalesce(active, 0) as active, coalesce(new, 0) as new,
    coalesce("returning", 0) as "returning", coalesce(resurrecting, 0) as resurrecting, coalesce(dormant, 0) as dormant
  from period left join (
    select ordinal, count(*)::integer as population,
      ${count(isNow)} as active,
      ${count(sql`${isNow} and first_day >= starts`)} as new,
      ${count(sql`${isNow} and first_day < starts and ${isBefore}`)} as "returning",
      ${count(sql`${isNow} and first_day < starts and not ${isBefore}`)} as resurrecting,
      ${count(sql`not ${isNow} and ${isBefore}`)} as dormant
    from population
    join period using (ordinal)
    left join active_now using (ordinal, person_id)
    left join active_before using (ordinal, person_id)
    left join first_active using (person_id)
    group by ordinal
  ) as counted using (ordinal)
  order by ordinal`

function toResult(
  { from, to, partial }: Period,
  row: LifecycleCounts,
  { today, leastShown }: { readonly today: string; readonly leastShown: number }
): LifecycleResult {
  const frame = { period: { from, to }, partial }
  const all = (share: (state: LifecycleState) => Share) =>
    Object.fromEntries(lifecycleStates.map(state => [state, share(state)])) as Record<LifecycleState, Share>
  if (from > today) return { ...frame, population: null, ...all(() => noShare('period_not_started')) }
  if (isSmall(row.population, leastShown)) return { ...frame, population: null, ...all(() => noShare('small_group')) }
  return { ...frame, population: row.population, ...all(state => shareOf(row[state], row.population)) }
}
