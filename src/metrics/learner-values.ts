import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import type { Counted } from './answer-memory.js'
import type { Snapshot } from './measurement.js'
import type { MeasureRequest, Metric, MetricOptions } from './metric.js'
import { recall } from './recall.js'
import { shares } from './shares.js'
import { readSnapshot, type SnapshotRow, snapshotColumns } from './snapshot.js'

/** What one learner of P adds to a metric in one period. */
export interface LearnerValue {
  readonly personId: string
  readonly name: string | null
  /** Position of the period, from 0. */
  readonly period: number
  /** The values of the dimensions asked for; null where the roster has none. */
  readonly dimensions: readonly (string | null)[]
  readonly x: number
  readonly y: number
  /** The learner's own value: x ÷ y, or of a count x; null where the learner adds nothing to the denominator. */
  readonly value: number | null
}

/** The learners of P, and the moment at which they were counted. */
export interface LearnerValues {
  readonly learners: readonly LearnerValue[]
  readonly snapshot: Snapshot
}

type Row = readonly [
  personId: string,
  name: string | null,
  ordinal: number,
  x: number | null,
  y: number | null,
  ...dimensions: string[]
]

/** What of a metric decides what its learners add to it. */
export type LearnersMetric<Options extends MetricOptions = MetricOptions> = Pick<
  Metric<Options>,
  'id' | 'calculation' | 'counting'
>

/**
 * Reads what every learner of P adds to a metric, also those who did nothing: one for each period, learner and
 * combination of what they are told apart by, in one round trip and so of one snapshot. In the order of periods, and
 * then of personIds as code points go.
 */
export async function findLearnerValues<Options extends MetricOptions>(
  db: Kysely<Database>,
  metric: LearnersMetric<Options>,
  request: MeasureRequest<Options>
): Promise<LearnerValues> {
  const asked = { request, what: `learners of ${metric.id}` }
  const { value: learners, snapshot } = await recall(db, asked, () => count(db, metric, request))
  return { learners, snapshot }
}

async function count<Options extends MetricOptions>(
  db: Kysely<Database>,
  metric: LearnersMetric<Options>,
  request: MeasureRequest<Options>
): Promise<Counted<readonly LearnerValue[]>> {
  const { tenantId, breakdown } = request
  const dimensions = breakdown.map((_dimension, at) => sql.ref(`dimension_${at + 1}`))
  const values: readonly RawBuilder<unknown>[] = [
    sql`person.external_id`,
    sql`person.name`,
    sql`ordinal`,
    sql`x::float8`,
    sql`y::float8`,
    ...dimensions
  ]
  // One value for all learners, so that what is true of the moment stands beside it once.
  const { rows } = await sql<SnapshotRow & { readonly learners: readonly Row[] | null }>`
    with recursive ${shares(request, metric.counting(request))}
    select (
      select json_agg(json_build_array(${sql.join(values)}) order by ordinal, person.external_id collate "C")
      from share join person on person.tenant_id = ${tenantId} and person.id = share.person_id
    ) as learners, ${snapshotColumns(request)}
    from excluded`.execute(db)
  return {
    value: rows.flatMap(({ learners }) => (learners ?? []).map(row => toValue(metric, row))),
    snapshot: readSnapshot(rows[0] as SnapshotRow)
  }
}

function toValue(
  { calculation }: Pick<Metric, 'calculation'>,
  [personId, name, ordinal, x, y, ...dimensions]: Row
): LearnerValue {
  const sums = { x: x ?? 0, y: y ?? 0 }
  const value = calculation === 'count' ? sums.x : sums.y === 0 ? null : sums.x / sums.y
  return { personId, name, period: ordinal - 1, dimensions: dimensions.map(text => text || null), ...sums, value }
}
