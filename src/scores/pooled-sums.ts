import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import type { Counted } from '../metrics/answer-memory.js'
import { defaultOptions } from '../metrics/default-options.js'
import type { RatioSums } from '../metrics/interval.js'
import type { Snapshot } from '../metrics/measurement.js'
import type { Metric } from '../metrics/metric.js'
import { recall } from '../metrics/recall.js'
import { type SharesRequest, shares } from '../metrics/shares.js'
import { readSnapshot, type SnapshotRow, snapshotColumns } from '../metrics/snapshot.js'

/** What one group of learners adds up to over several periods; x and y of a learner are those of all periods. */
export interface PooledSum extends RatioSums {
  /** The values of the breakdown; null where the roster has none. */
  readonly dimensions: readonly (string | null)[]
  /** How many learners belonged to P in any of the periods. */
  readonly population: number
}

type Row = Omit<PooledSum, 'dimensions'> & { readonly dimension_1?: string; readonly dimension_2?: string }

/**
 * Adds up what learners add to a metric over several periods, one sum for each combination of the breakdown: first each
 * learner's own x and y over the periods, then the learners', so that a learner is one unit however many periods there
 * are. In the order of dimensions; empty where nobody was in P.
 */
export async function findPooledSums(
  db: Kysely<Database>,
  metric: Metric,
  request: SharesRequest
): Promise<{ readonly sums: readonly PooledSum[]; readonly snapshot: Snapshot }> {
  const asked = { request, what: `pooled sums of ${metric.id}` }
  const { value: sums, snapshot } = await recall(db, asked, () => pool(db, metric, request))
  return { sums, snapshot }
}

async function pool(
  db: Kysely<Database>,
  metric: Metric,
  request: SharesRequest
): Promise<Counted<readonly PooledSum[]>> {
  const dimensions = request.breakdown.map((_dimension, at) => sql.ref(`dimension_${at + 1}`))
  const keys = [sql`person_id`, ...dimensions]
  const sum = (product: string) => sql`coalesce(sum(${sql.raw(product)}) filter (where y <> 0), 0)::float8`
  const { rows } = await sql<SnapshotRow & { readonly sums: readonly Row[] }>`
    with recursive ${shares(request, metric.counting({ ...request, options: defaultOptions(metric) }))},
    pooled as (
      select ${sql.join(keys)}, coalesce(sum(x) filter (where y <> 0), 0)::numeric as x,
        coalesce(sum(y), 0)::numeric as y
      from share group by ${sql.join(keys)}
    ),
    summed as (
      select ${sql.join([
        ...dimensions,
        sql`count(*) as population`,
        sql`count(*) filter (where y <> 0) as n`,
        sql`${sum('x')} as "sumX"`,
        sql`${sum('y')} as "sumY"`,
        sql`${sum('x * x')} as "sumXX"`,
        sql`${sum('x * y')} as "sumXY"`,
        sql`${sum('y * y')} as "sumYY"`
      ])}
      from pooled ${dimensions.length === 0 ? sql`having count(*) > 0` : sql`group by ${sql.join(dimensions)}`}
    )
    select (select coalesce(json_agg(summed ${dimensions.length === 0 ? sql`` : sql`order by ${sql.join(dimensions)}`}), '[]') from summed) as sums,
      ${snapshotColumns(request)}
    from excluded`.execute(db)
  return {
    value: rows.flatMap(({ sums }) =>
      sums.map(({ dimension_1, dimension_2, ...row }) => ({
        ...row,
        dimensions: [dimension_1, dimension_2].slice(0, dimensions.length).map(value => value || null)
      }))
    ),
    snapshot: readSnapshot(rows[0] as SnapshotRow)
  }
}
