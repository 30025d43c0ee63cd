import { deepStrictEqual } from 'node:assert'
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { sql } from 'kysely'
import t from 'tap'
import { learningEventKinds } from '../../src/events/mapping-rule.js'
import { putPeople } from '../../src/people/put-people.js'
import { enqueueMovedAgents } from '../../src/rollup/enqueue.js'
import { countColumns, learnerDays } from '../../src/rollup/learner-days.js'
import { processQueue } from '../../src/rollup/process-queue.js'
import { recordStatements } from '../../src/rollup/record-statements.js'
import { ensureTenant, type Tenant } from '../../src/store/tenant.js'
import { prepareStatement } from '../../src/xapi/prepare.js'
import { drain } from '../support/app.js'
import { testDatabase } from '../support/database.js'
import { voiding } from '../support/statements.js'
import { type DayCounts, type Deed, naiveLearnerDays } from './naive.js'

const { db } = await testDatabase(t, 6)

const n = 'https://w3id.org/momentum-lrs/'
const agentCount = 6
const personCount = 3
const mboxOf = (agent: number) => `mailto:agent-${agent}@example.org`

/** Either side of the changes of the clock in Berlin, New York and Lord Howe, and one that is still to come. */
const instants = ['2024-03-30T22:00', '2024-10-26T21:00', '2024-03-10T03:00', '2024-04-06T13:00', '2999-01-01T00:00']

const deeds = fc
  .record({
    kind: fc.constantFrom(...learningEventKinds, 'peer-feedback', 'manager-check', 'sneezed'),
    actor: fc.nat(agentCount - 1),
    shape: fc.constantFrom('activity', 'activity', 'agent', 'extension', 'group-actor', 'sub-statement'),
    subject: fc.nat(agentCount - 1),
    instant: fc.constantFrom(...instants),
    minutes: fc.nat(2 * 24 * 60)
  })
  .map(({ instant, minutes, ...parts }): Deed => {
    const timestamp = new Date(Date.parse(`${instant}Z`) + minutes * 60_000).toISOString()
    return { ...parts, id: randomUUID(), timestamp } as Deed
  })

/** One step: so many statements sent, a person put, the queue worked on by so many workers at once. */
const steps = fc.record({
  take: fc.integer({ min: 1, max: 7 }),
  person: fc.option(fc.record({ id: fc.nat(personCount - 1), agents: fc.subarray([0, 1], { minLength: 1 }) })),
  work: fc.option(fc.record({ batchSize: fc.integer({ min: 1, max: 9 }), workers: fc.integer({ min: 1, max: 2 }) })),
  atOnce: fc.boolean()
})

const stories = fc
  .record({
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'),
    deeds: fc.array(deeds, { minLength: 1, maxLength: 25 }),
    voids: fc.array(fc.nat(27), { maxLength: 8 }),
    repeats: fc.array(fc.nat(40), { maxLength: 6 }),
    order: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
    steps: fc.array(steps, { minLength: 1, maxLength: 6 })
  })
  .map(story => {
    // A void may name a deed, another voiding statement, or what never comes.
    const voidIds = story.voids.map(() => randomUUID())
    const targets = story.voids.map(at => story.deeds[at]?.id ?? voidIds[at % 4] ?? randomUUID())
    const sent: Statement[] = [
      ...story.deeds.map(deed => ({ id: deed.id, body: statementOf(deed) })),
      ...targets.map((target, at) => ({ id: voidIds[at] ?? '', body: voiding(target) }))
    ]
    const again = story.repeats.flatMap(at => sent[at] ?? [])
    const ordered = [...sent, ...again]
      .map((statement, at) => ({ statement, place: story.order[at] ?? 0 }))
      .sort((a, b) => a.place - b.place)
      .map(({ statement }) => statement)
    return { ...story, ordered, voided: new Set(targets) }
  })

type Story = typeof stories extends fc.Arbitrary<infer S> ? S : never

interface Statement {
  readonly id: string
  readonly body: object
}

