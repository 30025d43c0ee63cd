import type pg from 'pg'
import type { BenchService } from './service.js'

interface Query {
  readonly text: string
  readonly values: readonly unknown[]
  readonly ms: number
}

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Actual Total Time': number
  readonly Plans?: readonly PlanNode[]
}

const shownNodes = 3

/**
 * Tells where the time of an answer's slowest query goes: how many queries there are, how long that one takes by
 * `explain analyze`, and the steps of its plan that take the most of it themselves.
 *
 * @param ask asks once for the answer; nothing else may use the pool meanwhile.
 */
export async function slowestPlan({ pool }: BenchService, ask: () => Promise<unknown>): Promise<string> {
  const queries = await queriesOf(pool, ask)
  const slowest = queries.reduce<Query | null>((most, one) => (most === null || one.ms > most.ms ? one : most), null)
  if (slowest === null) return 'no query'
  const { rows } = await pool.query<{ 'QUERY PLAN': readonly [{ readonly Plan: PlanNode }] }>({
    text: `explain (analyze, format json) ${slowest.text}`,
    values: [...slowest.values]
  })
  const plan = rows[0]?.['QUERY PLAN'][0].Plan
  if (plan === undefined) return 'no plan'
  const nodes = allOf(plan)
    .map(node => ({ node, ms: ownMs(node) }))
    .sort((a, b) => b.ms - a.ms)
  const told = nodes.slice(0, shownNodes).map(({ node, ms }) => `${nameOf(node)} ${ms.toFixed(1)} ms`)
  const count = `${queries.length} ${queries.length === 1 ? 'query' : 'queries'}`
  return `${count}, the slowest ${plan['Actual Total Time'].toFixed(0)} ms: ${told.join(', ')}`
}

/** What is asked of PostgreSQL meanwhile, and how long each query took. */
async function queriesOf(pool: pg.Pool, ask: () => Promise<unknown>): Promise<readonly Query[]> {
  const queries: Query[] = []
  const watched = new Map<pg.PoolClient, pg.PoolClient['query']>()
  const watch = (client: pg.PoolClient) => {
    if (watched.has(client)) return
    const query = client.query.bind(client) as (...args: unknown[]) => unknown
    watched.set(client, client.query)
    const timed = (...args: unknown[]) => {
      const began = performance.now()
      const answer = query(...args)
      const asked = textOf(args)
      const note = () => queries.push({ ...asked, ms: performance.now() - began })
      if (answer instanceof Promise && /^\s*(select|with)/i.test(asked.text)) answer.then(note, () => undefined)
      return answer
    }
    client.query = timed as pg.PoolClient['query']
  }
  pool.on('acquire', watch)
  try {
    await ask()
  } finally {
    pool.off('acquire', watch)
    for (const [client, query] of watched) client.query = query
  }
  return queries
}

/** The ways in which the driver is given a query: text and values, or an object with both. */
function textOf([first, second]: readonly unknown[]): Pick<Query, 'text' | 'values'> {
  const { text = '', values = [] } = typeof first === 'string' ? { text: first } : (first as Partial<Query>)
  return { text, values: Array.isArray(second) ? second : values }
}

function allOf(node: PlanNode): readonly PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(allOf)]
}

/** Without that of the steps below it, in milliseconds. */
function ownMs(node: PlanNode): number {
  const all = (one: PlanNode) => one['Actual Total Time'] * one['Actual Loops']
  return all(node) - (node.Plans ?? []).reduce((sum, one) => sum + all(one), 0)
}

function nameOf(node: PlanNode): string {
  const place = node['Index Name'] ?? node['Relation Name']
  const rows = Math.round(node['Actual Rows'] * node['Actual Loops']).toLocaleString('en')
  return `${node['Node Type']}${place === undefined ? '' : ` ${place}`} (${rows} rows)`
}
