import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { defaultOptions } from '../metrics/default-options.js'
import { findMetric } from '../metrics/find-metric.js'
import {
  findLearnerAmounts,
  findLearnerNames,
  groupByPerson,
  type LearnerAmount,
  type LearnerName
} from '../metrics/learner-values.js'
import type { Snapshot } from '../metrics/measurement.js'
import type { MeasureRequest, MetricOptions } from '../metrics/metric.js'
import type { ScoreWindow } from './score.js'

/** Somebody in P of a period, at one combination of the values of the breakdown. */
export type Learner = LearnerName & Pick<LearnerAmount, 'dimensions'>

/** The same, with where their values are. */
export interface MeasuredLearner extends Learner, Pick<LearnerAmount, 'person'> {
  /** Where the learner stands among those of the period, of whatever metric. */
  readonly place: number
}

/** The values of several metrics, of every learner and period. */
export interface LearnerMetrics<Id extends string> {
  /** P of a period, in the order in which the roster came to know them. */
  learnersOf(period: ScoreWindow): readonly MeasuredLearner[]
  /**
   * What learners have of a metric in a period; null for nothing. Who was found under other values of the breakdown then,
   * in another role, is still the same learner.
   */
  valuesOf(id: Id, period: ScoreWindow): (learner: MeasuredLearner) => number | null
  readonly snapshot: Snapshot
}

type Request = Omit<MeasureRequest<MetricOptions>, 'options'>

/**
 * Reads several metrics, each with its own default options, in one round trip for each metric and one for the names, however
 * many learners and periods there are. A period may be given twice.
 *
 * @param db on one snapshot
 */
export async function readLearnerMetrics<Id extends string>(
  db: Kysely<Database>,
  ids: readonly [Id, ...Id[]],
  request: Request
): Promise<LearnerMetrics<Id>> {
  const periods = [...new Map(request.periods.map(period => [keyOfPeriod(period), period])).values()]
  const positions = new Map(periods.map((period, at) => [keyOfPeriod(period), at]))
  const read = async (id: Id) => {
    const metric = findMetric(id)
    const asked = { ...request, periods, options: defaultOptions(metric) }
    const { amounts, snapshot } = await findLearnerAmounts(db, metric, asked)
    return { columns: toColumns(amounts, periods.length), snapshot }
  }
  const [first, ...others] = ids
  const { columns, snapshot } = await read(first)
  const found = new Map([[first, columns]])
  // One after another: a snapshot has one connection.
  for (const id of others) found.set(id, (await read(id)).columns)
  const persons = new Set(columns.flatMap(({ amounts }) => amounts.map(({ person }) => person)))
  const names = await findLearnerNames(db, request, [...persons])
  const learners = columns.map(({ amounts }) => once(() => toLearners(amounts, names)))
  const positionOf = (period: ScoreWindow) => positions.get(keyOfPeriod(period)) ?? -1
  return {
    learnersOf: period => learners[positionOf(period)]?.() ?? [],
    valuesOf: (id, period) => {
      const column = found.get(id)?.[positionOf(period)]
      return learner => column?.find(learner)?.value ?? null
    },
    snapshot
  }
}

function toLearners(
  amounts: readonly LearnerAmount[],
  names: ReadonlyMap<number, LearnerName>
): readonly MeasuredLearner[] {
  return amounts.flatMap(({ person, dimensions }, place) => {
    const named = names.get(person)
    return named === undefined ? [] : { person, personId: named.personId, name: named.name, dimensions, place }
  })
}

/** What the learners of one period have of a metric. */
interface Column {
  readonly amounts: readonly LearnerAmount[]
  /** What a learner has who was found with whatever metric, of this period or another. */
  readonly find: (learner: MeasuredLearner) => LearnerAmount | undefined
}

function toColumns(amounts: readonly LearnerAmount[], count: number): readonly Column[] {
  const periods = Array.from({ length: count }, (): LearnerAmount[] => [])
  for (const amount of amounts) periods[amount.period]?.push(amount)
  return periods.map(toColumn)
}

/**
 * The metrics of a period have the same learners in the same order, so that who stands at one's place is nearly always the
 * one: to look each of 20,000 up took longer than to count some of the metrics.
 */
function toColumn(amounts: readonly LearnerAmount[]): Column {
  const byPerson = once(() => groupByPerson(amounts))
  return {
    amounts,
    find: learner => {
      const here = amounts[learner.place]
      if (here !== undefined && isSame(here, learner)) return here
      const own = byPerson().get(learner.person)
      return own?.find(amount => isSame(amount, learner)) ?? own?.at(-1)
    }
  }
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function isSame(one: Pick<LearnerAmount, 'person' | 'dimensions'>, other: MeasuredLearner): boolean {
  return one.person === other.person && one.dimensions.every((value, at) => value === other.dimensions[at])
}

function keyOfPeriod({ from, to }: ScoreWindow): string {
  return `${from}/${to}`
}