function statementOf({ kind, actor, shape, subject, timestamp }: Deed): object {
  const agent = { mbox: mboxOf(actor) }
  const verb = { id: `${n}verbs/${kind}` }
  const about = { objectType: 'Agent', mbox: mboxOf(subject) }
  const object = { id: 'https://example.org/modules/feedback' }
  if (shape === 'group-actor') return { actor: { objectType: 'Group', ...agent }, verb, object, timestamp }
  if (shape === 'sub-statement') {
    return { actor: agent, verb, object: { objectType: 'SubStatement', actor: agent, verb, object }, timestamp }
  }
  if (shape === 'agent') return { actor: agent, verb, object: about, timestamp }
  const context = shape === 'extension' ? { extensions: { [`${n}extensions/subject`]: about } } : {}
  return { actor: agent, verb, object, context, timestamp }
}

async function send({ id: tenantId }: Tenant, statements: readonly Statement[]): Promise<void> {
  const unique = [...new Map(statements.map(statement => [statement.id, statement])).values()]
  const prepared = unique.map(({ id, body }) =>
    prepareStatement(
      { text: JSON.stringify(body), value: body },
      { id, makeId: randomUUID, authority: '{"mbox":"mailto:lrs@example.org"}', version: '1.0.3' }
    )
  )
  await recordStatements(db, tenantId, prepared, { mayDefine: true })
}

async function put({ id: tenantId }: Tenant, person: { id: number; agents: readonly number[] }): Promise<void> {
  const agents = person.agents.map(at => JSON.stringify(['mbox', mboxOf(person.id + at * personCount)]))
  await putPeople(db, [{ personId: `person-${person.id}`, agents }], {
    tenantId,
    today: '2024-01-01',
    onMoved: (trx, moves) => enqueueMovedAgents(trx, tenantId, moves)
  })
}

/** @returns the agents that were put with a person of the roster. */
async function play(tenant: Tenant, { ordered, steps }: Story): Promise<ReadonlySet<number>> {
  const left = [...ordered]
  const known = new Set<number>()
  for (let at = 0; left.length > 0; at++) {
    const { take = 1, person, work, atOnce } = steps[at % steps.length] ?? {}
    const tasks = [
      () => send(tenant, left.splice(0, take)),
      ...(person ? [() => put(tenant, person)] : []),
      ...Array.from({ length: work?.workers ?? 0 }, () => () => processQueue(db, work?.batchSize ?? 0))
    ]
    if (atOnce) await Promise.all(tasks.map(task => task()))
    else for (const task of tasks) await task()
    for (const agent of person?.agents ?? []) known.add((person?.id ?? 0) + agent * personCount)
  }
  return known
}

/** What a query for learner-days gives, by the persons' names, zeros left out. */
async function read(query: ReturnType<typeof learnerDays>): Promise<Record<string, DayCounts>> {
  const { rows } = await sql<{ who: string; day: string; counts: DayCounts }>`
    select coalesce(person.external_id, agent.ifi) as who, day, to_jsonb(days) as counts
    from (${query}) as days
    left join person on person.tenant_id = days.tenant_id and person.id = days.person_id
    left join agent on agent.tenant_id = days.tenant_id and agent.id = person.first_agent_id`.execute(db)
  return Object.fromEntries(
    rows.map(({ who, day, counts }) => [
      `${who} ${day}`,
      Object.fromEntries(countColumns.map(column => [column, counts[column] ?? 0]).filter(([, count]) => count !== 0))
    ])
  )
}

t.test(
  'the master test: whatever order statements, voids, duplicates and people come in, and however the workers run, learner_day equals a recomputation by hand, and so do the events',
  async t => {
    await fc.assert(
      fc.asyncProperty(stories, async story => {
        const tenant = await ensureTenant(db, randomUUID(), story.timeZone)
        const known = await play(tenant, story)
        await drain(db)
        const now = new Date()
        const expected = naiveLearnerDays({
          timeZone: story.timeZone,
          now,
          deeds: story.deeds,
          voided: story.voided,
          personOf: agent =>
            known.has(agent) ? `person-${agent % personCount}` : JSON.stringify(['mbox', mboxOf(agent)])
        })
        const window = {
          tenantId: tenant.id,
          timeZone: story.timeZone,
          from: '2024-01-01',
          to: '3000-01-01',
          asOf: now
        }
        // Thrown, and not told to tap, so that fast-check looks for the shortest story that fails.
        deepStrictEqual(await read(learnerDays({ ...window, source: 'rollup' })), expected, 'learner_day')
        deepStrictEqual(await read(learnerDays({ ...window, source: 'events' })), expected, 'the events themselves')
      }),
      { numRuns: 100 }
    )
    t.pass('for 100 stories')
  }
)
