import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import type { Kysely } from 'kysely'
import type { Database } from '../../src/database/schema.js'
import type { Source } from '../../src/metrics/consistency.js'
import { type Dimension, dimensionNames } from '../../src/metrics/dimension.js'
import { measure } from '../../src/metrics/measure.js'
import type { Metric, MetricOptions } from '../../src/metrics/metric.js'
import { isMember, managerOf, rowOn, tenureBandOf } from './naive-members.js'
import { dateOf, type Person, type Question, questions, type Stretch, seedWorld, type World, worlds } from './world.js'

/** Somebody in P, as a naive metric sees them. */
export interface NaiveLearner {
  /** The person's position in the world. */
  readonly at: number
  /** The positions of everybody in P. */
  readonly population: ReadonlySet<number>
  /** Everything that the person ever did, whichever period it was in. */
  readonly days: Person['days']
  /** The days of the period on which their deeds count. */
  readonly countedDays: readonly number[]
  /** What the roster says on the days that place them in P. */
  readonly rows: readonly Stretch[]
  /** Their manager's name on each of these days; nobody is their own. */
  readonly managers: readonly (string | null)[]
}

/** When a naive metric is asked for; days are whole numbers, periods half-open. */
export interface NaiveMoment {
  readonly from: number
  readonly to: number
  readonly today: number
}

/** What one learner adds. */
export interface NaiveShare {
  readonly x: number
  readonly y: number
  readonly isImmature?: boolean
}

/** A metric, counted once more: one learner after another, without SQL. */
export interface NaiveMetric<Options, Known extends World = World> {
  readonly options: fc.Arbitrary<Options>
  /** What is asked, where the usual questions are too short for the metric. */
  readonly questions?: fc.Arbitrary<Question>
  /** Where, when the metric counts what is rare in the usual worlds. */
  readonly worlds?: fc.Arbitrary<World>
  /** The worlds that it is compared in, and how one is written; those of learner-days when absent. */
  readonly stage?: Stage<Known>
  share(learner: NaiveLearner, moment: NaiveMoment, options: Options, world: Known): NaiveShare
}

/** Worlds of one sort, which all sources of learner-days know. */
export interface Stage<Known extends World> {
  readonly worlds: fc.Arbitrary<Known>
  readonly sources: readonly Source[]
  seed(db: Kysely<Database>, world: Known): Promise<number>
}

const learnerDayStage: Stage<World> = { worlds, sources: ['rollup'], seed: seedWorld }

export interface Sum {
  readonly period: number
  readonly dimensions: readonly (string | null)[]
  readonly population: number
  readonly n: number
  readonly sumX: number
  readonly sumY: number
  readonly immature: number
}

export const breakdowns = fc.oneof(
  fc.constant<readonly Dimension[]>([]),
  fc.shuffledSubarray([...dimensionNames], { maxLength: 2 })
)

/**
 * Compares a metric, in random worlds, with the naive one: every period, breakdown, filter and membership.
 *
 * @throws with the smallest world in which they differ.
 */
export async function agree<Options extends MetricOptions, Known extends World = World>(
  db: Kysely<Database>,
  metric: Metric<Options>,
  naive: NaiveMetric<Options, Known>,
  runs = 150
): Promise<void> {
  // A naive metric that names no stage knows no more of a world than its learner-days.
  const stage = naive.stage ?? (learnerDayStage as unknown as Stage<Known>)
  const seeded = (naive.worlds as fc.Arbitrary<Known> | undefined) ?? stage.worlds
  const asked = fc.record({
    question: naive.questions ?? questions,
    breakdown: breakdowns,
    source: fc.constantFrom(...stage.sources)
  })
  await fc.assert(
    fc.asyncProperty(seeded, asked, naive.options, async (world, { question, breakdown, source }, options) => {
      const tenantId = await stage.seed(db, world)
      const periods = question.periods.map(({ from, days }) => ({ from: dateOf(from), to: dateOf(from + days) }))
      const { cells } = await measure(db, metric, {
        tenantId,
        timeZone: 'UTC',
        source,
        periods,
        window: periods[0] ?? { from: dateOf(0), to: dateOf(1) },
        filter: question.filter,
        membership: question.membership,
        breakdown,
        module: null,
        today: dateOf(question.today),
        asOf: new Date(`${dateOf(question.today)}T10:00:00Z`),
        options
      })
      const found = cells.map(({ period, dimensions, population, n, sumX, sumY, immature }) => ({
        ...{ period, dimensions, population, n, sumX, sumY, immature }
      }))
      const isCount = metric.calculation === 'count'
      const expected = naiveSums(world, question, breakdown, (learner, moment) => {
        const share = naive.share(learner, moment, options, world)
        return { ...share, isCounted: isCount || share.y !== 0 }
      })
      deepStrictEqual(inOrder(found), inOrder(expected))
    }),
    { numRuns: runs }
  )
}

