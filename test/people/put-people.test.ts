import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import t from 'tap'
import { putRoster } from '../../src/people/put-roster.js'
import { testApp } from '../support/app.js'
import { opened } from '../support/statements.js'

let now = new Date('2026-03-10T23:30:00Z')
const app = await testApp(t, { timeZone: 'Europe/Berlin', now: () => now, config: { maxPeople: 5 } })
const { db, post, putPeople, drain, tenantId } = app

const agentOf = (name: string) => ({ mbox: `mailto:${name}@example.org` })

/** Somebody whom no other test knows. */
function somebody(parts: object = {}) {
  const personId = randomUUID()
  return { personId, agents: [agentOf(personId)], ...parts }
}

async function put(...people: object[]) {
  const response = await putPeople(people)
  if (response.statusCode !== 200) throw new Error(response.body)
  const { created, updated, unchanged } = response.json()
  return [created, updated, unchanged]
}

/** What the roster says of a person, as `[from, to) cohorts`. */
async function rosterOf(personId: string): Promise<readonly string[]> {
  const { rows } = await sql<{ range: string }>`
    select concat(lower(valid), '…', upper(valid), ' ', array_to_string(cohorts, ',')) as range
    from roster join person on person.id = person_id where external_id = ${personId}
    order by valid`.execute(db)
  return rows.map(row => row.range)
}

async function daysOf(agent: { readonly mbox: string }) {
  const { rows } = await sql<{ person: string | null; day: string; opened: number }>`
    select person.external_id as person, learner_day.day, learner_day.opened
    from learner_day join person on person.id = person_id
    where person_id in (select person_id from person_agent join agent on agent.id = agent_id
      where ifi = ${JSON.stringify(['mbox', agent.mbox])})
    order by day`.execute(db)
  return rows
}

t.test('people are created, left unchanged when they are the same, and updated when anything differs', async t => {
  const [ada, ben] = [somebody({ name: 'Ada', cohorts: ['north', 'pilot'] }), somebody()]
  const response = await putPeople([ada, ben])
  t.equal(response.statusCode, 200)
  t.match(response.headers['content-type'], /^application\/json/)
  t.same(response.json(), { received: 2, created: 2, updated: 0, unchanged: 0 })
  t.same(await put(ada, ben), [0, 0, 2])
  t.same(await put({ ...ada, cohorts: ['pilot', 'north', 'pilot'] }), [0, 0, 1], 'cohorts are a set')
  t.same(await put({ ...ada, name: 'Ada L.' }, ben, somebody()), [1, 1, 1])
  t.same(await put({ personId: ada.personId, agents: ada.agents }), [0, 0, 1], 'what is absent stays')
  t.same(await put({ ...ben, agents: [agentOf(randomUUID())] }), [0, 1, 0], 'an agent more')
  t.same(await put(ben), [0, 0, 1], 'agents known before stay')
  t.same(await put({ ...ada, name: 'Ada L.', cohorts: [] }), [0, 1, 0])
  const { rows } = await sql`select name from person where external_id = ${ada.personId}`.execute(db)
  t.same(rows, [{ name: 'Ada L.' }])
  t.same(await put(), [0, 0, 0])
})

t.test('the first record holds for all the past, or from its validFrom', async t => {
  const [always, later] = [somebody({ cohorts: ['north'] }), somebody({ cohorts: ['south'], validFrom: '2026-05-01' })]
  await put(always, later)
  t.same(await rosterOf(always.personId), ['… north'])
  t.same(await rosterOf(later.personId), ['2026-05-01… south'])
})

t.test('a change of cohort closes the range before it, on validFrom or on the tenant’s today', async t => {
  const ada = somebody({ cohorts: ['north'] })
  await put(ada)
  await put({ ...ada, cohorts: ['south'] })
  t.same(await rosterOf(ada.personId), ['…2026-03-11 north', '2026-03-11… south'], 'today in Berlin')
  await put({ ...ada, cohorts: ['east', 'south'], validFrom: '2026-04-01' })
  t.same(await rosterOf(ada.personId), ['…2026-03-11 north', '2026-03-11…2026-04-01 south', '2026-04-01… east,south'])
  t.same(await put({ ...ada, cohorts: ['east', 'south'], validFrom: '2026-04-01' }), [0, 0, 1])
  t.same(await put({ ...ada, cohorts: ['south', 'east'], validFrom: '2026-06-01' }), [0, 0, 1], 'it says so already')
})

