import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../../database/schema.js'
import { firstDayOf, learnersOfWeeks } from '../learner-weeks.js'
import type { Population } from '../population.js'
import { weeksOf } from '../shares.js'
import { addDays } from '../window.js'
import { askJourney } from './ask-journey.js'
import type { JourneyState } from './journey.js'
import { daysOf } from './steps.js'
import { countedDays, firstAt, keptDays, type TouchRequest, touches, touchesOn } from './touches.js'

/** How the steps of a journey must follow each other. */
export const foldModes = ['ordered', 'unordered', 'strict'] as const
export type FoldMode = (typeof foldModes)[number]

/** A journey from step to step. A step that is named twice running is to be touched again. */
export interface FoldRequest extends Omit<TouchRequest, 'days'> {
  readonly windowDays: number
  readonly mode: FoldMode
}

/** How many learners reached a step, and how long it took them, in seconds; null where nobody did. */
export interface StepCount {
  readonly position: number
  readonly n: number
  readonly medianFromFirst: number | null
  readonly p90FromFirst: number | null
  readonly medianFromPrevious: number | null
  readonly p90FromPrevious: number | null
}

interface StepRow extends StepCount {
  readonly population: number
  readonly immature: number
}

/** What the fold of a window found. */
export interface Folded {
  /** One for each step, in order; only learners whose bracket has closed. */
  readonly steps: readonly StepCount[]
  /** The learners of P of whom it is known how far they came. */
  readonly eligible: number
  /** The learners who entered and whose bracket is still open. */
  readonly immature: number
  readonly state: JourneyState
}

/**
 * Follows each learner of P from step to step: the days of the first step are found, then all touches of each bracket, and
 * for each step these are joined with those who came so far.
 *
 * A learner enters with the first touch of the first step in the window; the bracket is that local day and the
 * `windowDays` after it, and may reach past the window's end. As with returns, it does not matter whether the learner
 * still belongs to the cohort by then. Asking anew for each learner and step took 24 to 69 s where this takes one.
 */
export async function foldSteps(db: Kysely<Database>, request: FoldRequest): Promise<Folded> {
  const { window, steps, windowDays } = request
  const asked: AskedFold = { ...request, days: { from: window.from, to: addDays(window.to, windowDays) } }
  const { rows, state } = await askJourney<StepRow>(db, request, {
    periods: [window],
    days: asked.days,
    expressions: population => [
      ...(request.source === 'rollup'
        ? [enteredByWeeks(asked, population), keptDays(asked, bracket(asked, sql`entered_on`))]
        : [countedDays(asked), enteredByTouches(asked, population)]),
      entered,
      ...steps.slice(1).map((_, at) => reached(asked, at + 2))
    ],
    answer: sql`${sql.join(
      steps.map((_, at) => counted(at + 1)),
      sql` union all `
    )} order by position`
  })
  const [{ population, immature }] = rows as [StepRow]
  return { steps: rows.map(withoutPopulation), eligible: population - immature, immature, state }
}

type AskedFold = FoldRequest & TouchRequest

/** Those who came to a step, as the step after it needs them; steps are counted from 1. */
const table = (step: number) => sql.ref(`reached_${step}`)

/**
 * SQL for whether a row is of someone in P, which is made a hash that rows are sifted by: P is guessed to be one row, and
 * joined it was gone through for each of 300 learners.
 */
const isOfP = sql`(person_id in (select person_id from population)) is true`

/** The expression `entered_day`: the day on which each learner entered, from the sets of days of the first step. */
function enteredByWeeks(request: AskedFold, population: Population): RawBuilder<unknown> {
  const { window, steps } = request
  const days = daysOf(steps[0] ?? '')
  const fromWeeks = { days, perLearner: [sql`min(begins + ${firstDayOf(sql`days`)}::integer) as entered_on`] }
  return sql`
    ${weeksOf(request, window)},
    ${learnersOfWeeks({ periods: [window], fromWeeks, population, isDeedOfPeriod: false })},
    entered_day as materialized (
      select person_id, entered_on, ${isClosed(request)} as is_closed from learner where ${isOfP}
    )`
}

/**
 * The same from the touches themselves. `offset 0` keeps the days on which learners belong to P from being joined before
 * the touches are found: each would be compared with every day.
 */
function enteredByTouches(request: AskedFold, { onDaysThatCount }: Population): RawBuilder<unknown> {
  const { from, to } = request.window
  return sql`
    entered_day as materialized (
      select person_id, entered_on, ${isClosed(request)} as is_closed
      from (
        select person_id, min(day) as entered_on
        from (
          select ordinal, person_id, day from touch_day cross join period
          where ${isOfP} and ${firstAt(1)} is not null and day >= ${from}::date and day < ${to}::date offset 0
        ) as dated ${onDaysThatCount}
        group by person_id
      ) as entry
    )`
}

