import type { DuckDBConnection } from '@duckdb/node-api'
import { answerMetric } from '../src/metrics/answer.js'
import { catalogue } from '../src/metrics/catalogue.js'
import type { Metric } from '../src/metrics/metric.js'
import { benchComposite } from './composite.js'
import { type DuckDB, startDuckDB } from './duckdb.js'
import { type RawWindow, rawQueries } from './duckdb-metrics.js'
import type { Measurement } from './ingest.js'
import { type Latency, latencyOf } from './latency.js'
import { ensureYear } from './seeded-year.js'
import { type BenchService, startBenchService } from './service.js'
import { yearBegin } from './year.js'

/** What is asked of whom: 90 days that begin on a Monday, on the day after the last of the year. */
export const metricWindow = { from: '2026-06-29', to: '2026-09-27' } as const
export const asOf = new Date(Date.parse(yearBegin) + 364 * 86_400_000)
const aims = { everyone: 100, hundred: 20 } as const
export const bounds = { connections: 4, rounds: 20, ms: 5_000 } as const

/**
 * Measures each metric over 90 days of a seeded year, for everyone and for a cohort of 100, and where there is a query
 * for the raw events the same with DuckDB, whose result must be the same.
 *
 * @param events learning events of the year, by one learner for every 500.
 */
export async function benchMetrics(events: number): Promise<readonly Measurement[]> {
  const service = await startBenchService()
  try {
    const tenantId = await ensureYear(service, events)
    return await measureMetrics(service, tenantId)
  } finally {
    await service.stop()
  }
}

/** Measures the metrics of a tenant that was filled. */
async function measureMetrics(
  service: Pick<BenchService, 'db' | 'pool'>,
  tenantId: number
): Promise<readonly Measurement[]> {
  const duckdb = await startDuckDB(service.pool, tenantId, bounds.connections)
  try {
    const measured: Measurement[] = []
    for (const metric of catalogue) {
      for (const who of ['everyone', 'hundred'] as const) {
        measured.push(await measureMetric({ service, duckdb, tenantId }, metric, who))
      }
    }
    const asker = { tenantId, timeZone: 'UTC', minGroupSize: 10, asOf, within: null }
    return [...measured, await benchComposite(service.db, { ...metricWindow, asker, bounds })]
  } finally {
    duckdb.stop()
  }
}

interface Ground {
  readonly service: Pick<BenchService, 'db' | 'pool'>
  readonly duckdb: DuckDB
  readonly tenantId: number
}

async function measureMetric({ service, duckdb, tenantId }: Ground, metric: Metric, who: keyof typeof aims) {
  const cohort = who === 'everyone' ? null : who
  const asker = { tenantId, timeZone: 'UTC', minGroupSize: 10, asOf, within: null }
  const query = { ...metricWindow, ...(cohort === null ? {} : { cohort }) }
  const ask = () => answerMetric(service.db, metric, query, asker)
  const ours = await latencyOf(ask, bounds)
  const raw = rawQueries[metric.id]?.({
    ...metricWindow,
    today: asOf.toISOString().slice(0, 10),
    cohort
  } satisfies RawWindow)
  const theirs = raw === undefined ? null : await latencyOf(at => run(duckdb, at, raw), bounds)
  if (raw !== undefined) checkEqual(metric.id, (await ask()).results[0], await run(duckdb, 0, raw))
  const told = `p50 ${ours.p50.toFixed(0)}, p95 ${ours.p95.toFixed(0)} ms (n ${ours.n})`
  const measurement = {
    what: `${metric.id}, ${cohort === null ? 'everyone' : 'a cohort of 100'}`,
    value: theirs === null ? told : `${told}; DuckDB p50 ${theirs.p50.toFixed(0)}, p95 ${theirs.p95.toFixed(0)} ms`,
    ratio: ratio(ours, theirs, aims[who])
  }
  process.stderr.write(`${measurement.what}: ${measurement.value}: ${measurement.ratio}\n`)
  return measurement
}

function ratio(ours: Latency, theirs: Latency | null, aim: number): string {
  const ofAim = `${(ours.p95 / aim).toFixed(1)} of the aim`
  return theirs === null ? ofAim : `${ofAim}; ${(ours.p50 / theirs.p50).toFixed(2)} of DuckDB's p50`
}

interface RawResult {
  readonly x: number
  readonly y: number
}

async function run({ connections }: DuckDB, at: number, query: string): Promise<RawResult> {
  const reader = await (connections[at] as DuckDBConnection).runAndReadAll(query)
  const [row] = reader.getRowObjects()
  return { x: Number(row?.x ?? 0), y: Number(row?.y ?? 0) }
}

/** Scores are doubles there and numeric here, so sums may differ in their last digits; counts may not. */
function checkEqual(
  id: string,
  cell: { readonly numerator: number | null; readonly denominator: number | null } | undefined,
  { x, y }: RawResult
): void {
  const isSame = Math.abs((cell?.numerator ?? Number.NaN) - x) <= 1e-9 * Math.abs(x) && cell?.denominator === y
  if (!isSame) throw new Error(`${id}: ${cell?.numerator} of ${cell?.denominator}, and ${x} of ${y} by DuckDB`)
}
