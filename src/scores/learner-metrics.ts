import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { defaultOptions } from '../metrics/default-options.js'
import { findMetric } from '../metrics/find-metric.js'
import { findLearnerValues, type LearnerValue } from '../metrics/learner-values.js'
import type { Snapshot } from '../metrics/measurement.js'
import type { MeasureRequest, MetricOptions } from '../metrics/metric.js'
import type { ScoreWindow } from './score.js'

/** Somebody in P of a period, at one combination of the values of the breakdown. */
export type Learner = Pick<LearnerValue, 'personId' | 'name' | 'dimensions'>

/** The values of several metrics, of every learner and period. */
export interface LearnerMetrics<Id extends string> {
  /** P of a period, in the order of personIds. */
  learnersOf(period: ScoreWindow): readonly Learner[]
  /**
   * What a learner has of a metric in a period; null for nothing. Who was found under other values of the breakdown then,
   * in another role, is still the same learner.
   */
  valueOf(id: Id, period: ScoreWindow, learner: Learner): number | null
  readonly snapshot: Snapshot
}

type Request = Omit<MeasureRequest<MetricOptions>, 'options'>

/**
 * Reads several metrics, each with its own default options, in one round trip for each metric, however many learners
 * and periods there are. A period may be given twice.
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
    const { learners, snapshot } = await findLearnerValues(db, metric, {
      ...request,
      periods,
      options: defaultOptions(metric)
    })
    return { columns: toColumns(learners, periods.length), snapshot }
  }
  const [first, ...others] = ids
  const { columns, snapshot } = await read(first)
  const found = new Map([[first, columns]])
  // One after another: a snapshot has one connection.
  for (const id of others) found.set(id, (await read(id)).columns)
  const positionOf = (period: ScoreWindow) => positions.get(keyOfPeriod(period)) ?? -1
  return {
    learnersOf: period => columns[positionOf(period)]?.learners ?? [],
    valueOf: (id, period, learner) => {
      const position = positionOf(period)
      const at = columns[position]?.places().get(learner)
      return found.get(id)?.[position]?.find(learner, at)?.value ?? null
    },
    snapshot
  }
}

/** The learners of one period, and where to find them. */
interface Column {
  readonly learners: readonly LearnerValue[]
  /** Where each of these learners stands. */
  readonly places: () => ReadonlyMap<Learner, number>
  /** A learner who was found with whatever metric, and may stand at that place here as well. */
  readonly find: (learner: Learner, at: number | undefined) => LearnerValue | undefined
}

function toColumns(values: readonly LearnerValue[], count: number): readonly Column[] {
  const periods = Array.from({ length: count }, (): LearnerValue[] => [])
  for (const value of values) periods[value.period]?.push(value)
  return periods.map(toColumn)
}

/**
 * The metrics of a period have the same learners in the same order, so that who stands at one's place is nearly always the
 * one: to look each of 20,000 up by their names took longer than to count some of the metrics.
 */
function toColumn(learners: readonly LearnerValue[]): Column {
  const places = once(() => new Map(learners.map((learner, at) => [learner as Learner, at])))
  const byKey = once(() => new Map(learners.map(learner => [keyOf(learner), learner])))
  const byPerson = once(() => new Map(learners.map(learner => [learner.personId, learner])))
  return {
    learners,
    places,
    find: (learner, at) => {
      const here = at === undefined ? undefined : learners[at]
      if (here !== undefined && isSame(here, learner)) return here
      return byKey().get(keyOf(learner)) ?? byPerson().get(learner.personId)
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

function isSame(one: Learner, other: Learner): boolean {
  return (
    one.personId === other.personId && one.dimensions.every((value, position) => value === other.dimensions[position])
  )
}

/** No text of the database has the character that parts them. */
function keyOf({ personId, dimensions }: Learner): string {
  return `${personId}\u0000${dimensions.join('\u0000')}`
}

function keyOfPeriod({ from, to }: ScoreWindow): string {
  return `${from}/${to}`
}
