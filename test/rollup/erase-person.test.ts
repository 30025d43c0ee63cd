import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import t from 'tap'
import { openDatabase } from '../../src/database/open.js'
import type { Database } from '../../src/database/schema.js'
import { putPeople } from '../../src/people/put-people.js'
import { rehearsePeople } from '../../src/people/rehearse-people.js'
import { erasePerson } from '../../src/rollup/erase-person.js'
import { processQueue } from '../../src/rollup/process-queue.js'
import { recordStatements } from '../../src/rollup/record-statements.js'
import { consistentThrough } from '../../src/store/consistent-through.js'
import { findStatements } from '../../src/store/find-statements.js'
import { putDocument } from '../../src/store/put-document.js'
import { ensureTenant } from '../../src/store/tenant.js'
import { testDatabase } from '../support/database.js'
import { receiveStatements } from '../support/receive.js'
import { opened, voiding } from '../support/statements.js'

const ada = { mbox: 'mailto:ada@example.org' }
const ben = { mbox: 'mailto:ben@example.org' }
const cem = { account: { homePage: 'https://lms.example', name: 'cem' } }
const identifier = '["mbox","mailto:ada@example.org"]'
const persons = [ada, ben, cem]
const verbs = ['opened', 'completed-task', 'peer-feedback', 'completed', 'posted', 'assessed']
const authority = '{"objectType":"Agent","account":{"homePage":"https://lms.example","name":"lms"}}'

async function start(t: Parameters<typeof testDatabase>[0]) {
  const test = await testDatabase(t)
  const { id: tenantId } = await ensureTenant(test.db, 'first', 'UTC')
  return { ...test, tenantId }
}

const store = (db: Kysely<Database>, tenantId: number, statements: readonly unknown[], mayDefine = true) =>
  recordStatements(db, tenantId, receiveStatements(statements, authority), { mayDefine })

async function drain(db: Kysely<Database>) {
  while ((await processQueue(db, 100)) > 0);
}

const erase = (db: Kysely<Database>, tenantId: number, options = {}) =>
  erasePerson(
    db,
    { agents: [identifier] },
    { tenantId, requestedBy: 'test', isDryRun: false, passSize: 5000, ...options }
  )

/** All that statements are found by and counted as, in words instead of numbers. */
async function derivedOf(db: Kysely<Database>, tenantId: number) {
  const rows = async (query: ReturnType<typeof sql>) =>
    (await query.execute(db)).rows.map(row => JSON.stringify(row)).sort()
  const joined = sql`join statement as s on s.tenant_id = l.tenant_id and s.seq = l.seq
    join statement as v on v.tenant_id = l.tenant_id and v.seq = l.via_seq`
  return {
    statements: await rows(sql`select id, voids, refers_to, registration from statement where tenant_id = ${tenantId}`),
    agents: await rows(sql`
      select s.id, v.id as via, ifi, is_related from statement_agent as l ${joined}
      join agent on agent.tenant_id = l.tenant_id and agent.id = l.agent_id where l.tenant_id = ${tenantId}`),
    activities: await rows(sql`
      select s.id, v.id as via, iri, is_related from statement_activity as l ${joined}
      join activity on activity.tenant_id = l.tenant_id and activity.id = l.activity_id where l.tenant_id = ${tenantId}`),
    references: await rows(sql`
      select s.id, v.id as via, l.registration from statement_reference as l ${joined} where l.tenant_id = ${tenantId}`),
    counts: await rows(sql`
      select (select count(*) from statement_agent where tenant_id = ${tenantId}) as agents,
        (select count(*) from statement_activity where tenant_id = ${tenantId}) as activities,
        (select count(*) from statement_reference where tenant_id = ${tenantId}) as references`),
    events: await rows(sql`
      select statement_id, kind, day from learning_event where tenant_id = ${tenantId}`),
    days: await rows(sql`
      select ifi, to_jsonb(learner_day) - 'person_id' - 'tenant_id' as day from learner_day
      join person_agent using (tenant_id, person_id)
      join agent on agent.tenant_id = person_agent.tenant_id and agent.id = agent_id
      where learner_day.tenant_id = ${tenantId}`),
    steps: await rows(sql`select step, day, before, followed_on from learner_step where tenant_id = ${tenantId}`),
    attempts: await rows(sql`
      select scale, day, before, after, attempts, alone, first_score, last_score, best_score from learner_attempt
      where tenant_id = ${tenantId}`),
    begun: await rows(sql`select begun, completed from learner_begun where tenant_id = ${tenantId}`),
    // Whosever they are, so that rows of nobody are seen too.
    time: await rows(sql`select to_jsonb(l) - 'person_id' - 'tenant_id' as row from learner_time as l
      where tenant_id = ${tenantId}`),
    categories: await rows(sql`
      select begins, scales, ones, twos, fours from learner_categories where tenant_id = ${tenantId}`)
  }
}

