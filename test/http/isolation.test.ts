import t, { type Test } from 'tap'
import { type Caller, testApp } from '../support/app.js'
import { opened, voiding } from '../support/statements.js'

const id = '5bd2d8a1-3cf9-4b2e-8b3a-9b5f2f2c0a11'
const registration = '11111111-1111-4111-8111-111111111111'
const json = { 'content-type': 'application/json' }
const agent = JSON.stringify(opened.actor)
const activityId = opened.object.id
const parameters = (given: Readonly<Record<string, string>>) => new URLSearchParams(given).toString()

async function twoTenants(t: Test) {
  const first = await testApp(t)
  return { db: first.db, drain: first.drain, north: first as Caller, south: await first.addCaller('south') }
}

const statement = { ...opened, id, context: { registration } }

t.test('no filter, id, page or void of one tenant reaches a statement of another', async t => {
  const { north, south } = await twoTenants(t)
  await north.post(statement)
  await north.post([opened, opened, opened])
  for (const query of [
    {},
    { agent },
    { activity: activityId },
    { verb: opened.verb.id },
    { registration },
    { ascending: 'true' }
  ] as Readonly<Record<string, string>>[]) {
    t.same((await south.get(query)).json().statements, [], JSON.stringify(query))
  }
  t.equal((await south.get({ statementId: id })).statusCode, 404)
  t.equal((await south.get({ voidedStatementId: id })).statusCode, 404)
  await south.post(voiding(id))
  t.equal((await north.get({ statementId: id })).statusCode, 200, 'a void of another tenant is none')
  t.equal((await south.get({ voidedStatementId: id })).statusCode, 404)
})

t.test('one id in two tenants is two statements', async t => {
  const { north, south } = await twoTenants(t)
  await north.post(statement)
  const other = { ...statement, verb: { id: 'https://example.org/other' } }
  t.equal((await south.post(other)).statusCode, 200, 'no conflict tells of the other one')
  t.match((await south.get({ statementId: id })).json(), { verb: other.verb })
  t.match((await north.get({ statementId: id })).json(), { verb: opened.verb })
})

t.test('a cursor of one tenant shows another one nothing but its own', async t => {
  const { north, south } = await twoTenants(t)
  await north.post([opened, opened, opened])
  const { more } = (await north.get({ limit: '1' })).json()
  await south.post(statement)
  t.same((await south.call({ url: more })).json().statements, [], 'newer than the cursor')
  const { more: ascending } = (await north.get({ limit: '1', ascending: 'true' })).json()
  const { statements } = (await south.call({ url: ascending })).json()
  t.same(
    statements.map((found: { id: string }) => found.id),
    [id]
  )
})

t.test('the same document in two tenants is two', async t => {
  const { north, south } = await twoTenants(t)
  const urls = [
    `/xapi/activities/state?${parameters({ activityId, agent, stateId: 's' })}`,
    `/xapi/activities/state?${parameters({ activityId, agent, stateId: 's', registration })}`,
    `/xapi/activities/profile?${parameters({ activityId, profileId: 's' })}`,
    `/xapi/agents/profile?${parameters({ agent, profileId: 's' })}`
  ]
  for (const url of urls) {
    const put = (caller: Caller, payload: string) =>
      caller.call({ method: 'PUT', url, headers: { ...json, 'if-none-match': '*' }, payload })
    t.equal((await put(north, '{"north":1}')).statusCode, 204)
    t.equal((await south.call({ url })).statusCode, 404)
    const list = url.replace(/&?(stateId|profileId)=s/, '')
    t.same((await south.call({ url: list })).json(), [])
    t.equal((await put(south, '{"south":1}')).statusCode, 204, 'no precondition tells of the other one')
    await south.call({ method: 'POST', url, headers: json, payload: '{"more":1}' })
    t.equal((await south.call({ method: 'DELETE', url })).statusCode, 204)
    t.same((await north.call({ url })).json(), { north: 1 })
  }
  await south.call({ method: 'DELETE', url: `/xapi/activities/state?${parameters({ activityId, agent })}` })
  t.equal((await north.call({ url: urls[0] ?? '' })).statusCode, 200, 'deleting many stays at home')
})