t.test('a record from an earlier day puts right all that came after that day', async t => {
  const ada = somebody({ cohorts: ['north'], validFrom: '2026-01-01' })
  await put(ada)
  await put({ ...ada, cohorts: ['south'], validFrom: '2026-02-01' })
  await put({ ...ada, cohorts: ['east'], validFrom: '2026-03-01' })
  await put({ ...ada, cohorts: ['west'], validFrom: '2026-02-01' })
  t.same(await rosterOf(ada.personId), ['2026-01-01…2026-02-01 north', '2026-02-01… west'])
  await put({ ...ada, cohorts: ['west'], validFrom: '2025-12-01' })
  t.same(await rosterOf(ada.personId), ['2025-12-01… west'])
  await put({ ...ada, cohorts: ['north'], validFrom: '2026-02-01' })
  t.same(await put({ ...ada, cohorts: ['west'], validFrom: '2026-01-01' }), [0, 1, 0], 'the same, but not to the end')
  t.same(await rosterOf(ada.personId), ['2025-12-01…2026-01-01 west', '2026-01-01… west'])
})

t.test('cohorts left out stay as they are on the day', async t => {
  const { cohorts, ...ada } = somebody({ cohorts: ['north'], validFrom: '2026-02-01' }) as Required<
    ReturnType<typeof somebody>
  > & { cohorts: string[] }
  await put({ ...ada, cohorts })
  t.same(await put({ ...ada, validFrom: '2026-03-01' }), [0, 0, 1])
  t.same(await put({ ...ada, validFrom: '2026-01-01' }), [0, 1, 0], 'earlier than known: no cohort is known for then')
  t.same(await rosterOf(ada.personId), ['2026-01-01… '])
})

t.test('an agent belongs to one person: another’s is 409 with index, and nothing is changed', async t => {
  const [ada, ben] = [somebody(), somebody()]
  await put(ada)
  const response = await putPeople([somebody(), { ...ben, agents: [...ben.agents, ...ada.agents] }])
  t.equal(response.statusCode, 409)
  t.match(response.headers['content-type'], /^application\/problem\+json/)
  t.match(response.json(), {
    code: 'people-conflict',
    status: 409,
    index: 1,
    pointer: '/agents/1',
    detail: new RegExp(ada.personId)
  })
  t.same(await rosterOf(ben.personId), [])
  const twice = await putPeople([ben, { ...somebody(), agents: ben.agents }])
  t.match(twice.json(), { code: 'people-conflict', index: 1, pointer: '/agents/0' })
  t.same(await put({ ...ben, agents: [...ben.agents, ...ben.agents] }), [1, 0, 0], 'twice in one person is one')
})

t.test('a person given twice is 400 with index', async t => {
  const ada = somebody()
  const response = await putPeople([ada, somebody(), { ...somebody(), personId: ada.personId }])
  t.equal(response.statusCode, 400)
  t.match(response.json(), { code: 'invalid-body', index: 2, pointer: '/personId' })
})

t.test('what breaks the schema is 400 as problem details, with index and pointer', async t => {
  const ada = somebody()
  const table: [unknown, object][] = [
    [[ada, { ...ada, personId: '' }], { index: 1, pointer: '/personId' }],
    [[{ ...ada, personId: 'a\u0000b' }], { index: 0, pointer: '/personId' }],
    [[{ ...ada, personId: 'a\ud800b' }], { index: 0, pointer: '/personId' }],
    [[{ ...ada, personId: 7 }], { index: 0, pointer: '/personId' }],
    [[{ ...ada, name: 'x'.repeat(501) }], { index: 0, pointer: '/name' }],
    [[{ ...ada, agents: [] }], { index: 0, pointer: '/agents' }],
    [[{ ...ada, agents: ['ada'] }], { index: 0, pointer: '/agents/0' }],
    [[{ ...ada, cohorts: ['ok', 'a\nb'] }], { index: 0, pointer: '/cohorts/1' }],
    [[{ ...ada, cohorts: 'north' }], { index: 0, pointer: '/cohorts' }],
    [[{ ...ada, validFrom: '2026-02-30' }], { index: 0, pointer: '/validFrom' }],
    [[{ ...ada, validFrom: '0000-01-01' }], { index: 0, pointer: '/validFrom' }],
    [[{ ...ada, validFrom: null }], { index: 0, pointer: '/validFrom' }],
    [[{ ...ada, salary: 7 }], { index: 0, pointer: '/salary', detail: 'Person 0, /salary: there is no such field' }],
    [[{ agents: ada.agents }], { index: 0 }],
    [[null], { index: 0, pointer: '' }],
    [{ people: [ada] }, { pointer: '' }],
    [
      [{ ...ada, agents: [agentOf('ok'), { mbox: 'ada' }] }],
      { index: 0, pointer: '/agents/1/mbox', rule: 'xAPI 1.0.3 Data 2.4.2.3 mbox' }
    ],
    [[{ ...ada, agents: [{}] }], { index: 0, pointer: '/agents/0' }],
    [[{ ...ada, agents: [{ objectType: 'Group', member: [] }] }], { index: 0, pointer: '/agents/0' }]
  ]
  for (const [body, place] of table) {
    const response = await putPeople(body)
    t.equal(response.statusCode, 400, JSON.stringify(body).slice(0, 200))
    t.match(response.json(), { code: 'invalid-body', status: 400, ...place })
  }
  for (const body of ['', '{', '[1,]']) t.match((await putPeople(body)).json(), { code: 'invalid-json', status: 400 })
})