function inOrder(sums: readonly Sum[]): readonly Sum[] {
  const keyOf = ({ period, dimensions }: Sum) => JSON.stringify([period, dimensions])
  return [...sums].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

/** The sums of each period and group. */
export function naiveSums(
  world: World,
  question: Question,
  breakdown: readonly Dimension[],
  share: (learner: NaiveLearner, moment: NaiveMoment) => NaiveShare & { readonly isCounted: boolean }
): readonly Sum[] {
  return question.periods.flatMap(({ from, days }, period) => {
    const moment = { from, to: from + days, today: question.today }
    const groups = new Map<string, Sum>()
    const learners = placed(world, question, moment, breakdown)
    const population = new Set(learners.map(({ learner }) => learner.at))
    for (const { key, learner } of learners) {
      const added = share({ ...learner, population }, moment)
      groups.set(key, plus(groups.get(key) ?? noSum(period, JSON.parse(key)), added))
    }
    return groups.size === 0
      ? [
          noSum(
            period,
            breakdown.map(() => null)
          )
        ]
      : [...groups.values()]
  })
}

function plus(sum: Sum, { x, y, isImmature, isCounted }: NaiveShare & { readonly isCounted: boolean }): Sum {
  const counted = isCounted ? { n: sum.n + 1, sumX: sum.sumX + x, sumY: sum.sumY + y } : {}
  return { ...sum, ...counted, population: sum.population + 1, immature: sum.immature + (isImmature ? 1 : 0) }
}

const noSum = (period: number, dimensions: readonly (string | null)[]): Sum => ({
  period,
  dimensions,
  population: 0,
  n: 0,
  sumX: 0,
  sumY: 0,
  immature: 0
})

/** Everybody in P, once for each combination of values that the breakdown finds them under. */
export function placed(
  world: World,
  { filter, membership, today }: Question,
  { from, to }: NaiveMoment,
  breakdown: readonly Dimension[]
) {
  const periodDays = Array.from({ length: to - from }, (_, nth) => from + nth)
  const momentsOf = { at_window_start: [from], current: [today], at_event: periodDays }
  return world.people.flatMap((person, at) => {
    const groups = new Map<string, { days: number[]; rows: Stretch[]; managers: (string | null)[] }>()
    for (const day of momentsOf[membership]) {
      const row = rowOn(world, at, day)
      if (row === null || !isMember(world, { at, day, tenureAt: to }, filter)) continue
      for (const values of combinations(
        breakdown.map(name => (name === 'manager' ? [managerOf(world, at, day)] : valuesOf(row, name, to)))
      )) {
        const key = JSON.stringify(values)
        const group = groups.get(key) ?? { days: [], rows: [], managers: [] }
        group.days.push(day)
        group.rows.push(row)
        group.managers.push(managerOf(world, at, day))
        groups.set(key, group)
      }
    }
    return [...groups].map(([key, { days, ...held }]) => ({
      key,
      learner: { ...held, at, days: person.days, countedDays: membership === 'at_event' ? days : periodDays }
    }))
  })
}

function valuesOf(
  row: Stretch,
  dimension: Exclude<Dimension, 'manager'>,
  tenureAt: number
): readonly (string | null)[] {
  if (dimension === 'cohort') return row.cohorts.length === 0 ? [null] : row.cohorts
  if (dimension === 'tenureBand') return [tenureBandOf(row.hired ?? null, tenureAt)]
  return [row[dimension] ?? null]
}

function combinations(lists: readonly (readonly (string | null)[])[]): readonly (readonly (string | null)[])[] {
  return lists.reduce<readonly (readonly (string | null)[])[]>(
    (tuples, values) => tuples.flatMap(tuple => values.map(value => [...tuple, value])),
    [[]]
  )
}
