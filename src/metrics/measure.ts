import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import { checkLength, countedByDeed, maxDeedCells } from './counted-by-deed.js'
import { isDeedDimension } from './dimension.js'
import type { CellSum, Measurement } from './measurement.js'
import type { Counting, MeasureRequest, Metric, MetricOptions } from './metric.js'
import { recall } from './recall.js'
import { type SharesRequest, sharesOf } from './shares.js'
import { readSnapshot, type SnapshotRow, snapshotColumns } from './snapshot.js'

interface Row extends SnapshotRow, Omit<CellSum, 'period' | 'dimensions'> {
  readonly ordinal: number
  readonly dimension_1?: string
  readonly dimension_2?: string
}

/**
 * Counts the learners of every period in one round trip, and so in one snapshot: a cell for each period and each
 * combination of what the answer is broken down by that has a learner, and one for a period that has none. Or remembers
 * what was counted of the same data.
 */
export async function measure<Options extends MetricOptions>(
  db: Kysely<Database>,
  metric: Metric<Options>,
  request: MeasureRequest<Options>
): Promise<Measurement> {
  const asked = { request, what: `cells of ${metric.id}` }
  const { value: cells, snapshot } = await recall(db, asked, async () => {
    const { cells, ...snapshot } = await count(db, metric, request)
    return { value: cells, snapshot }
  })
  return { cells, ...snapshot }
}

async function count<Options extends MetricOptions>(
  db: Kysely<Database>,
  metric: Metric<Options>,
  request: MeasureRequest<Options>
): Promise<Measurement> {
  const counting = metric.counting(request)
  const { breakdown } = request
  const dimensions = breakdown.map((_dimension, at) => sql.ref(`dimension_${at + 1}`))
  const keys = [sql`ordinal`, ...dimensions]
  const whole = ofCells(counting, keys)
  const { expressions, population } = sharesOf(request, counting)
  const isOfDeeds = breakdown.some(isDeedDimension)
  const { rows } = await sql<Row>`
    with recursive ${expressions},
    ${
      isOfDeeds
        ? countedByDeed(request, population)
        : sql`counted as (
      select ${sql.join([...keys, sql`count(*) as population`, ...sums(metric, counting)])}
      from share group by ${sql.join(keys)}
    )`
    } ${whole.expression}
    select ${sql.join([...keys, ...columns.map(column => value(column, whole))])},
      ${whole.per} as per, ${whole.details} as details, ${snapshotColumns(request)}
    from period left join counted using (ordinal) ${whole.join} cross join excluded
    order by ${sql.join(keys)}
    ${isOfDeeds ? sql`limit ${maxDeedCells + 1}` : sql``}`.execute(db)
  if (isOfDeeds) checkLength(rows.length)
  return toMeasurement(rows, request)
}

const columns = [
  ['population', 'integer'],
  ['n', 'integer'],
  ['immature', 'integer'],
  ['sumX', 'float8'],
  ['sumY', 'float8'],
  ['sumXX', 'float8'],
  ['sumXY', 'float8'],
  ['sumYY', 'float8']
] as const

function value([column, type]: (typeof columns)[number], { sumX }: ReturnType<typeof ofCells>): RawBuilder<number> {
  const sum = column === 'sumX' ? sumX : sql.ref(`counted.${column}`)
  return sql<number>`coalesce(${sum}, 0)::${sql.raw(type)} as ${sql.ref(column)}`
}

/** What comes from the metric's own query for the cells where it has one, and otherwise from its learners. */
function ofCells(counting: Counting, keys: readonly RawBuilder<unknown>[]) {
  const cells = counting.ofCells?.(keys)
  if (cells === undefined) {
    return {
      expression: sql``,
      join: sql``,
      sumX: sql`counted."sumX"`,
      per: per(counting),
      details: sql`counted.details`
    }
  }
  return {
    expression: sql`, of_cell as (${cells})`,
    join: sql`left join of_cell using (${sql.join(keys)})`,
    sumX: sql`of_cell.x`,
    per: sql`coalesce(of_cell.y, 0)::float8`,
    details: sql`of_cell.details`
  }
}

/**
 * Sums over the learners of a cell. Squares of integers are bigints and others numeric: they don't overflow, and sum alike
 * in any order. Of numerics alone they took as long as to read what 20,000 learners did.
 */
function sums(
  { calculation }: Pick<Metric, 'calculation'>,
  { details = {} }: Counting
): readonly RawBuilder<unknown>[] {
  const counts = calculation === 'count' ? sql`true` : sql`y <> 0`
  const product = (a: string, b: string) =>
    calculation === 'ratio'
      ? sql`(sum((${sql.ref(a)} + 0::bigint) * ${sql.ref(b)}) filter (where ${counts}))::numeric`
      : sql`null::numeric`
  const named = Object.entries(details).flatMap(([name, aggregate]) => [sql.lit(name), aggregate])
  return [
    sql`count(*) filter (where ${counts}) as n`,
    sql`sum(x) filter (where ${counts}) as "sumX"`,
    sql`sum(y) filter (where ${counts}) as "sumY"`,
    sql`${product('x', 'x')} as "sumXX"`,
    sql`${product('x', 'y')} as "sumXY"`,
    sql`${product('y', 'y')} as "sumYY"`,
    sql`count(*) filter (where is_immature) as immature`,
    sql`${named.length === 0 ? sql`null::json` : sql`json_build_object(${sql.join(named)})`} as details`
  ]
}

function per({ per }: Counting): RawBuilder<number | null> {
  return per === undefined ? sql`null::float8` : sql`(${per})::float8`
}

function toMeasurement(rows: readonly Row[], { breakdown }: SharesRequest): Measurement {
  const [first] = rows
  if (first === undefined) throw new RangeError('A metric counts at least one period')
  return {
    cells: rows.map(({ ordinal, dimension_1, dimension_2, ...row }) => ({
      period: ordinal - 1,
      dimensions: [dimension_1, dimension_2].slice(0, breakdown.length).map(value => value || null),
      population: row.population,
      n: row.n,
      sumX: row.sumX,
      sumY: row.sumY,
      sumXX: row.sumXX,
      sumXY: row.sumXY,
      sumYY: row.sumYY,
      per: row.per,
      immature: row.immature,
      details: row.details
    })),
    ...readSnapshot(first)
  }
}