const person = fc.constantFrom(...persons)

/** A deed about somebody whom the subject extension names. */
const aboutSomebody = fc.record({
  actor: person,
  verb: fc.constant({ id: 'https://w3id.org/momentum-lrs/verbs/peer-feedback' }),
  object: fc.constant(opened.object),
  context: person.map(agent => ({ extensions: { 'https://w3id.org/momentum-lrs/extensions/subject': agent } })),
  timestamp: fc.constant('2026-03-01T10:00:00Z')
})

/** A statement in which anybody may stand anywhere, or one that refers to another or voids it, in any order. */
const randomStatement = (ids: readonly string[]) =>
  fc.record({
    actor: fc.oneof(
      person,
      fc.record({ objectType: fc.constant('Group'), member: fc.array(person, { minLength: 1, maxLength: 2 }) })
    ),
    verb: fc.constantFrom(...verbs).map(verb => ({ id: `https://w3id.org/momentum-lrs/verbs/${verb}` })),
    object: fc.oneof(
      fc.constant(opened.object),
      person.map(agent => ({ objectType: 'Agent', ...agent })),
      fc.constantFrom(...ids).map(id => ({ objectType: 'StatementRef', id })),
      person.map(actor => ({ objectType: 'SubStatement', actor, verb: opened.verb, object: opened.object }))
    ),
    context: fc.record(
      {
        registration: fc.constantFrom(...ids),
        instructor: person,
        contextActivities: fc.constant({
          parent: [{ id: 'https://example.org/courses/1' }],
          category: [{ id: 'https://example.org/categories/1' }]
        })
      },
      { requiredKeys: [] }
    ),
    timestamp: fc.constantFrom('2026-03-01T10:00:00Z', '2026-03-02T10:00:00Z'),
    result: fc.constantFrom({ score: { scaled: 0.5 } }, { score: { raw: 1, min: 0, max: 4 } }, {})
  })

const world = fc.uniqueArray(fc.uuid(), { minLength: 4, maxLength: 8 }).chain(ids =>
  fc.tuple(
    ...ids.map(id =>
      fc.oneof(
        { weight: 1, arbitrary: aboutSomebody.map(statement => ({ ...statement, id })) },
        { weight: 4, arbitrary: randomStatement(ids).map(statement => ({ ...statement, id })) },
        {
          weight: 1,
          arbitrary: fc
            .tuple(person, fc.constantFrom(...ids))
            .map(([actor, target]) => ({ ...voiding(target), actor, id, context: { instructor: ben } }))
        }
      )
    )
  )
)

