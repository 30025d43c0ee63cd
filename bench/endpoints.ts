import type { Measurement } from './ingest.js'
import { type Latency, latencyOf } from './latency.js'
import { asOf, bounds, metricWindow } from './metrics.js'
import { ensureYear } from './seeded-year.js'
import { credentialHeaders, startBenchService } from './service.js'
import { slowestPlan } from './slowest-plan.js'

/** A request of the analytics API. */
interface Asked {
  readonly path: string
  /** Sent with POST; without it the request is a GET. */
  readonly body?: object
  /** The personId of the manager who asks, and sees their own line; without it the operator does. */
  readonly manager?: string
}

const { from, to } = metricWindow
const period = `from=${from}&to=${to}`

/** Every resource that answers with numbers, as its users ask for it: of everyone where nothing else is said. */
const asked: Readonly<Record<string, Asked>> = {
  'the catalogue': { path: '/metrics' },
  'a metric by week and role': { path: `/metrics/active-users?${period}&interval=week&breakdown=role` },
  'a metric, of a manager of eight': { path: `/metrics/active-users?${period}`, manager: 'P943' },
  'a metric, of the uppermost manager': { path: `/metrics/active-users?${period}`, manager: 'P1' },
  'a metric with the period before': { path: `/metrics/active-users?${period}&compare=previous` },
  'three metrics by role and region, filtered': {
    path: '/query',
    body: {
      metrics: ['active-users', 'repeat-rate', 'peer-feedback-rate'].map(id => ({ id })),
      from,
      to,
      filter: { or: [{ role: ['engineer'] }, { not: { region: ['north'] } }] },
      breakdown: ['role', 'region']
    }
  },
  'learners with their ranks, a page of 100': { path: `/metrics/practice-tasks/learners?${period}&limit=100` },
  'evidence, a page of 100': { path: `/metrics/active-users/evidence?${period}&limit=100` },
  'a funnel': { path: `/funnels?${period}&steps=delivered,opened,completed-task` },
  'retention by week': { path: `/retention?${period}&type=bracket&unit=week` },
  'lifecycle by week': { path: `/lifecycle?${period}&interval=week` },
  'sequences, a cohort of 100': { path: `/sequences?${period}&cohort=hundred` },
  'benchmarks by role': { path: `/benchmarks?${period}&metric=practice-tasks&by=role` },
  'the scores': { path: '/scores' },
  'coaching-index, a cohort of 100': { path: `/scores/coaching-index?${period}&cohort=hundred` },
  'leadership-index, a cohort of 100': { path: `/scores/leadership-index?${period}&cohort=hundred` },
  'leadership-flag, a cohort of 100': { path: `/scores/leadership-flag?${period}&cohort=hundred` },
  'momentum, a cohort of 100': { path: `/scores/momentum?to=${to}&cohort=hundred` },
  'energize-score, a cohort of 100': { path: `/scores/energize-score?to=${to}&cohort=hundred` },
  'leadership-index, everyone': { path: `/scores/leadership-index?${period}` },
  'teams of a score, a cohort of 100': { path: `/scores/leadership-index/teams?${period}&cohort=hundred` },
  'one person of a score': { path: `/scores/leadership-index/people/P7?${period}&cohort=hundred` },
  "a learner's card": { path: `/people/P7/card?to=${to}` },
  'the leaderboard': { path: `/leaderboards/forum-influence?${period}&limit=10` },
  "a pilot's decision": { path: '/pilots/bench/decision' },
  'people, a page of 100': { path: '/people?limit=100' }
}

/**
 * Measures each resource of the analytics API over HTTP, of a seeded year: everything counted, and once more as it is
 * answered while the data stay the same.
 *
 * @param events learning events of the year, by one learner for every 500.
 */
export async function benchEndpoints(events: number): Promise<readonly Measurement[]> {
  const counted = await measure(events, { ANSWER_MEMORY_SIZE: '0' })
  const remembered = await measure(events, {})
  return counted.map(({ what, latency, plan }, at) => ({
    what,
    value: `${shown(latency)}; remembered ${shown(remembered[at]?.latency ?? latency)}`,
    ratio: plan
  }))
}

interface Measured {
  readonly what: string
  readonly latency: Latency
  readonly plan: string
}

async function measure(events: number, settings: Readonly<Record<string, string>>): Promise<readonly Measured[]> {
  const service = await startBenchService({ settings, now: () => asOf })
  try {
    const tenantId = await ensureYear(service, events)
    const operator = await credentialHeaders(service.db, tenantId)
    const send = async (path: string, method: string, body?: object, headers = operator) => {
      const response = await fetch(`${service.url}/api/v1${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`)
    }
    await send('/pilots/bench', 'PUT', { cohort: 'hundred', startsOn: from, lengthWeeks: 12 })
    const measured: Measured[] = []
    for (const [what, { path, body, manager }] of Object.entries(asked)) {
      const headers = manager === undefined ? operator : await credentialHeaders(service.db, tenantId, manager)
      const ask = () => send(path, body === undefined ? 'GET' : 'POST', body, headers)
      const latency = await latencyOf(ask, bounds)
      const plan = await slowestPlan(service, ask)
      process.stderr.write(`${what}: ${shown(latency)}; ${plan}\n`)
      measured.push({ what, latency, plan })
    }
    return measured
  } finally {
    await service.stop()
  }
}

function shown({ p50, p95, n }: Latency): string {
  return `p50 ${p50.toFixed(0)}, p95 ${p95.toFixed(0)} ms (n ${n})`
}
