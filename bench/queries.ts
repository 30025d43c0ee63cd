import { cpuMeter } from './cpu-meter.js'
import { fill } from './fill.js'
import type { Measurement } from './ingest.js'
import { shownPercentiles } from './latency.js'
import { readLatency } from './read-load.js'
import { type BenchService, startBenchService, vacuum } from './service.js'
import { idOf } from './statements.js'

/** Of the statements that are asked for. */
export const querySeed = 5

/**
 * Measures the first page of every kind of query, for values that match a third of the table, a few rows and nothing, and
 * a page far behind.
 *
 * @param count statements in the table
 */
export async function benchQueries(count: number): Promise<readonly Measurement[]> {
  const service = await startBenchService()
  try {
    await fill(service, querySeed, count)
    await vacuum(service.pool)
    return await measureQueries(service, count)
  } finally {
    await service.stop()
  }
}

/** The same of a table that is filled with statements of `querySeed`. */
export async function measureQueries(service: BenchService, count: number): Promise<readonly Measurement[]> {
  const statementId = idOf(querySeed, Math.floor(count / 2))
  const pages: readonly (readonly [string, string])[] = [
    [`by id, ${count.toLocaleString('en')} statements`, `/xapi/statements?statementId=${statementId}`],
    ...cases(count).map(
      ([what, query]) => [what, `/xapi/statements?${new URLSearchParams({ limit: '100', ...query })}`] as const
    ),
    ['verb, the commonest, its 50th page', await pageBehind(service, 50)]
  ]
  // For nothing: the first would tell of a process that has just begun.
  for (const [, page] of pages.slice(0, 2)) await readLatency(service, page)
  const measured: Measurement[] = []
  let yardstick: number | undefined
  for (const [what, page] of pages) {
    const cpu = await cpuMeter(service)
    const found = await readLatency(service, page)
    yardstick ??= found.p95
    const value = `${shownPercentiles(found)}; ${await cpu(found.n)}`
    process.stderr.write(`${what}: ${value}\n`)
    measured.push({ what, value, ratio: (found.p95 / yardstick).toFixed(1) })
  }
  return measured
}

/** The path of a page of the commonest verb, so many pages after the first. */
async function pageBehind({ url, headers }: BenchService, pages: number): Promise<string> {
  let path = `/xapi/statements?${new URLSearchParams({ limit: '100', verb: verbOf('opened') })}`
  for (let page = 0; page < pages; page++) {
    const { more } = (await (await fetch(`${url}${path}`, { headers })).json()) as { readonly more: string }
    if (more === '') break
    path = more
  }
  return path
}

function verbOf(name: string): string {
  return `https://w3id.org/momentum-lrs/verbs/${name}`
}

function cases(count: number): readonly (readonly [string, Readonly<Record<string, string>>])[] {
  const learner = (n: number) => JSON.stringify({ account: { homePage: 'https://lms.example', name: `learner-${n}` } })
  const instructor = JSON.stringify({ mbox: 'mailto:instructor-0@lms.example' })
  const bench = JSON.stringify({ account: { homePage: 'https://bench.example', name: 'bench' } })
  const registration = idOf(querySeed, -1 - (Math.floor(count / 2) % 5000))
  return [
    ['no filter', {}],
    ['verb, the commonest', { verb: verbOf('opened') }],
    ['verb, unknown', { verb: 'https://bench.example/verbs/never' }],
    ['agent, the commonest', { agent: learner(0) }],
    ['agent, a rare one', { agent: learner(15_000) }],
    ['activity, the commonest', { activity: 'https://lms.example/activities/0' }],
    ['registration', { registration }],
    ['related_agents, instructor', { agent: instructor, related_agents: 'true' }],
    ['related_agents, the authority of all', { agent: bench, related_agents: 'true' }],
    ['related_activities, the commonest', { activity: 'https://lms.example/courses/0', related_activities: 'true' }],
    ['agent and verb, both common', { agent: learner(0), verb: verbOf('opened') }],
    ['a common agent, a rare verb', { agent: learner(0), verb: 'https://bench.example/verbs/glanced-at' }],
    ['agent and activity', { agent: learner(0), activity: 'https://lms.example/activities/0' }],
    ['a common agent, an activity of nobody', { agent: learner(0), activity: 'https://lms.example/programmes/1' }],
    ['verb, ascending, since now', { verb: verbOf('opened'), ascending: 'true', since: new Date().toISOString() }]
  ]
}