t.test('59: after an erasure, all is as if what remains had been all that was ever stored', async t => {
  const { db } = await start(t)
  await fc.assert(
    fc.asyncProperty(world, fc.constantFrom(1, 2, 5000), async (statements, passSize) => {
      const [{ id: here }, { id: there }] = [
        await ensureTenant(db, randomUUID(), 'UTC'),
        await ensureTenant(db, randomUUID(), 'UTC')
      ]
      await store(db, here, statements)
      await drain(db)
      const { statements: gone, voids } = await erase(db, here, { passSize })
      await drain(db)
      const rest = await db.selectFrom('statement').selectAll().where('tenant_id', '=', here).orderBy('seq').execute()
      const names = (text: string) => text.includes('ada@example.org')
      t.notOk(rest.some(({ text }) => names(text)))
      const kept = statements.filter(statement => !names(JSON.stringify(statement)))
      t.equal(rest.length, kept.length + voids, 'what does not name the person stays')
      t.equal(gone + rest.length, statements.length)
      const again = rest.map(({ text }) => JSON.parse(text))
      if (again.length > 0) await store(db, there, again)
      await drain(db)
      t.same(await derivedOf(db, here), await derivedOf(db, there))
    }),
    { numRuns: 40 }
  )
})

t.test('59: what an erased person voided stays void, with nobody in it; of what is gone nothing is left', async t => {
  const { db, tenantId } = await start(t)
  const [target, own, missing] = [randomUUID(), randomUUID(), randomUUID()]
  const result = { response: 'because of ada@example.org' }
  const voids = [target, own, missing].map(id => ({ ...voiding(id), id: randomUUID(), actor: ada, result }))
  await store(db, tenantId, [{ ...opened, actor: ben, id: target }, { ...opened, id: own }, ...voids])
  t.match(await erase(db, tenantId), { statements: 2, voids: 2 })
  const rest = await db.selectFrom('statement').select(['id', 'text', 'voids']).orderBy('seq').execute()
  t.same(
    rest.map(({ id }) => id),
    [target, voids[0]?.id, voids[2]?.id]
  )
  for (const { text, voids } of rest.slice(1)) {
    const { id: _id, stored: _stored, timestamp: _timestamp, ...left } = JSON.parse(text)
    t.same(left, {
      actor: { objectType: 'Agent', account: { homePage: 'https://w3id.org/momentum-lrs/erased', name: 'erased' } },
      verb: { id: 'http://adlnet.gov/expapi/verbs/voided' },
      object: { objectType: 'StatementRef', id: voids },
      authority: JSON.parse(authority),
      version: '1.0.0'
    })
  }
  t.match(await erase(db, tenantId), { statements: 0, voids: 0, agents: 0 }, 'once more there is nothing to erase')
})

t.test('59: a process that remembers an erased agent writes the new facts under a new number', async t => {
  const { db, tenantId, connection } = await start(t)
  const other = openDatabase({ connection, poolSize: 2, onError: () => undefined })
  t.teardown(() => other.db.destroy())
  const named = { ...ada, name: 'Ada' }
  const address = {
    tenantId,
    resource: 'agent-profile',
    activity: null,
    agent: identifier,
    registration: null,
    documentId: 'p'
  } as const
  const document = () => ({ contentType: 'text/plain', content: Buffer.from('a') })
  const people = () =>
    putPeople(other.db, [{ personId: '1', agents: [identifier] }], {
      tenantId,
      today: '2026-03-01',
      onMoved: async () => undefined
    })
  const writes = [
    () => store(other.db, tenantId, [{ ...opened, actor: named }]),
    () => putDocument(other.db, address, document),
    people
  ]
  for (const write of writes) {
    await store(other.db, tenantId, [{ ...opened, actor: named }])
    const [before] = await db.selectFrom('agent').selectAll().where('ifi', '=', identifier).execute()
    await erase(db, tenantId)
    await write()
    const after = await db.selectFrom('agent').selectAll().where('ifi', '=', identifier).execute()
    t.equal(after.length, 1)
    t.not(after[0]?.id, before?.id)
    for (const table of ['statement_agent', 'document', 'agent_name', 'person_agent'] as const) {
      const rows = await db.selectFrom(table).select('agent_id').execute()
      t.notOk(
        rows.some(({ agent_id }) => agent_id === before?.id),
        table
      )
    }
  }
  await erase(db, tenantId)
  await store(other.db, tenantId, [{ ...opened, actor: named }])
  const names = await db.selectFrom('agent_name').select('name').execute()
  t.same(names, [{ name: '"Ada"' }], 'a name that was remembered as kept is kept again')
})

