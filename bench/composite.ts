import type { Kysely } from 'kysely'
import type { Database } from '../src/database/schema.js'
import type { MetricAsker } from '../src/metrics/resolve-query.js'
import { answerScore } from '../src/scores/answer-score.js'
import { leadershipIndexScore } from '../src/scores/read-leadership-index.js'
import type { Measurement } from './ingest.js'
import { type Bounds, latencyOf } from './latency.js'

interface CompositeOptions {
  readonly from: string
  readonly to: string
  readonly asker: MetricAsker
  readonly bounds: Bounds
}

const aimMs = 400

/** Measures the leadership index of everyone by role: every learner's values of six metrics, z-scores and the index. */
export async function benchComposite(
  db: Kysely<Database>,
  { from, to, asker, bounds }: CompositeOptions
): Promise<Measurement> {
  const ask = () => answerScore(db, leadershipIndexScore, { from, to, limit: 100 }, asker)
  const { p50, p95, n } = await latencyOf(ask, bounds)
  return {
    what: 'leadership-index of six metrics, everyone',
    value: `p50 ${p50.toFixed(0)}, p95 ${p95.toFixed(0)} ms (n ${n})`,
    ratio: `${(p95 / aimMs).toFixed(1)} of the aim`
  }
}
