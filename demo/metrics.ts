import { setTimeout as delay } from 'node:timers/promises'
import type {
  MetricAnswer,
  MetricCell,
  MetricDescription,
  PeopleOutcome,
  PersonRecord,
  paths
} from '../openapi/paths.d.ts'
import { answered, openClient } from './client.js'
import type { Service } from './service.js'

export type Thresholds = Pick<NonNullable<MetricDescription['thresholds']>, 'minimum' | 'success'>

/** The parts of a cell that the demo reads. */
export type Cell = Pick<MetricCell, 'period' | 'value' | 'numerator' | 'denominator' | 'suppressed' | 'nullReason'> & {
  readonly ci: Pick<NonNullable<MetricCell['ci']>, 'low' | 'high'> | null
}

/** The parts of a metric that the demo reads. */
type ReadMetric = Pick<MetricDescription, 'id' | 'name' | 'unit'>

/** The parameters that every metric takes. */
type MetricQuery = NonNullable<paths['/api/v1/metrics/active-users']['get']['parameters']['query']>

/** A metric that a pilot is judged by. */
export type JudgedMetric = ReadMetric & { readonly thresholds: Thresholds }

/** Every metric that has a minimum and a success threshold. */
export async function judgedMetrics(service: Service): Promise<readonly JudgedMetric[]> {
  const { metrics } = await answered(openClient(service).GET('/api/v1/metrics'))
  return metrics.flatMap(({ thresholds, ...metric }) => (thresholds === null ? [] : { ...metric, thresholds }))
}

/** Asks one metric; by default with `consistency=strong`, which counts every statement acknowledged before. */
export async function askMetric(service: Service, id: string, query: MetricQuery): Promise<MetricAnswer> {
  // Metrics differ in their own options only, which the demo leaves as they are.
  const path = `/api/v1/metrics/${id}` as '/api/v1/metrics/active-users'
  return answered(openClient(service).GET(path, { params: { query: { consistency: 'strong', ...query } } }))
}

/**
 * Waits until the derived tables hold every statement acknowledged so far, half a minute at most.
 *
 * @returns whether they do
 */
export async function caughtUp(service: Service, signal: AbortSignal): Promise<boolean> {
  const { meta } = await askMetric(service, 'active-users', {})
  const deadline = Date.now() + 30_000
  while (Date.now() < deadline) {
    const answer = await askMetric(service, 'active-users', { consistency: 'eventual' })
    if (Date.parse(answer.meta.consistentThrough) >= Date.parse(meta.asOf)) return true
    await delay(50, undefined, { signal })
  }
  return false
}

/** Enrols people, and says what that changed. */
export async function enrol(service: Service, people: PersonRecord[]): Promise<PeopleOutcome> {
  return answered(openClient(service).PUT('/api/v1/people', { body: people }))
}
