import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../../database/schema.js'
import { guardFor, leastShownOf } from '../disclosure/guard.js'
import type { Population } from '../population.js'
import type { MetricAsker } from '../resolve-query.js'
import type { Interval, Period } from '../window.js'
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
  const days = { from: previousStart(window.from, interval), to: window.to }
  const active = activeDays(request, days)
  return askJourney<LifecycleCounts>(db, request, {
    periods: window.periods,
    days: { ...days, from: source === 'events' ? '-infinity' : days.from },
    expressions: population => [active.expressions, learnerStates(request, interval, { active, population })],
    placed: sql`learner_state`,
    answer: states
  })
}

function previousStart(day: string, interval: Interval): string {
  return addUnits(startOfUnit(day, interval), interval, -1)
}

/** The expression `learner_state`: how many learners of P are in which state by period, null for none; each is told once. */
function learnerStates(
  { window }: JourneyRequest,
  interval: Interval,
  { active, population }: { readonly active: ActiveDays; readonly population: Population }
): RawBuilder<unknown> {
  const starts = ofPeriod(window.periods.map(({ from }) => from))
  const ends = ofPeriod(window.periods.map(({ to }) => to))
  const isBefore = active.hasDay(ofPeriod(window.periods.map(({ from }) => previousStart(from, interval))), starts)
  const { stretches } = population
  const isNow = stretches === null ? active.hasDay(starts, ends) : sql`is_now`
  return sql`
    learner_state as materialized (
      select ordinal, state, count(*) as learners
      from (
        select ordinal, case
          when ${isNow} then case
            when ${isBefore} then 'returning'
            when ${active.wasActiveBefore(starts)} then 'resurrecting'
            else 'new' end
          when ${isBefore} then 'dormant' end as state
        from ${stretches === null ? sql`population` : activeOn(stretches, active)}
        left join active_learner using (person_id)
      ) as learner
      group by ordinal, state
    )`
}

/** SQL for a day of each period, looked up in a list: joining the periods to 255,509 learners took as long as all else. */
function ofPeriod(days: readonly string[]): RawBuilder<string> {
  return sql<string>`(${days}::date[])[ordinal]`
}

/** Whether the learners of P were active on a day that counts. */
function activeOn(stretches: RawBuilder<unknown>, active: ActiveDays): RawBuilder<unknown> {
  return sql`(
    select ordinal, person_id, bool_or(${active.hasDay(sql`since`, sql`until`)}) as is_now
    from ${stretches} left join active_learner using (person_id)
    group by ordinal, person_id) as population`
}

const sum = (condition: RawBuilder<unknown>) => sql`coalesce(sum(learners) filter (where ${condition}), 0)::integer`

/** One row per period, in order, also for those in which P is empty. */
const states: RawBuilder<unknown> = sql`
  select ${sum(sql`true`)} as population,
    ${sum(sql`state <> 'dormant'`)} as active,
    ${sum(sql`state = 'new'`)} as new,
    ${sum(sql`state = 'returning'`)} as "returning",
    ${sum(sql`state = 'resurrecting'`)} as resurrecting,
    ${sum(sql`state = 'dormant'`)} as dormant
  from period left join learner_state using (ordinal)
  group by ordinal order by ordinal`

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
