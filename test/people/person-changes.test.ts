import { createHash, randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import t from 'tap'
import type { MappingRule } from '../../src/events/mapping-rule.js'
import { putMapping } from '../../src/events/put-mapping.js'
import { derive } from '../../src/rollup/derive.js'
import { rebuildPersons } from '../../src/rollup/rebuild-rollups.js'
import { testApp } from '../support/app.js'
import { opened, voiding } from '../support/statements.js'

const app = await testApp(t, { timeZone: 'Europe/Berlin', now: () => new Date('2026-03-10T12:00:00Z') })
const { db, post, putPeople, drain, call, key } = app

const agentOf = (name: string) => ({ mbox: `mailto:${name}@example.org` })

/** A person whom no other test knows, put into the roster, with so many agents. */
async function somebody(agents = 1) {
  const personId = `p-${randomUUID()}`
  const person = { personId, agents: Array.from({ length: agents }, () => agentOf(randomUUID())), cohorts: ['pilot'] }
  const response = await putPeople([person])
  if (response.statusCode !== 200) throw new Error(response.body)
  return person
}

const json = { 'content-type': 'application/json' }
const send = (path: string, body?: unknown) =>
  call({
    method: 'POST',
    url: `/api/v1/${path}`,
    ...(body === undefined ? {} : { headers: json, payload: JSON.stringify(body) })
  })
const merge = (into: string, from: object, more = {}) => send(`people/${into}/merge`, { from, ...more })
const split = (personId: string, agents: readonly object[], into: string, more = {}) =>
  send(`people/${personId}/split`, { agents, into: { personId: into }, ...more })
const undo = (id: number, body?: object) => send(`person-changes/${id}/undo`, body)
const list = async (path: string) => (await call({ url: `/api/v1/${path}` })).json()

/** `2026-03-02` → how often opened, by each person, provisional ones by their agent. */
async function days(...who: readonly string[]): Promise<Record<string, Record<string, number>>> {
  await drain()
  const { rows } = await sql<{ who: string; days: Record<string, number> }>`
    select coalesce(external_id, ifi) as who, jsonb_object_agg(day, opened) as days
    from learner_day
    join person on person.tenant_id = learner_day.tenant_id and person.id = person_id
    left join agent on agent.tenant_id = person.tenant_id and agent.id = first_agent_id
    where coalesce(external_id, ifi) = any(${who}::text[]) group by 1`.execute(db)
  return Object.fromEntries(rows.map(row => [row.who, row.days]))
}

const openedOn = (actor: object, ...dates: readonly string[]) =>
  dates.map(date => ({ ...opened, actor, timestamp: `${date}T10:00:00Z` }))

async function populationOn(day: string, ...personIds: readonly string[]): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*) as n from roster join person on person.tenant_id = roster.tenant_id and person.id = person_id
    where valid @> ${day}::date and external_id = any(${personIds}::text[]) and merged_into is null`.execute(db)
  return rows[0]?.n ?? 0
}

t.test(
  'the days of two persons before and after a merge, a split and the undoing of both, counted by hand',
  async t => {
    const [ada, ben] = [await somebody(2), await somebody()]
    const [one, two] = ada.agents as [object, object]
    const [three] = ben.agents as [object]
    await post([
      ...openedOn(one, '2026-03-02', '2026-03-02', '2026-03-03'),
      ...openedOn(two, '2026-03-03'),
      ...openedOn(three, '2026-03-03', '2026-03-04')
    ])
    const apart = {
      [ada.personId]: { '2026-03-02': 2, '2026-03-03': 2 },
      [ben.personId]: { '2026-03-03': 1, '2026-03-04': 1 }
    }
    t.same(await days(ada.personId, ben.personId), apart)

    const merged = await merge(ada.personId, { personId: ben.personId }, { reason: 'Hired twice' })
    t.equal(merged.statusCode, 200, merged.body)
    t.match(merged.json(), {
      fromPersonId: ben.personId,
      toPersonId: ada.personId,
      agents: ben.agents,
      learnerDays: 4
    })
    const together = { [ada.personId]: { '2026-03-02': 2, '2026-03-03': 3, '2026-03-04': 1 } }
    t.same(await days(ada.personId, ben.personId), together)
    t.equal(await populationOn('2026-03-05', ada.personId, ben.personId), 1)

    const chris = `p-${randomUUID()}`
    const parted = await split(ada.personId, [one, one], chris)
    t.match(parted.json(), { fromPersonId: ada.personId, toPersonId: chris, agents: [one], learnerDays: 4 })
    t.same(await days(ada.personId, ben.personId, chris), {
      [ada.personId]: { '2026-03-03': 2, '2026-03-04': 1 },
      [chris]: { '2026-03-02': 2, '2026-03-03': 1 }
    })
    t.equal(await populationOn('1999-01-01', chris), 1, 'the new person stands in the roster for all time')

    const splitUndone = await undo(parted.json().changeId)
    t.match(splitUndone.json(), { fromPersonId: chris, toPersonId: ada.personId, agents: [one] })
    t.same(await days(ada.personId, ben.personId, chris), together)
    const mergeUndone = await undo(merged.json().changeId, { reason: 'Two of the same name' })
    t.match(mergeUndone.json(), { fromPersonId: ada.personId, toPersonId: ben.personId, agents: [three] })
    t.same(await days(ada.personId, ben.personId), apart)
    t.equal(await populationOn('2026-03-05', ada.personId, ben.personId), 2)

    const { changes } = await list(`person-changes?personId=${ada.personId}`)
    const [undone, unsplit, splitChange, mergeChange] = changes
    t.equal(changes.length, 4)
    t.match(mergeChange, { kind: 'merge', agents: [three], reason: 'Hired twice', undoes: null, undoneBy: undone.id })
    t.match(splitChange, { kind: 'split', toPersonId: chris, agents: [one], reason: null, undoneBy: unsplit.id })
    t.match(unsplit, { kind: 'undo', undoes: splitChange.id, undoneBy: null, changedBy: key })
    t.match(undone, { kind: 'undo', undoes: mergeChange.id, reason: 'Two of the same name', changedBy: key })
    t.ok(changes.every(({ changedAt }: { changedAt: string }) => /^\d{4}-\d\d-\d\dT.*Z$/.test(changedAt)))
  }
)

t.test('an agent that no roster names is merged into a person, and given back by the undoing', async t => {
  const ada = await somebody()
  const stranger = agentOf(randomUUID())
  const ifi = JSON.stringify(['mbox', stranger.mbox])
  await post(openedOn(stranger, '2026-03-02'))
  t.same(await days(ada.personId, ifi), { [ifi]: { '2026-03-02': 1 } })
  const { changeId, ...merged } = (await merge(ada.personId, { agent: stranger })).json()
  t.same(merged, { fromPersonId: null, toPersonId: ada.personId, agents: [stranger], learnerDays: 2 })
  t.same(await days(ada.personId, ifi), { [ada.personId]: { '2026-03-02': 1 } })
  t.match((await undo(changeId)).json(), { fromPersonId: ada.personId, toPersonId: null, agents: [stranger] })
  t.same(await days(ada.personId, ifi), { [ifi]: { '2026-03-02': 1 } })
})

t.test('an agent whose statements are still in the queue is merged all the same', async t => {
  const ada = await somebody()
  const stranger = agentOf(randomUUID())
  await post(openedOn(stranger, '2026-03-02'))
  t.equal((await merge(ada.personId, { agent: stranger })).statusCode, 200)
  t.same(await days(ada.personId, JSON.stringify(['mbox', stranger.mbox])), { [ada.personId]: { '2026-03-02': 1 } })
})

t.test(
  'a day that an event has left, and whose work is still in the queue, goes from the person who had the agent',
  async t => {
    const ada = await somebody()
    const stranger = agentOf(randomUUID())
    const ifi = JSON.stringify(['mbox', stranger.mbox])
    const map = async (rules: readonly MappingRule[]) => {
      await putMapping(db, app.tenantId, { rules, createdBy: 'test', checkCurrent: () => undefined })
      while ((await derive(db, { chunkSize: 100, rebuildPersons })) > 0);
    }
    await post(openedOn(stranger, '2026-03-02'))
    t.same(await days(ada.personId, ifi), { [ifi]: { '2026-03-02': 1 } })
    await map([{ verb: opened.verb.id, kind: null }])
    t.equal((await merge(ada.personId, { agent: stranger })).statusCode, 200)
    t.same(await days(ada.personId, ifi), {}, 'the statement is no event any more')
    await map([])
    t.same(await days(ada.personId, ifi), { [ada.personId]: { '2026-03-02': 1 } })
  }
)

async function everything(): Promise<unknown> {
  const { rows } = await sql`
    select (select count(*) from person) as persons, (select count(*) from person_change) as changes,
      (select count(*) from roster) as entries,
      (select md5(string_agg(person_agent::text, ',' order by agent_id)) from person_agent) as owners`.execute(db)
  return rows
}

t.test('a dry run tells what would be moved and derived, and leaves everything as it was', async t => {
  const [ada, ben] = [await somebody(2), await somebody()]
  await post([
    ...openedOn(ada.agents[0] ?? {}, '2026-03-02', '2026-03-03'),
    ...openedOn(ben.agents[0] ?? {}, '2026-03-02')
  ])
  await drain()
  const before = await everything()
  const from = { from: { personId: ada.personId } }
  const { agents, ...outcome } = (await send(`people/${ben.personId}/merge?dryRun=true`, from)).json()
  t.same(outcome, { changeId: null, fromPersonId: ada.personId, toPersonId: ben.personId, learnerDays: 4 })
  t.same(new Set(agents.map(({ mbox }: { mbox: string }) => mbox)), new Set(ada.agents.map(({ mbox }) => mbox)))
  const somewhere = { agents: ada.agents.slice(0, 1), into: { personId: `p-${randomUUID()}` } }
  t.match((await send(`people/${ada.personId}/split?dryRun=true`, somewhere)).json(), {
    changeId: null,
    learnerDays: 4
  })
  t.equal((await send(`people/${ada.personId}/merge?dryRun=true`, from)).statusCode, 409, 'with the same refusals')
  t.same(await everything(), before)
  t.equal((await db.selectFrom('rollup_queue').selectAll().execute()).length, 0, 'nothing is enqueued')
})

t.test('what a merge refuses', async t => {
  const [ada, ben, chris, dora] = [await somebody(), await somebody(), await somebody(), await somebody()]
  await merge(ada.personId, { personId: ben.personId })
  const table: [string, object, number, object][] = [
    [ada.personId, { personId: ada.personId }, 409, { pointer: '/from', detail: /into themselves/ }],
    [ada.personId, { agent: ben.agents[0] }, 409, { pointer: '/from' }],
    [ada.personId, { personId: ben.personId }, 409, { detail: new RegExp(`is merged into "${ada.personId}"`) }],
    [chris.personId, { personId: ben.personId }, 409, { detail: new RegExp(`is merged into "${ada.personId}"`) }],
    [ben.personId, { personId: dora.personId }, 409, { detail: new RegExp(`"${ben.personId}" is merged`) }],
    [ben.personId, { personId: ada.personId }, 409, { code: 'person-change-conflict' }],
    [chris.personId, { personId: ada.personId }, 409, { pointer: '/from', detail: /Others are merged into/ }],
    [chris.personId, { agent: ben.agents[0] }, 409, { detail: /Others are merged into/ }],
    ['nobody', { personId: dora.personId }, 404, { code: 'not-found', pointer: '/personId' }],
    [dora.personId, { personId: 'nobody' }, 404, { pointer: '/from/personId' }],
    [dora.personId, { agent: agentOf(randomUUID()) }, 404, { pointer: '/from/agent' }],
    [
      dora.personId,
      { agent: { mbox: 'ada' } },
      400,
      { code: 'invalid-body', pointer: '/from/agent/mbox', rule: /mbox/ }
    ],
    [dora.personId, {}, 400, { code: 'invalid-body' }],
    [dora.personId, { personId: chris.personId, agent: ben.agents[0] }, 400, {}]
  ]
  for (const [into, from, status, problem] of table) {
    const response = await merge(into, from)
    t.equal(response.statusCode, status, `${JSON.stringify(from)}: ${response.body}`)
    t.match(response.json(), { status, ...problem })
  }
  t.equal(
    (await send(`people/${dora.personId}/merge?dryrun=true`, { from: { personId: chris.personId } })).statusCode,
    400
  )
  t.equal((await merge(dora.personId, { personId: chris.personId }, { reason: 'a\u0000b' })).statusCode, 400)
})

t.test('what a split refuses', async t => {
  const [ada, ben, chris] = [await somebody(), await somebody(), await somebody()]
  await merge(ada.personId, { personId: ben.personId })
  const [own = {}] = ada.agents
  const table: [string, readonly object[], string, number, object][] = [
    [ada.personId, [own, ...chris.agents], 'new', 409, { code: 'people-conflict', pointer: '/agents/1' }],
    [ada.personId, [agentOf(randomUUID())], 'new', 409, { code: 'people-conflict', pointer: '/agents/0' }],
    [ada.personId, [own], ada.personId, 409, { code: 'person-change-conflict', pointer: '/into/personId' }],
    [ada.personId, [own], ben.personId, 409, { code: 'person-change-conflict', detail: /is merged into/ }],
    [ben.personId, ben.agents, chris.personId, 409, { code: 'person-change-conflict', detail: /is merged into/ }],
    ['nobody', [own], 'new', 404, { code: 'not-found' }],
    [ada.personId, [], 'new', 400, { code: 'invalid-body', pointer: '/agents' }],
    [ada.personId, [own, { mbox: 'x' }], 'new', 400, { code: 'invalid-body', pointer: '/agents/1/mbox' }],
    [ada.personId, [own], 'a\nb', 400, { code: 'invalid-body', pointer: '/into/personId' }]
  ]
  for (const [personId, agents, into, status, problem] of table) {
    const response = await split(personId, agents, into)
    t.equal(response.statusCode, status, response.body)
    t.match(response.json(), { status, ...problem })
  }
  const { rows } = await sql`select from person where external_id = 'new'`.execute(db)
  t.equal(rows.length, 0, 'a refused split makes nobody')
})

t.test('an undo moves exactly the agents that are still there, once, and is not undone itself', async t => {
  const [ada, ben, chris] = [await somebody(), await somebody(2), await somebody()]
  const [first = {}, second = {}] = ben.agents
  const { changeId } = (await merge(ada.personId, { personId: ben.personId })).json()
  await split(ada.personId, [first], chris.personId)
  const undone = await undo(changeId)
  t.same(undone.json().agents, [second], 'the one that went on stays where it went')
  t.match((await undo(changeId)).json(), { status: 409, code: 'person-change-conflict', detail: /undone already/ })
  t.match((await undo(undone.json().changeId)).json(), { status: 409, detail: /is an undo/ })
  t.match((await undo(999_999_999)).json(), { status: 404, code: 'not-found' })
  t.equal((await undo(0)).statusCode, 400)
  t.equal((await undo(changeId, { because: 'x' })).statusCode, 400)
})

t.test('an undo is refused while one of the persons is merged into a third', async t => {
  const [ada, ben, chris] = [await somebody(2), await somebody(), await somebody()]
  const splitChange = (await split(ada.personId, ada.agents.slice(0, 1), ben.personId)).json()
  const stranger = agentOf(randomUUID())
  await post(openedOn(stranger, '2026-03-02'))
  const provisional = (await merge(ben.personId, { agent: stranger })).json()
  const away = (await merge(chris.personId, { personId: ada.personId })).json()
  t.match((await undo(splitChange.changeId)).json(), { status: 409, detail: new RegExp(`into "${chris.personId}"`) })
  await undo(away.changeId)
  const gone = (await merge(chris.personId, { personId: ben.personId })).json()
  t.match((await undo(provisional.changeId)).json(), { status: 409, detail: new RegExp(`into "${chris.personId}"`) })
  t.match((await undo(splitChange.changeId)).json(), { status: 409, detail: new RegExp(`into "${chris.personId}"`) })
  await undo(gone.changeId)
  t.same((await undo(splitChange.changeId)).json().agents, ada.agents.slice(0, 1))
  t.same((await undo(provisional.changeId)).json().agents, [stranger])
})

t.test('two who undo the same change at once: one does, the other is 409', async t => {
  for (let round = 0; round < 5; round++) {
    const [ada, ben] = [await somebody(), await somebody()]
    const { changeId } = (await merge(ada.personId, { personId: ben.personId })).json()
    const answers = await Promise.all([0, 1, 2].map(() => undo(changeId)))
    t.same(answers.map(({ statusCode }) => statusCode).toSorted(), [200, 409, 409])
  }
})

t.test('the roster goes on naming a merged person: its agents are the survivor’s, old and new', async t => {
  const [ada, ben] = [await somebody(), await somebody()]
  await merge(ada.personId, { personId: ben.personId })
  t.match((await putPeople([ada, ben])).json(), { unchanged: 2 }, 'the nightly import changes nothing')
  const fresh = agentOf(randomUUID())
  await post(openedOn(fresh, '2026-03-02'))
  await drain()
  t.match((await putPeople([{ ...ben, agents: [...ben.agents, fresh] }])).json(), { updated: 1 })
  t.same(await days(ada.personId, ben.personId), { [ada.personId]: { '2026-03-02': 1 } })
  t.match((await putPeople([{ ...ben, cohorts: ['north'] }])).json(), { updated: 1 }, 'its roster is kept')
  const [{ agents }] = (
    await sql<{ agents: number }>`
    select count(*) as agents from person_agent join person on person.id = person_id
    where external_id = ${ben.personId}`.execute(db)
  ).rows as [{ agents: number }]
  t.equal(agents, 0)
  t.match((await putPeople([{ ...ada, agents: ben.agents }])).json(), { unchanged: 1 })
})

t.test('a merged person is no part of the population, and a provisional one is counted as unresolved', async t => {
  const cohort = randomUUID()
  const people = await Promise.all(Array.from({ length: 12 }, () => somebody()))
  await putPeople(people.map(person => ({ ...person, cohorts: [cohort], validFrom: '2024-01-01' })))
  const [ada, ben] = people
  const stranger = agentOf(randomUUID())
  await post([...openedOn(stranger, '2024-03-06'), ...openedOn(ben?.agents[0] ?? {}, '2024-03-06')])
  const ask = async (consistency: string) => {
    await drain()
    const url = `/api/v1/metrics/active-users?from=2024-03-04&to=2024-03-11&cohort=${cohort}&consistency=${consistency}`
    const { results, meta } = (await call({ url })).json()
    return [results[0].numerator, results[0].denominator, meta.excluded.unresolvedActor]
  }
  for (const consistency of ['eventual', 'strong']) {
    t.same(await ask(consistency), [1, 12, 1], consistency)
    const changes = [
      (await merge(ada?.personId ?? '', { personId: ben?.personId })).json(),
      (await merge(people[2]?.personId ?? '', { agent: stranger })).json()
    ]
    t.same(await ask(consistency), [2, 11, 0], consistency)
    for (const { changeId } of changes) await undo(changeId)
  }
})

t.test('the trail is paged from the newest to the oldest', async t => {
  const [ada, ben] = [await somebody(), await somebody()]
  for (let round = 0; round < 3; round++) {
    const { changeId } = (await merge(ada.personId, { personId: ben.personId })).json()
    await undo(changeId)
  }
  const whole = (await list(`person-changes?personId=${ben.personId}`)).changes.map(({ id }: { id: number }) => id)
  t.equal(whole.length, 6)
  t.same(
    whole,
    whole.toSorted((a: number, b: number) => b - a)
  )
  const pages: number[][] = []
  for (let next: number | null = Number.MAX_SAFE_INTEGER; next !== null; ) {
    const page: { changes: { id: number }[]; next: number | null } = await list(
      `person-changes?personId=${ben.personId}&limit=4&cursor=${next}`
    )
    pages.push(page.changes.map(({ id }) => id))
    next = page.next
  }
  t.same(pages, [whole.slice(0, 4), whole.slice(4)])
  t.same(await list('person-changes?personId=nobody'), { changes: [], next: null })
  for (const query of ['limit=0', 'limit=101', 'cursor=-1', 'cursor=x', 'person=a']) {
    t.equal((await call({ url: `/api/v1/person-changes?${query}` })).statusCode, 400, query)
  }
})

t.test('the agents that no roster names are listed with their events, and who they may be', async t => {
  const other = await app.addCaller('reconciliation')
  const put = (...people: object[]) => other.putPeople(people)
  const word = () => randomUUID().slice(0, 8)
  const [local, account, name, address] = [word(), word(), `Ada ${word()}`, `${word()}@Example.org`]
  const sha1 = createHash('sha1').update(`mailto:${address.toLowerCase()}`).digest('hex')
  await put(
    { personId: local, agents: [agentOf(word())] },
    { personId: account, agents: [agentOf(word())] },
    { personId: 'named', name, agents: [agentOf(word())] },
    { personId: 'hashed', agents: [{ mbox_sha1sum: sha1 }] },
    { personId: 'lower', agents: [{ mbox: `mailto:${address.toLowerCase()}` }] },
    { personId: 'gone', name, agents: [agentOf(word())] }
  )
  await other.call({
    method: 'POST',
    url: '/api/v1/people/named/merge',
    headers: json,
    payload: JSON.stringify({ from: { personId: 'gone' } })
  })
  const homePage = 'https://lms.example.org'
  const strangers = [
    { ...agentOf(local), name },
    { account: { homePage, name: account } },
    { account: { homePage, name: address } },
    { openid: 'https://id.example.org/ada', name: 'Ada \u0000' },
    { mbox_sha1sum: createHash('sha1').update('mailto:x@example.org').digest('hex') }
  ] as const
  const voided = randomUUID()
  const about = { objectType: 'Agent', ...agentOf('subject') }
  const verb = { id: 'https://w3id.org/momentum-lrs/verbs/peer-feedback' }
  // One by one: the list is in the order in which the agents came up.
  for (const actor of strangers) await other.post(openedOn(actor, '2026-03-02', '2026-03-04'))
  await other.post([
    { ...opened, id: voided, actor: strangers[0], timestamp: '2026-03-09T10:00:00Z' },
    { ...opened, actor: strangers[0], timestamp: '2999-03-09T10:00:00Z' },
    { actor: strangers[0], verb, object: about, timestamp: '2026-03-05T10:00:00Z' },
    voiding(voided)
  ])
  await drain()
  const ask = async (query = '') => (await other.call({ url: `/api/v1/reconciliation?${query}` })).json()
  const { agents, next } = await ask()
  t.equal(next, null)
  const days = { firstDay: '2026-03-02', lastDay: '2026-03-04' }
  t.same(agents, [
    {
      agent: agentOf(local),
      names: [name],
      events: 3,
      firstDay: '2026-03-02',
      lastDay: '2026-03-05',
      suggestions: [
        { personId: local, name: null, because: 'personId' },
        { personId: 'named', name, because: 'name' }
      ]
    },
    {
      agent: strangers[1],
      names: [],
      events: 2,
      ...days,
      suggestions: [{ personId: account, name: null, because: 'personId' }]
    },
    {
      agent: strangers[2],
      names: [],
      events: 2,
      ...days,
      suggestions: [
        { personId: 'hashed', name: null, because: 'agent' },
        { personId: 'lower', name: null, because: 'agent' }
      ]
    },
    { agent: { openid: 'https://id.example.org/ada' }, names: ['Ada \u0000'], events: 2, ...days, suggestions: [] },
    { agent: strangers[4], names: [], events: 2, ...days, suggestions: [] },
    {
      agent: agentOf('subject'),
      names: [],
      events: 1,
      firstDay: '2026-03-05',
      lastDay: '2026-03-05',
      suggestions: []
    }
  ])
  const first = await ask('limit=4')
  t.same([...first.agents, ...(await ask(`limit=4&cursor=${first.next}`)).agents], agents)
  await put({ personId: account, agents: [strangers[1]] })
  t.same((await ask()).agents.length, 5, 'an agent that is given to a person is listed no more')
  t.same(await ask(`cursor=${Number.MAX_SAFE_INTEGER}`), { agents: [], next: null })
  t.same(await list('reconciliation?cursor=9000000000'), { agents: [], next: null })
})