t.test('more people than MAX_PEOPLE are 413', async t => {
  const response = await putPeople(Array.from({ length: 6 }, () => somebody()))
  t.equal(response.statusCode, 413)
  t.match(response.json(), { code: 'body-too-large', detail: /6 people are more than the 5/ })
})

t.test('the events of a provisional person become those of the roster’s', async t => {
  const ada = somebody()
  const other = agentOf(randomUUID())
  const [agent = other] = ada.agents
  await post([
    { ...opened, actor: agent, timestamp: '2026-03-02T10:00:00Z' },
    { ...opened, actor: agent, timestamp: '2026-03-03T10:00:00Z' },
    { ...opened, actor: other, timestamp: '2026-03-02T10:00:00Z' }
  ])
  await drain()
  t.same(await daysOf(agent), [
    { person: null, day: '2026-03-02', opened: 1 },
    { person: null, day: '2026-03-03', opened: 1 }
  ])
  await put(ada)
  await drain()
  t.same(await daysOf(agent), [
    { person: ada.personId, day: '2026-03-02', opened: 1 },
    { person: ada.personId, day: '2026-03-03', opened: 1 }
  ])
  await put({ ...ada, agents: [other] })
  await drain()
  t.same(await daysOf(other), [
    { person: ada.personId, day: '2026-03-02', opened: 2 },
    { person: ada.personId, day: '2026-03-03', opened: 1 }
  ])
  const { rows } = await sql`
    select from learner_day join person on person.id = person_id
    where external_id is null and learner_day.tenant_id = ${tenantId}`.execute(db)
  t.equal(rows.length, 0, 'nothing is left with the provisional persons')
})

t.test('people of tenants never meet', async t => {
  const other = await app.addCaller('other')
  const ada = somebody({ cohorts: ['north'] })
  await put(ada)
  t.same((await other.putPeople([{ ...ada, cohorts: ['south'] }])).json(), {
    received: 1,
    created: 1,
    updated: 0,
    unchanged: 0
  })
  t.same((await rosterOf(ada.personId)).toSorted(), ['… north', '… south'])
})

t.test('the same people put at once by several are made once', async t => {
  now = new Date('2026-03-12T12:00:00Z')
  const people = Array.from({ length: 5 }, () => somebody({ cohorts: ['north'] }))
  await post(people.map(({ agents: [actor] }) => ({ ...opened, actor })))
  await drain()
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, at) => putPeople(at % 2 === 0 ? people : people.toReversed()))
  )
  const outcomes = answers.map(answer => answer.json())
  t.same([...new Set(answers.map(answer => answer.statusCode))], [200], JSON.stringify(outcomes))
  t.equal(
    outcomes.reduce((sum, { created }) => sum + created, 0),
    5
  )
  for (const { personId } of people) t.same(await rosterOf(personId), ['… north'])
})

t.test('an agent that two persons get at once goes to one of them, and the other is 409', async t => {
  for (let round = 0; round < 5; round++) {
    const agent = agentOf(randomUUID())
    const answers = await Promise.all([0, 1, 2].map(() => putPeople([{ ...somebody(), agents: [agent] }])))
    t.same(answers.map(answer => answer.statusCode).toSorted(), [200, 409, 409])
  }
})

t.test('what is known of many is read once, though the roster was small when it was analysed', async t => {
  const count = 300
  const trx = await db.startTransaction().execute()
  await sql`delete from roster where (tenant_id, person_id) <> (select tenant_id, person_id from roster limit 1)`.execute(
    trx
  )
  await sql`analyze roster`.execute(trx)
  const { rows } = await sql<{ id: number }>`
    insert into person (tenant_id, external_id) select ${tenantId}, 'many-' || at from generate_series(1, ${count}::integer) as at
    returning id`.execute(trx)
  const persons = (team: string) =>
    rows.map(({ id }, index) => {
      const record = { personId: String(id), agents: [], team }
      return { id, index, name: null, created: false, record }
    })
  const readSoFar = async () => {
    const stats = await sql<{ read: number }>`
      select seq_tup_read + coalesce(idx_tup_fetch, 0) as read from pg_stat_xact_user_tables
      where relname = 'roster'`.execute(trx)
    return stats.rows[0]?.read ?? 0
  }
  t.equal((await putRoster(trx, tenantId, persons('north'), '2026-01-01')).length, count)
  const before = await readSoFar()
  t.equal((await putRoster(trx, tenantId, persons('south'), '2026-02-01')).length, count)
  const read = (await readSoFar()) - before
  t.ok(read >= count && read < 5 * count, `${read} for ${count}`)
  t.equal((await putRoster(trx, tenantId, persons('south'), '2026-03-01')).length, 0)
  await trx.rollback().execute()
})
