import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { Kysely } from 'kysely'
import t from 'tap'
import type { Database } from '../../src/database/schema.js'
import { recordStatements } from '../../src/rollup/record-statements.js'
import { type Cursor, findStatements, type StatementFilter } from '../../src/store/find-statements.js'
import { ensureTenant } from '../../src/store/tenant.js'
import { activitiesIn, agentsIn } from '../../src/xapi/mentions.js'
import { type PreparedStatement, prepareStatement } from '../../src/xapi/prepare.js'
import { type Statement, VOIDED } from '../../src/xapi/statement.js'
import { testDatabase } from '../support/database.js'

const people = ['ada', 'bob', 'cy'].map(name => ({ mbox: `mailto:${name}@x.org` }))
const keys = people.map(({ mbox }) => JSON.stringify(['mbox', mbox]))
const verbs = ['http://x.org/did', 'http://x.org/saw']
const places = ['http://x.org/a', 'http://x.org/b']
const registrations = [randomUUID(), randomUUID()]
const authorities = ['lms', 'app'].map(name => ({ account: { homePage: 'http://x.org', name } }))

/** A statement in the making: numbers point into the lists above; `target` at another draft, which may come later. */
interface Draft {
  readonly actor: number
  readonly verb: number
  readonly place: number
  readonly parent: number | null
  readonly instructor: number | null
  readonly registration: number | null
  readonly authority: number
  readonly target: number | null
  readonly voids: boolean
}

const pick = (list: readonly unknown[]) => fc.nat({ max: list.length - 1 })
const draft: fc.Arbitrary<Draft> = fc.record({
  actor: pick(people),
  verb: pick(verbs),
  place: pick(places),
  parent: fc.option(pick(places)),
  instructor: fc.option(pick(people)),
  registration: fc.option(pick(registrations)),
  authority: pick(authorities),
  target: fc.option(fc.nat({ max: 11 }), { freq: 2 }),
  voids: fc.boolean()
})

const words = {
  verb: fc.constantFrom(...verbs),
  agent: fc.constantFrom(...keys, '["mbox","mailto:nobody@x.org"]'),
  relatedAgents: fc.boolean(),
  activity: fc.constantFrom(...places),
  relatedActivities: fc.boolean(),
  registration: fc.constantFrom(...registrations),
  authority: fc.constantFrom(
    ...authorities.map(({ account }) => JSON.stringify(['account', account.homePage, account.name]))
  )
}
// Filters of one word let most through, those of many nearly nothing: both kinds are asked.
const query: fc.Arbitrary<StatementFilter> = fc.oneof(
  fc.record(words, { requiredKeys: [] }),
  fc.record({ verb: words.verb }),
  fc.record({ agent: words.agent, relatedAgents: words.relatedAgents }),
  fc.record({ activity: words.activity, relatedActivities: words.relatedActivities }),
  fc.record({ registration: words.registration })
)

function statementOf(draft: Draft, ids: readonly string[]): Statement {
  const { actor, verb, place, parent, instructor, registration, target, voids } = draft
  const id = target === null ? undefined : ids[target % ids.length]
  return {
    actor: people[actor] ?? {},
    verb: { id: id !== undefined && voids ? VOIDED : (verbs[verb] ?? '') },
    object: id === undefined ? { id: places[place] ?? '' } : { objectType: 'StatementRef', id },
    context: {
      ...(parent === null ? {} : { contextActivities: { parent: [{ id: places[parent] ?? '' }] } }),
      ...(instructor === null ? {} : { instructor: people[instructor] ?? {} }),
      ...(registration === null ? {} : { registration: registrations[registration] ?? '' })
    }
  }
}

function prepare(draft: Draft, ids: readonly string[], id: string): PreparedStatement {
  const value = statementOf(draft, ids)
  return prepareStatement(
    { text: JSON.stringify(value), value },
    { id, makeId: randomUUID, authority: JSON.stringify(authorities[draft.authority]), version: '2.0.0' }
  )
}

