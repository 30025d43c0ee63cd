import { answerMetric } from '../src/metrics/answer.js'
import { catalogue } from '../src/metrics/catalogue.js'
import { rebuildPersons } from '../src/rollup/rebuild-rollups.js'
import type { Measurement } from './ingest.js'
import { type BenchService, startBenchService } from './service.js'
import { seedYear, yearBegin } from './year.js'

const rounds = 20
const connections = 4
const asOf = new Date(Date.parse(yearBegin) + 364 * 86_400_000)
const window = { from: '2026-06-29', to: '2026-09-27' }

/**
 * Measures each metric over 90 days of a seeded year, for everyone and for a cohort of 100.
 *
 * @param events learning events of the year, by one learner for every 500.
 */
export async function benchMetrics(events: number): Promise<readonly Measurement[]> {
  const service = await startBenchService()
  try {
    const tenantId = await seedYear(service.db, { learners: Math.ceil(events / 500), events, modules: 600 })
    await rebuild(service, tenantId)
    const measured: Measurement[] = []
    for (const metric of catalogue) {
      for (const cohort of [undefined, 'hundred']) {
        const asker = { tenantId, timeZone: 'UTC', minGroupSize: 10, asOf, within: null }
        const query = { ...window, ...(cohort === undefined ? {} : { cohort }) }
        const { p50, p95 } = await latency(() => answerMetric(service.db, metric, query, asker))
        const who = cohort === undefined ? 'everyone' : 'a cohort of 100'
        const aim = cohort === undefined ? 100 : 20
        measured.push({
          what: `${metric.id}, 90 days, ${who}, ${events.toLocaleString('en')} events`,
          value: `p50 ${p50.toFixed(0)}, p95 ${p95.toFixed(0)} ms`,
          ratio: `${(p95 / aim).toFixed(1)} of the aim`
        })
      }
    }
    return measured
  } finally {
    await service.stop()
  }
}

async function rebuild({ db }: BenchService, tenantId: number): Promise<void> {
  for (let last: number | null = 0; last !== null; ) {
    const after: number = last
    const rebuilt = await db.transaction().execute(trx => rebuildPersons(trx, tenantId, after))
    last = rebuilt?.last ?? null
  }
}

async function latency(ask: () => Promise<unknown>): Promise<{ readonly p50: number; readonly p95: number }> {
  const times: number[] = []
  const asker = async () => {
    for (let round = 0; round < rounds; round++) {
      const began = performance.now()
      await ask()
      times.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: connections }, asker))
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(share * (times.length - 1))] ?? 0
  return { p50: at(0.5), p95: at(0.95) }
}