t.test('59: a dry run in a process that remembers an erased agent takes it for a new one', async t => {
  const { db, tenantId, connection } = await start(t)
  const other = openDatabase({ connection, poolSize: 2, onError: () => undefined })
  t.teardown(() => other.db.destroy())
  await store(other.db, tenantId, [opened])
  await erase(db, tenantId)
  const context = { tenantId, today: '2026-03-01', onMoved: async () => undefined }
  const { created, changes } = await rehearsePeople(other.db, [{ personId: '1', agents: [identifier] }], context)
  t.match({ created, changes }, { created: 1, changes: [{ agentsAdded: [identifier], agentsMoved: [] }] })
  t.same(await db.selectFrom('agent').select('id').where('ifi', '=', identifier).execute(), [])
})

t.test('59: a process that reads finds the new facts of an erased agent up to Consistent-Through', async t => {
  const { db, tenantId, connection } = await start(t)
  const other = openDatabase({ connection, poolSize: 2, onError: () => undefined })
  t.teardown(() => other.db.destroy())
  const page = { ascending: true, limit: 10, after: null }
  const find = async () => (await findStatements(other.db, tenantId, { agent: identifier }, page)).statements
  await store(db, tenantId, [opened])
  t.equal((await find()).length, 1)
  await erase(db, tenantId)
  await store(db, tenantId, [opened])
  const [row] = await sql<{ stored: string }>`
    select to_char(stored at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as stored from statement
  `
    .execute(db)
    .then(({ rows }) => rows)
  while ((await consistentThrough(other.db, tenantId)) <= String(row?.stored));
  t.equal((await find()).length, 1)
})

t.test('59: erasures, writers and workers at once leave nothing half-erased', async t => {
  const { db, tenantId } = await start(t)
  const actor = { objectType: 'Group', member: [ada, ben] }
  let isWriting = true
  const write = async () => {
    for (let round = 0; round < 12; round++) {
      const id = randomUUID()
      await store(db, tenantId, [
        { ...opened, id },
        { ...opened, actor },
        { ...opened, actor: ben, object: { objectType: 'StatementRef', id } }
      ])
    }
  }
  const written = Promise.all([write(), write()]).finally(() => {
    isWriting = false
  })
  const work = async (step: () => Promise<unknown>) => {
    while (isWriting) await step()
  }
  await Promise.all([written, work(() => processQueue(db, 20)), work(() => erase(db, tenantId))])
  await drain(db)
  const { rows } = await sql<{ dead: number }>`
    select count(*) as dead from statement_agent as link where not exists (
      select from agent where agent.tenant_id = link.tenant_id and agent.id = link.agent_id)`.execute(db)
  t.equal(rows[0]?.dead, 0)
  await erase(db, tenantId)
  await drain(db)
  const left = await db.selectFrom('statement').select('text').execute()
  t.equal(left.length, 24, 'the referrers, who name nobody else')
  t.notOk(left.some(({ text }) => text.includes('ada@')))
  t.same(await db.selectFrom('statement_reference').selectAll().execute(), [])
  const days = await db.selectFrom('learner_day').select('opened').execute()
  t.equal(
    days.reduce((sum, { opened }) => sum + opened, 0),
    24
  )
})

t.test('59: a person with more statements than one transaction takes is erased in several', async t => {
  const { db, tenantId } = await start(t)
  await store(
    db,
    tenantId,
    Array.from({ length: 1203 }, () => opened)
  )
  const dry = await erase(db, tenantId, { isDryRun: true, passSize: 500 })
  t.match(dry, { id: null, statements: 1203, learningEvents: 1203, agents: 1 })
  const erased = await erase(db, tenantId, { passSize: 500 })
  t.same({ ...erased, id: null }, dry)
  const log = await db.selectFrom('erasure').selectAll().execute()
  t.match(log, [{ id: erased.id, statements: 1203, requested_by: 'test', finished_at: /^2/ }])
})
