import type { Kysely } from 'kysely'
import type { Database } from '../src/database/schema.js'
import { catalogue } from '../src/metrics/catalogue.js'
import { findLearnerValues } from '../src/metrics/learner-values.js'
import { type MetricAsker, resolveQuery, toRequest } from '../src/metrics/resolve-query.js'
import { leadershipIndexes } from '../src/scores/leadership-index.js'
import { type LmsMetric, lmsMetrics } from '../src/scores/lms-metrics.js'
import type { Measurement } from './ingest.js'
import { type Bounds, latencyOf } from './latency.js'

interface CompositeOptions {
  readonly from: string
  readonly to: string
  readonly asker: MetricAsker
  readonly bounds: Bounds
}

const aimMs = 400

/** Measures the leadership index of everyone by role: every learner's values of the metrics, z-scores and the index. */
export async function benchComposite(
  db: Kysely<Database>,
  { from, to, asker, bounds }: CompositeOptions
): Promise<Measurement> {
  const parts = catalogue.filter(({ id }) => lmsMetrics.some(name => name === id))
  const ask = async () => {
    const values = await Promise.all(
      parts.map(async metric => {
        const resolved = await resolveQuery(db, metric, { from, to, breakdown: 'role' }, asker)
        return { id: metric.id, ...(await findLearnerValues(db, metric, toRequest(resolved))) }
      })
    )
    return indexesByRole(values)
  }
  const learners = (await ask()).flat().length
  const { p50, p95, n } = await latencyOf(ask, bounds)
  return {
    what: `the leadership index of ${learners.toLocaleString('en')} learners, of ${parts.length} metrics`,
    value: `p50 ${p50.toFixed(0)}, p95 ${p95.toFixed(0)} ms (n ${n})`,
    ratio: `${(p95 / aimMs).toFixed(1)} of the aim`
  }
}

interface Part {
  readonly id: string
  readonly learners: Awaited<ReturnType<typeof findLearnerValues>>['learners']
}

function indexesByRole(parts: readonly Part[]) {
  const none = Object.fromEntries(lmsMetrics.map(id => [id, null])) as Record<LmsMetric, number | null>
  const roles = new Map<string | null, Map<string, Record<LmsMetric, number | null>>>()
  for (const { id, learners } of parts) {
    for (const { personId, dimensions, value } of learners) {
      const role = dimensions[0] ?? null
      const ofRole = roles.get(role) ?? new Map<string, Record<LmsMetric, number | null>>()
      roles.set(role, ofRole)
      const values = ofRole.get(personId) ?? { ...none }
      ofRole.set(personId, values)
      values[id as LmsMetric] = value
    }
  }
  return [...roles.values()].map(ofRole => leadershipIndexes([...ofRole].map(([key, values]) => ({ key, values }))))
}
