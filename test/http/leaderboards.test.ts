import t from 'tap'
import { testApp } from '../support/app.js'

const now = new Date('2026-03-10T08:00:00Z')
const { call, post, putPeople, addCaller, db, tenantId } = await testApp(t, { now: () => now })

const agentOf = (name: string) => ({ mbox: `mailto:${name}@example.org` })
const names = ['anna', 'ben', 'cleo', 'dora', 'emil']
await putPeople(names.map(name => ({ personId: name, name: name.toUpperCase(), agents: [agentOf(name)] })))

const answer = (by: string, about: string) => ({
  actor: agentOf(by),
  verb: { id: 'https://w3id.org/xapi/acrossx/verbs/replied' },
  object: { objectType: 'Activity', id: 'https://lms.example/threads/1' },
  context: { extensions: { 'https://w3id.org/momentum-lrs/extensions/subject': agentOf(about) } },
  timestamp: '2026-03-05T10:00:00Z'
})
const { statusCode } = await post([
  answer('ben', 'anna'),
  answer('cleo', 'anna'),
  answer('dora', 'anna'),
  answer('anna', 'ben'),
  answer('cleo', 'ben'),
  answer('anna', 'cleo'),
  answer('ben', 'cleo'),
  answer('anna', 'dora')
])
t.equal(statusCode, 200)

const board = async (query = '') => {
  const response = await call({ method: 'GET', url: `/api/v1/leaderboards/forum-influence?${query}` })
  return { status: response.statusCode, body: response.json() }
}

const optOut = async (personId: string, body: object = { optOut: true }) =>
  call({
    method: 'PUT',
    url: `/api/v1/people/${personId}/leaderboard-opt-out`,
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify(body)
  })

const ranks = async (query?: string) =>
  (await board(query)).body.learners.map(({ rank, personId }: { rank: number; personId: string }) => [rank, personId])

t.test('learners by the people who answered them, ties sharing a rank; whom nobody answered is not listed', async t => {
  const { status, body } = await board()
  t.equal(status, 200)
  t.match(body, {
    metric: 'forum-influence',
    period: { from: '2026-03-03', to: '2026-03-10' },
    learners: [
      { rank: 1, isTied: false, personId: 'anna', name: 'ANNA', value: 0.75, people: 3, others: 4 },
      { rank: 2, isTied: true, personId: 'ben', value: 0.5, people: 2 },
      { rank: 2, isTied: true, personId: 'cleo', value: 0.5, people: 2 },
      { rank: 4, isTied: false, personId: 'dora', value: 0.25, people: 1 }
    ],
    omitted: 0,
    meta: { query: { metric: 'forum-influence' }, definitionVersion: 1, nextCursor: null }
  })
  t.match((await board('limit=2')).body, { learners: { length: 2 }, omitted: 2 })
})

t.test('a window in which nothing happened has an empty list', async t => {
  t.match((await board('from=2026-02-01&to=2026-02-08')).body, { learners: { length: 0 }, omitted: 0 })
})

t.test('who opted out has no name and no rank, but counts among the others', async t => {
  t.equal((await optOut('anna')).statusCode, 200)
  t.same(await ranks(), [
    [1, 'ben'],
    [1, 'cleo'],
    [3, 'dora']
  ])
  t.match((await board()).body.learners[0], { value: 0.5, people: 2, others: 4 })
})

t.test('no sync of the roster puts somebody on again; they do themselves', async t => {
  await putPeople([{ personId: 'anna', name: 'Anna B.', role: 'lead', agents: [agentOf('anna')] }])
  const url = '/api/v1/people/anna/leaderboard-opt-out'
  t.same((await call({ method: 'GET', url })).json(), { optOut: true })
  await optOut('anna', { optOut: false })
  t.same((await call({ method: 'GET', url })).json(), { optOut: false })
  t.same((await ranks())[0], [1, 'anna'])
})

t.test('an opt-out holds for whom the person is merged into', async t => {
  await optOut('emil')
  await db
    .updateTable('person')
    .set(({ selectFrom }) => ({
      merged_into: selectFrom('person').select('id').where('tenant_id', '=', tenantId).where('external_id', '=', 'ben')
    }))
    .where('tenant_id', '=', tenantId)
    .where('external_id', '=', 'emil')
    .execute()
  t.same(
    (await ranks()).map(([, personId]: [number, string]) => personId),
    ['anna', 'cleo', 'dora']
  )
})

t.test('unknown people are 404, wrong bodies and parameters 400, and aggregates open no names', async t => {
  t.equal((await optOut('nobody')).statusCode, 404)
  t.equal((await call({ method: 'GET', url: '/api/v1/people/nobody/leaderboard-opt-out' })).statusCode, 404)
  t.equal((await optOut('anna', { optOut: 'yes' })).statusCode, 400)
  t.equal((await board('breakdown=team')).status, 400)
  t.equal((await board('limit=0')).status, 400)
  const reader = await addCaller('first', ['metrics/read'])
  t.equal((await reader.call({ method: 'GET', url: '/api/v1/leaderboards/forum-influence' })).statusCode, 403)
})
