import { randomUUID } from 'node:crypto'
import { type RawBuilder, sql } from 'kysely'
import t from 'tap'
import { recordStatements } from '../../src/rollup/record-statements.js'
import { chooseTrail } from '../../src/store/choose-trail.js'
import { branchesOf, type ResolvedFilter, trailsOf } from '../../src/store/statement-branches.js'
import { ensureTenant } from '../../src/store/tenant.js'
import { prepareStatement } from '../../src/xapi/prepare.js'
import { testDatabase } from '../support/database.js'

const { db, pool } = await testDatabase(t)
const { id: tenantId } = await ensureTenant(db, 'plans', 'UTC')

const verb = (name: string) => `http://x.org/${name}`
const registration = '5f0a3f6a-93ab-4b6c-8d1c-1f4f6f0e6d01'
const count = 6000

/** Most are of one learner, verb and activity, which go together; of a few the verb, of others the activity is rare. */
const prepared = Array.from({ length: count }, (_, n) => {
  const value = {
    actor: { mbox: n % 5 === 0 ? `mailto:learner-${n % 50}@x.org` : 'mailto:ada@x.org' },
    verb: { id: verb(n % 1000 === 1 ? 'rarely' : n % 5 === 0 ? 'seldom' : 'did') },
    object: {
      id: n % 1000 === 2 ? 'http://x.org/rare' : n % 5 === 0 ? `http://x.org/a${n % 35}` : 'http://x.org/often'
    },
    ...(n % 3 === 0 ? { context: { registration } } : {})
  }
  return prepare(value)
})

function prepare(value: object) {
  return prepareStatement(
    { text: JSON.stringify(value), value },
    { makeId: randomUUID, authority: '{"mbox":"mailto:lrs@x.org"}', version: '1.0.3' }
  )
}
for (let at = 0; at < count; at += 1000) {
  await recordStatements(db, tenantId, prepared.slice(at, at + 1000), { mayDefine: false })
}
await sql`vacuum analyze`.execute(db)

const numberOf = async (table: 'verb' | 'activity' | 'agent', word: string) => {
  const column = table === 'agent' ? 'ifi' : 'iri'
  const { rows } = await sql<{ id: number }>`
    select id from ${sql.table(table)} where tenant_id = ${tenantId} and ${sql.ref(column)} = ${word}`.execute(db)
  return rows[0]?.id ?? 0
}

const agentId = await numberOf('agent', '["mbox","mailto:ada@x.org"]')
const often = await numberOf('activity', 'http://x.org/often')
const rare = await numberOf('activity', 'http://x.org/rare')
const did = await numberOf('verb', verb('did'))
const rarely = await numberOf('verb', verb('rarely'))

const everything: ResolvedFilter = {
  tenantId,
  verbId: null,
  agentId: null,
  relatedAgents: false,
  activityId: null,
  relatedActivities: false,
  registration: null,
  authorityId: null
}
const combinations: Readonly<Record<string, Partial<ResolvedFilter>>> = {
  nothing: {},
  'a verb': { verbId: did },
  'an agent and a verb': { agentId, verbId: did },
  'an agent and an activity': { agentId, activityId: often },
  'an activity and a verb': { activityId: often, verbId: did },
  'a registration and an agent': { registration, agentId },
  'all of it': { agentId, activityId: often, verbId: did, registration },
  'the broad filters': { agentId, relatedAgents: true, activityId: often, relatedActivities: true, verbId: did }
}
const range = () => sql`true`

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Actual Rows': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly PlanNode[]
}

async function nodesOf(query: RawBuilder<unknown>): Promise<readonly PlanNode[]> {
  const { rows } = await sql<{ 'QUERY PLAN': readonly [{ readonly Plan: PlanNode }] }>`
    explain (analyze, format json) ${query} order by stored desc, seq desc limit 101`.execute(db)
  const all = (node: PlanNode): readonly PlanNode[] => [node, ...(node.Plans ?? []).flatMap(all)]
  return rows.flatMap(row => all(row['QUERY PLAN'][0].Plan))
}

t.test('every branch is read in its order and stops after a page, also where common names go together', async t => {
  for (const [name, given] of Object.entries(combinations)) {
    const filter = { ...everything, ...given }
    for (const trail of trailsOf(filter)) {
      for (const query of branchesOf(filter, trail, range)) {
        const nodes = await nodesOf(query)
        const kinds = nodes.map(node => node['Node Type'])
        const read = nodes.map(node => node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0))
        t.ok(Math.max(...read) < 1000, `${name}, along ${trail}: ${Math.max(...read)} rows of ${count}`)
        t.notOk(
          kinds.some(kind => /Hash|Merge Join/.test(kind)),
          `${name}, along ${trail}: ${kinds}`
        )
      }
    }
  }
})

t.test('the rarest of the names that are asked for is what is read along', async t => {
  const cases: readonly (readonly [Partial<ResolvedFilter>, string])[] = [
    [{}, 'own'],
    [{ agentId }, 'agent'],
    [{ agentId, verbId: did }, 'agent'],
    [{ agentId, verbId: rarely }, 'own'],
    [{ agentId, activityId: often }, 'agent'],
    [{ agentId, activityId: rare }, 'activity'],
    [{ agentId, activityId: rare, relatedAgents: true, relatedActivities: true }, 'activity'],
    [{ activityId: often, verbId: rarely }, 'own'],
    [{ activityId: often, verbId: did }, 'activity']
  ]
  for (const [given, expected] of cases) {
    t.equal(await chooseTrail(db, { ...everything, ...given }, range), expected, JSON.stringify(given))
  }
})

/** What a plan does that knows no values, as a connection keeps it. */
async function genericNodes(query: RawBuilder<unknown>): Promise<readonly string[]> {
  const { sql: text } = sql`explain (generic_plan, format json) ${query} order by stored desc, seq desc
    limit ${101}`.compile(db)
  const { rows } = await pool.query<{ 'QUERY PLAN': readonly [{ readonly Plan: PlanNode }] }>(text)
  const all = (node: PlanNode): readonly string[] => [node['Node Type'], ...(node.Plans ?? []).flatMap(all)]
  return rows.flatMap(row => all(row['QUERY PLAN'][0].Plan))
}

t.test('a plan that is kept for all values reads each branch in its order, too', async t => {
  const referring = prepared.slice(0, 1000).map(({ id }) =>
    prepare({
      actor: { mbox: 'mailto:ada@x.org' },
      verb: { id: verb('did') },
      object: { objectType: 'StatementRef', id }
    })
  )
  await recordStatements(db, tenantId, referring, { mayDefine: false })
  await sql`vacuum analyze`.execute(db)
  for (const [name, given] of Object.entries(combinations)) {
    const filter = { ...everything, ...given }
    for (const trail of trailsOf(filter)) {
      for (const query of branchesOf(filter, trail, range)) {
        const kinds = await genericNodes(query)
        t.notOk(
          kinds.some(kind => /Sort|Hash|Merge Join|Bitmap|Seq Scan/.test(kind)),
          `${name}, along ${trail}: ${kinds}`
        )
      }
    }
  }
})
