import { setTimeout as delay } from 'node:timers/promises'
import type { Service } from './service.js'

/** The parts of `GET /api/v1/metrics` that the demo reads. */
interface MetricDescription {
  readonly id: string
  readonly name: string
  readonly unit: string
  readonly thresholds: Thresholds | null
}

export interface Thresholds {
  readonly minimum: number
  readonly success: number
}

/** The parts of a cell that the demo reads. */
export interface Cell {
  readonly period: { readonly from: string; readonly to: string }
  readonly value: number | null
  readonly numerator: number | null
  readonly denominator: number | null
  readonly ci: { readonly low: number; readonly high: number } | null
  readonly suppressed: boolean
  readonly nullReason: string | null
}

/** The parts of a metric's answer that the demo reads. */
export interface Answer {
  readonly results: readonly Cell[]
  readonly meta: {
    readonly asOf: string
    readonly consistentThrough: string
    readonly query: { readonly timeZone: string }
  }
}

/** A metric that a pilot is judged by. */
export type JudgedMetric = MetricDescription & { readonly thresholds: Thresholds }

/** Every metric that has a minimum and a success threshold. */
export async function judgedMetrics(service: Service): Promise<readonly JudgedMetric[]> {
  const answer = (await request(service, 'GET', '/api/v1/metrics')) as {
    readonly metrics: readonly MetricDescription[]
  }
  return answer.metrics.filter((metric): metric is JudgedMetric => Boolean(metric.thresholds))
}

/** Asks one metric; by default with `consistency=strong`, which counts every statement acknowledged before. */
export async function askMetric(
  service: Service,
  id: string,
  query: Readonly<Record<string, string>>
): Promise<Answer> {
  const parameters = new URLSearchParams({ consistency: 'strong', ...query })
  return (await request(service, 'GET', `/api/v1/metrics/${id}?${parameters}`)) as Answer
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
export async function enrol(service: Service, people: readonly unknown[]) {
  const answer = await request(service, 'PUT', '/api/v1/people', people)
  return answer as { readonly received: number; readonly created: number; readonly unchanged: number }
}

async function request(service: Service, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(service.url + path, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${service.key}:${service.secret}`).toString('base64')}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' })
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`)
  return JSON.parse(text)
}