t.test('an agent may be one person here and another one there, and each metric counts its own', async t => {
  const { north, south, drain } = await twoTenants(t)
  const people = Array.from({ length: 12 }, (_, at) => ({
    personId: `p${at}`,
    agents: [{ mbox: `mailto:learner${at}@example.org` }],
    cohorts: ['pilot']
  }))
  t.equal((await north.putPeople(people)).statusCode, 200)
  const swapped = people.map((person, at) => ({ ...person, personId: `p${11 - at}` }))
  t.match((await south.putPeople(swapped)).json(), { created: 12 }, 'no conflict tells of the other ones')
  await north.post(people.map(({ agents: [actor] }) => ({ ...opened, actor })))
  await drain()
  const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)
  for (const consistency of ['eventual', 'strong']) {
    const url = `/api/v1/metrics/active-users?${parameters({ from: day(0), to: day(1), cohort: 'pilot', consistency })}`
    t.match((await north.call({ url })).json().results, [{ numerator: 12, denominator: 12 }])
    t.match((await south.call({ url })).json().results, [{ numerator: 0, denominator: 12 }], consistency)
  }
})

t.test('the credentials of another tenant are neither seen, rotated nor revoked', async t => {
  const { north, south } = await twoTenants(t)
  const url = '/api/v1/credentials'
  const { credentials } = (await south.call({ url })).json()
  t.same(
    credentials.map(({ key }: { key: string }) => key),
    [south.key]
  )
  t.equal((await south.call({ method: 'POST', url: `${url}/${north.key}/rotate` })).statusCode, 404)
  t.equal((await south.call({ method: 'DELETE', url: `${url}/${north.key}` })).statusCode, 404)
  t.equal((await north.call({ url })).statusCode, 200)
})

t.test(
  'people of another tenant are neither merged, split, listed nor suggested, and their changes not undone',
  async t => {
    const { north, south, drain } = await twoTenants(t)
    const [ada, ben, chris] = ['ada', 'ben', 'chris'].map(name => ({ mbox: `mailto:${name}@example.org` }))
    const people = [
      { personId: 'ada', name: 'Ada', agents: [ada] },
      { personId: 'ben', agents: [ben] }
    ]
    await north.putPeople(people)
    await south.putPeople([{ personId: 'chris', agents: [chris] }])
    await north.post({ ...opened, actor: chris })
    await south.post({ ...opened, actor: { ...ada, name: 'Ada' } })
    await drain()
    const url = '/api/v1'
    const send = (caller: Caller, path: string, body: object) =>
      caller.call({ method: 'POST', url: `${url}/${path}`, headers: json, payload: JSON.stringify(body) })
    const merged = await send(north, 'people/ada/merge', { from: { personId: 'ben' } })
    t.equal(merged.statusCode, 200)
    t.equal((await send(south, 'people/chris/merge', { from: { personId: 'ada' } })).statusCode, 404)
    t.equal((await send(south, 'people/chris/merge', { from: { agent: ben } })).statusCode, 404)
    t.equal((await send(south, 'people/ada/split', { agents: [ada], into: { personId: 'new' } })).statusCode, 404)
    t.equal((await send(south, 'people/chris/split', { agents: [ben], into: { personId: 'new' } })).statusCode, 409)
    t.equal((await send(south, `person-changes/${merged.json().changeId}/undo`, {})).statusCode, 404)
    t.same((await south.call({ url: `${url}/person-changes` })).json(), { changes: [], next: null })
    t.match((await south.call({ url: `${url}/reconciliation` })).json().agents, [{ agent: ada, suggestions: [] }])
    t.match((await north.call({ url: `${url}/reconciliation` })).json().agents, [{ agent: chris, suggestions: [] }])
    t.equal((await north.call({ url: `${url}/person-changes` })).json().changes.length, 1)
  }
)
