import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import type { Meta } from '../metrics/cell.js'
import { findMetric } from '../metrics/find-metric.js'
import { toMeta } from '../metrics/meta.js'
import {
  type MetricAsker,
  type MetricQuery,
  type ResolvedMetricQuery,
  resolveQuery,
  toRequest
} from '../metrics/resolve-query.js'
import type { Unit } from '../metrics/unit.js'
import { addDays, resolveWindow } from '../metrics/window.js'
import { bothOf, type CohortFilter } from '../people/cohort-filter.js'
import { onOneSnapshot } from '../store/on-one-snapshot.js'
import type { ComparedBy } from './answer-score.js'
import { benchmark } from './benchmark.js'
import { findGroups, groupFilter } from './find-groups.js'
import { type LearnerMetrics, type MeasuredLearner, readLearnerMetrics } from './learner-metrics.js'
import { type LmsMetric, lmsMetrics } from './lms-metrics.js'
import type { ScoreWindow } from './score.js'
import { weeksBefore } from './weeks.js'

const weeks = 12
const windowDays = 28

/** A query for a person's card. */
export interface CardQuery extends Pick<MetricQuery, 'to' | 'tz' | 'minGroupSize' | 'consistency'> {
  /** Whom the person is compared with: those who share it today, or all. */
  readonly by?: ComparedBy | undefined
}

/** Where the middle half of the learners compared lies. */
export interface Band {
  readonly p25: number | null
  readonly median: number | null
  readonly p75: number | null
  /** How many of them have a value; null when hidden. */
  readonly n: number | null
  /** Why there is no band: too few have a value, nobody has, or it isn't known whom to compare with. */
  readonly nullReason: 'small_group' | 'no_values' | 'no_group' | null
}

/** One metric of one person. */
export interface CardMetric {
  readonly id: LmsMetric
  readonly name: string
  readonly unit: Unit
  /** Of the last 28 days; null for nothing. */
  readonly value: number | null
  readonly band: Band
  /** The last 12 weeks, the oldest first. */
  readonly weeks: readonly { readonly period: ScoreWindow; readonly value: number | null; readonly band: Band }[]
}

export interface CardAnswer {
  readonly personId: string
  readonly period: ScoreWindow
  readonly by: ComparedBy
  /** What the learners compared have in common with the person; null where nothing is known, or all are compared. */
  readonly group: string | null
  readonly metrics: readonly CardMetric[]
  readonly meta: Meta
}

/**
 * Answers a query for a person's card: the six metrics of learning of the last 28 days and of each of the last 12 weeks,
 * beside the band of those who have the same role today, each week's being those who had it then.
 *
 * @throws {LrsError} `invalid-parameter` as for a metric
 */
export async function answerCard(
  db: Kysely<Database>,
  { personId, by = 'role', ...query }: CardQuery & { readonly personId: string },
  asker: MetricAsker
): Promise<CardAnswer> {
  const { to } = resolveWindow({ to: query.to, tz: query.tz }, { ...asker, lagDays: 0 })
  const period = { from: addDays(to, -windowDays), to }
  return onOneSnapshot(db, async trx => {
    const breakdown = by === 'none' ? {} : { breakdown: by }
    const described = { id: 'card', options: {}, lagDays: () => 0 }
    const resolved = await resolveQuery(trx, described, { ...query, ...period, ...breakdown }, asker)
    const group = by === 'none' ? undefined : await groupOf(trx, resolved, personId)
    const request = { ...toRequest(resolved), periods: [period, ...weeksBefore(to, weeks)] }
    const read = (of: CohortFilter | null) =>
      readLearnerMetrics<LmsMetric>(trx, lmsMetrics, { ...request, filter: bothOf(request.filter, of) })
    const own = await read({ person: [personId] })
    // Asked for without a word of the person, so that what was counted for one is remembered for all of the group.
    const others = group === null ? null : await read(group === undefined ? null : groupFilter(by, [group]))
    const pointsOf = comparing({ own, others, group, minGroupSize: resolved.minGroupSize })
    const whole = pointsOf(period)
    const weekly = weeksBefore(to, weeks).map(week => ({ period: week, pointOf: pointsOf(week) }))
    return {
      personId,
      period,
      by,
      group: group ?? null,
      metrics: lmsMetrics.map(id => {
        const { name, unit } = findMetric(id)
        const points = weekly.map(({ period, pointOf }) => ({ period, ...pointOf(id) }))
        return { id, name, unit, ...whole(id), weeks: points }
      }),
      meta: {
        ...toMeta({ id: 'card', definitionVersion: 1 }, resolved, { snapshot: own.snapshot, cells: [] }),
        nextCursor: null
      }
    }
  })
}

/** The group that the roster names for the person today; null for none. */
async function groupOf(trx: Kysely<Database>, resolved: ResolvedMetricQuery, personId: string): Promise<string | null> {
  const { today } = resolved.window
  const windows = [{ from: today, to: addDays(today, 1) }]
  const { groups } = await findGroups(trx, { ...toRequest(resolved), membership: 'current', windows }, personId)
  return groups[0] ?? null
}

interface Compared {
  readonly own: LearnerMetrics<LmsMetric>
  /** Those of the group, the person among them; null where it isn't known which that is. */
  readonly others: LearnerMetrics<LmsMetric> | null
  /** Undefined where all are compared. */
  readonly group: string | null | undefined
  readonly minGroupSize: number
}

/** What the person has of a metric in a period, and what the learners compared have. */
interface Point {
  readonly value: number | null
  readonly band: Band
}

/** Picks out who is compared in a period, and tells the person from them by one metric after the other. */
function comparing({ own, others, group, minGroupSize }: Compared) {
  return (period: ScoreWindow) => {
    const [person] = own.learnersOf(period)
    const isCompared = ({ dimensions }: MeasuredLearner) => group === undefined || dimensions[0] === group
    const learners = others?.learnersOf(period).filter(isCompared) ?? []
    return (id: LmsMetric): Point => {
      const value = person === undefined ? null : own.valuesOf(id, period)(person)
      if (others === null) return { value, band: noBand('no_group') }
      const numberOf = others.valuesOf(id, period)
      const values = learners.map(learner => ({ key: learner.person, value: numberOf(learner) }))
      const { n, median, p25, p75 } = benchmark(values, [25, 75])
      if (n === 0) return { value, band: noBand('no_values') }
      if (n < minGroupSize) return { value, band: noBand('small_group') }
      return { value, band: { p25: p25 ?? null, median, p75: p75 ?? null, n, nullReason: null } }
    }
  }
}

function noBand(nullReason: NonNullable<Band['nullReason']>): Band {
  return { p25: null, median: null, p75: null, n: nullReason === 'no_values' ? 0 : null, nullReason }
}