function isClosed({ window, windowDays }: AskedFold): RawBuilder<boolean> {
  return sql<boolean>`entered_on + ${windowDays}::integer < ${window.today}::date`
}

/** SQL for days of a learner's bracket, to stand behind `between`: those since another step, or all if in any order. */
function bracket({ window, windowDays, mode }: AskedFold, since: RawBuilder<unknown>): RawBuilder<unknown> {
  const from = mode === 'unordered' ? sql`greatest(${window.from}::date, entered_on - ${windowDays}::integer)` : since
  return sql`${from} and entered_on + ${windowDays}::integer`
}

/** The first step, of those whose bracket has closed. */
const entered: RawBuilder<unknown> = sql`
  reached_1 as materialized (
    select person_id, ${firstAt(1)} as entered_at, entered_on, ${firstAt(1)} as previous_at, entered_on as previous_on,
      ${firstAt(1)} as reached_at, entered_on as reached_on
    from entered_day join touch_day using (person_id)
    where is_closed and day = entered_on
  )`

function reached(request: AskedFold, step: number): RawBuilder<unknown> {
  const { window, mode } = request
  const next = sql`
    select person_id, entered_at, entered_on, previous_at, previous_on, reached_at,
      (reached_at at time zone ${window.timeZone})::date as reached_on
    from (
      select before.person_id, entered_at, entered_on, reached_at as previous_at, reached_on as previous_on,
        ${nextTouch(request, step)} as reached_at
      from ${table(step - 1)} as before join touch_day using (person_id)
      where ${firstAt(step)} is not null and day between ${bracket(request, sql`before.reached_on`)}
      group by before.person_id, entered_at, entered_on, reached_at, reached_on
    ) as next
    where reached_at is not null`
  const others = othersOf(request, step)
  if (mode !== 'strict' || others.length === 0) return sql`${table(step)} as materialized (${next})`
  return sql`${table(step)} as materialized (
    select next.* from (${next}) as next join touch_day using (person_id)
    where day between previous_on and reached_on
    group by person_id, entered_at, entered_on, previous_at, previous_on, reached_at, reached_on
    having not bool_or(${sql.join(
      others.map(other => liesBetween(request, other)),
      sql` or `
    )}))`
}

/**
 * The instant at which a learner, of `before`, reaches the step. The first touch of a day serves unless it came too
 * early on the very day of the step before; then the others of that day are looked up, once for such a learner.
 */
function nextTouch(request: AskedFold, step: number): RawBuilder<unknown> {
  const first = firstAt(step)
  if (request.mode === 'unordered') return sql`greatest(before.reached_at, min(${first}))`
  const others = touchesOn(request, step, { person: sql`before.person_id`, day: sql`touch_day.day` })
  const isAgain = request.steps[step - 2] === request.steps[step - 1]
  const serves = isAgain ? sql`day > before.reached_on` : sql`${first} >= before.reached_at`
  const later = isAgain
    ? sql`${others} order by event."timestamp" offset 1 limit 1`
    : sql`${others} and event."timestamp" >= before.reached_at order by event."timestamp" limit 1`
  return sql`min(case when ${serves} then ${first} when ${touches(step)} > 1 then (${later}) end)`
}

/** The steps of which none may lie between a step and the one before it. */
function othersOf({ steps }: AskedFold, step: number): readonly number[] {
  return steps.map((_, at) => at + 1).filter(other => other !== step && other !== step - 1)
}

/** Whether on a day another step was touched after the step before and before the one that was reached. */
function liesBetween(request: AskedFold, other: number): RawBuilder<boolean> {
  const first = firstAt(other)
  const onDay = touchesOn(request, other, { person: sql`next.person_id`, day: sql`touch_day.day` })
  return sql<boolean>`(${first} is not null and case
    when day > previous_on or ${first} > previous_at then ${first} < reached_at
    when ${touches(other)} > 1 then exists (
      ${onDay} and event."timestamp" > next.previous_at and event."timestamp" < next.reached_at)
    else false end)`
}

function counted(step: number): RawBuilder<unknown> {
  const seconds = (since: RawBuilder<unknown>) => sql`extract(epoch from reached_at - ${since})::float8`
  const at = (share: number, since: RawBuilder<unknown>) =>
    sql`percentile_cont(${sql.lit(share)}::float8) within group (order by ${seconds(since)})`
  const entry = sql`entered_at`
  const previous = sql`previous_at`
  return sql`
    select ${sql.lit(step)}::integer as position, count(*)::integer as n,
      ${at(0.5, entry)} as "medianFromFirst", ${at(0.9, entry)} as "p90FromFirst",
      ${at(0.5, previous)} as "medianFromPrevious", ${at(0.9, previous)} as "p90FromPrevious",
      (select count(*) from population)::integer as population,
      (select count(*) from entered_day where not is_closed)::integer as immature
    from ${table(step)}`
}

function withoutPopulation({ population: _, immature: __, ...count }: StepRow): StepCount {
  return count
}