/** The rules of the standard, one statement at a time, without any index: whether it itself meets the filter. */
function meets({ verb, authority, registration, value }: PreparedStatement, filter: StatementFilter): boolean {
  const agents = agentsIn(value)
  const activities = activitiesIn(value)
  const hasAgent = (key: string) =>
    agents.direct.has(key) || (filter.relatedAgents === true && (agents.related.has(key) || authority === key))
  const hasActivity = (iri: string) =>
    activities.direct.has(iri) || (filter.relatedActivities === true && activities.related.has(iri))
  return (
    (filter.verb === undefined || filter.verb === verb) &&
    (filter.registration === undefined || filter.registration === registration) &&
    (filter.agent === undefined || hasAgent(filter.agent)) &&
    (filter.activity === undefined || hasActivity(filter.activity))
  )
}

function naive(stored: readonly PreparedStatement[], filter: StatementFilter): readonly string[] {
  const byId = new Map(stored.map(statement => [statement.id, statement]))
  const chain = (statement: PreparedStatement): readonly PreparedStatement[] => {
    const seen = new Set<PreparedStatement>()
    let next: PreparedStatement | undefined = statement
    while (next !== undefined && !seen.has(next)) {
      seen.add(next)
      next = byId.get(next.refersTo ?? '')
    }
    return [...seen]
  }
  const isVoided = ({ id, voids }: PreparedStatement) => voids === null && stored.some(other => other.voids === id)
  return stored
    .filter(statement => !isVoided(statement))
    .filter(({ authority }) => filter.authority === undefined || filter.authority === authority)
    .filter(statement => chain(statement).some(link => meets(link, filter)))
    .map(({ id }) => id)
}

async function readAll(
  db: Kysely<Database>,
  tenantId: number,
  filter: StatementFilter,
  page: { ascending: boolean; limit: number }
) {
  const pages: string[][] = []
  let after: Cursor | null = null
  do {
    const found: Awaited<ReturnType<typeof findStatements>> = await findStatements(db, tenantId, filter, {
      ...page,
      after
    })
    pages.push(found.statements.map(({ text }) => (JSON.parse(text) as { id: string }).id))
    after = found.next
  } while (after !== null)
  return pages
}

t.test(
  'xAPI 1.0.3 Communication 2.1.3: every filter finds what the rules say, references in any order of arrival',
  async t => {
    const { db } = await testDatabase(t)
    let tenants = 0
    const property = fc.asyncProperty(
      fc.array(draft, { minLength: 1, maxLength: 12, size: 'max' }),
      fc.array(fc.nat({ max: 3 }), { minLength: 12, maxLength: 12 }),
      fc.array(query, { minLength: 4, maxLength: 4 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 5 }),
      async (drafts, cuts, filters, ascending, limit) => {
        const { id: tenantId } = await ensureTenant(db, `tenant ${tenants++}`, 'UTC')
        const ids = drafts.map(() => randomUUID())
        const prepared = drafts.map((draft, index) => prepare(draft, ids, ids[index] ?? ''))
        for (let at = 0, cut = 0; at < prepared.length; cut++) {
          const size = 1 + (cuts[cut] ?? 0)
          await recordStatements(db, tenantId, prepared.slice(at, at + size), { mayDefine: true })
          at += size
        }
        for (const filter of filters) {
          const pages = await readAll(db, tenantId, filter, { ascending, limit })
          const expected = naive(prepared, filter)
          t.strictSame(pages.flat(), ascending ? expected : [...expected].reverse(), JSON.stringify(filter))
          t.ok(pages.length === 1 || pages.every(page => page.length > 0), 'no page is empty but an only one')
        }
      }
    )
    await fc.assert(property, { numRuns: 60 })
  }
)

t.test('references and their targets that are stored at once by many writers all find each other', async t => {
  const { db } = await testDatabase(t, 12)
  const { id: tenantId } = await ensureTenant(db, 'many', 'UTC')
  const base: Draft = {
    actor: 0,
    verb: 0,
    place: 0,
    parent: null,
    instructor: null,
    registration: null,
    authority: 0,
    target: null,
    voids: false
  }
  const ids = Array.from({ length: 24 }, () => randomUUID())
  // Each even one is a target, each odd one, by somebody else, refers to the one before it.
  const prepared = ids.map((id, index) =>
    prepare(index % 2 === 0 ? base : { ...base, actor: 1, target: index - 1 }, ids, id)
  )
  await Promise.all(prepared.map(statement => recordStatements(db, tenantId, [statement], { mayDefine: true })))
  const found = await readAll(db, tenantId, { agent: keys[0] ?? '' }, { ascending: true, limit: 100 })
  t.strictSame(new Set(found.flat()), new Set(ids))
})
