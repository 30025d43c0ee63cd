import { randomUUID } from 'node:crypto'
import autocannon from 'autocannon'
import { sql } from 'kysely'
import { recordStatements } from '../src/rollup/record-statements.js'
import { parseStatements } from '../src/xapi/parse.js'
import { prepareStatement } from '../src/xapi/prepare.js'
import type { Measurement } from './ingest.js'
import { authority, type BenchService, startBenchService } from './service.js'
import { idOf, makeStatement } from './statements.js'

const seed = 5
const batchSize = 1000
const connections = 8
const seconds = 3

/**
 * Measures the first page of every kind of query, for values that match a third of the table, a few rows and nothing.
 *
 * @param count statements in the table
 */
export async function benchQueries(count: number): Promise<readonly Measurement[]> {
  const service = await startBenchService()
  try {
    await fill(service, count)
    const byId = await latency(service, new URLSearchParams({ statementId: idOf(seed, Math.floor(count / 2)) }))
    const measured: Measurement[] = [
      { what: `by id, ${count.toLocaleString('en')} statements`, value: shown(byId), ratio: '1' }
    ]
    for (const [what, parameters] of cases(count)) {
      const found = await latency(service, new URLSearchParams({ limit: '100', ...parameters }))
      measured.push({ what, value: shown(found), ratio: (found.p95 / byId.p95).toFixed(1) })
    }
    return measured
  } finally {
    await service.stop()
  }
}

function cases(count: number): readonly (readonly [string, Readonly<Record<string, string>>])[] {
  const verb = (name: string) => `https://w3id.org/momentum-lrs/verbs/${name}`
  const learner = (n: number) => JSON.stringify({ account: { homePage: 'https://lms.example', name: `learner-${n}` } })
  const instructor = JSON.stringify({ mbox: 'mailto:instructor-0@lms.example' })
  const bench = JSON.stringify({ account: { homePage: 'https://bench.example', name: 'bench' } })
  const registration = idOf(seed, -1 - (Math.floor(count / 2) % 5000))
  return [
    ['no filter', {}],
    ['verb, the commonest', { verb: verb('opened') }],
    ['verb, unknown', { verb: 'https://bench.example/verbs/never' }],
    ['agent, the commonest', { agent: learner(0) }],
    ['agent, a rare one', { agent: learner(15_000) }],
    ['activity, the commonest', { activity: 'https://lms.example/activities/0' }],
    ['registration', { registration }],
    ['related_agents, instructor', { agent: instructor, related_agents: 'true' }],
    ['related_agents, the authority of all', { agent: bench, related_agents: 'true' }],
    ['related_activities, the commonest', { activity: 'https://lms.example/courses/0', related_activities: 'true' }],
    ['agent and verb, both common', { agent: learner(0), verb: verb('opened') }],
    ['a common agent, a rare verb', { agent: learner(0), verb: 'https://bench.example/verbs/glanced-at' }],
    ['agent and activity', { agent: learner(0), activity: 'https://lms.example/activities/0' }],
    ['a common agent, an activity of nobody', { agent: learner(0), activity: 'https://lms.example/programmes/1' }],
    ['verb, ascending, since now', { verb: verb('opened'), ascending: 'true', since: new Date().toISOString() }]
  ]
}

async function fill({ db, tenantId }: BenchService, count: number): Promise<void> {
  for (let first = 0; first < count; first += batchSize) {
    const body = JSON.stringify(Array.from({ length: batchSize }, (_, n) => makeStatement(seed, first + n)))
    const statements = parseStatements(body, { maxStatements: batchSize, maxDepth: 100 })
    const context = { makeId: randomUUID, authority, version: '1.0.3' as const }
    await recordStatements(
      db,
      tenantId,
      statements.map(received => prepareStatement(received, context)),
      { mayDefine: true }
    )
  }
  await sql`vacuum analyze`.execute(db)
}

interface Latency {
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

async function latency({ url, headers }: BenchService, parameters: URLSearchParams): Promise<Latency> {
  const times: number[] = []
  const result = await autocannon({
    url: `${url}/xapi/statements?${parameters}`,
    headers,
    connections,
    duration: seconds,
    setupClient: client => {
      client.on('response', (_status, _bytes, ms) => times.push(ms))
    }
  })
  if (result.non2xx > 0) throw new Error(`${result.non2xx} requests failed: ${parameters}`)
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(share * (times.length - 1))] ?? Number.NaN
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

function shown({ p50, p95, p99 }: Latency): string {
  return `p50 ${p50.toFixed(1)}, p95 ${p95.toFixed(1)}, p99 ${p99.toFixed(1)} ms`
}
