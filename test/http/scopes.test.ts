import { randomUUID } from 'node:crypto'
import type { InjectOptions } from 'fastify'
import t from 'tap'
import { hasScope, operatorScopes, scopes, scopesBeyond, tenantScopes } from '../../src/http/scopes.js'
import { testApp } from '../support/app.js'
import { opened } from '../support/statements.js'

const agent = encodeURIComponent(JSON.stringify({ mbox: 'mailto:ada@example.org' }))
const activityId = encodeURIComponent('https://example.org/modules/feedback')
const json = { 'content-type': 'application/json' }
const state = `/xapi/activities/state?activityId=${activityId}&agent=${agent}&stateId=s`
const activityProfile = `/xapi/activities/profile?activityId=${activityId}&profileId=p`
const agentProfile = `/xapi/agents/profile?agent=${agent}&profileId=p`

const readers = ['all', 'all/read']
const stateWriters = ['all', 'state']
const activityWriters = ['all', 'profile', 'activities_profile']
const agentWriters = ['all', 'profile', 'agents_profile']

const rosterReaders = ['people/read', 'line/read', 'self/read']

interface Row {
  readonly request: () => InjectOptions
  /** The scopes that let it through, each alone. */
  readonly open: readonly string[]
}

const get = (url: string) => ({ method: 'GET' as const, url })
const head = (url: string) => ({ method: 'HEAD' as const, url })
const write = (method: 'PUT' | 'POST', url: string, payload: unknown) => ({
  method,
  url,
  headers: { ...json, 'if-none-match': '"none"' },
  payload: JSON.stringify(payload)
})

const table: Readonly<Record<string, Row>> = {
  'GET statements': {
    request: () => get('/xapi/statements'),
    open: [...readers, 'statements/read', 'statements/read/mine']
  },
  'HEAD statements': {
    request: () => head('/xapi/statements'),
    open: [...readers, 'statements/read', 'statements/read/mine']
  },
  'POST statements': {
    request: () => write('POST', '/xapi/statements', []),
    open: ['all', 'statements/write']
  },
  'PUT statements': {
    request: () => write('PUT', `/xapi/statements?statementId=${randomUUID()}`, opened),
    open: ['all', 'statements/write']
  },
  'GET state': { request: () => get(state), open: [...readers, 'state', 'state/read'] },
  'HEAD state': { request: () => head(state), open: [...readers, 'state', 'state/read'] },
  'PUT state': { request: () => write('PUT', state, {}), open: stateWriters },
  'POST state': { request: () => write('POST', state, {}), open: stateWriters },
  'DELETE state': { request: () => ({ method: 'DELETE', url: state }), open: stateWriters },
  'GET activities/profile': {
    request: () => get(activityProfile),
    open: [...readers, 'profile', 'profile/read', 'activities_profile']
  },
  'PUT activities/profile': { request: () => write('PUT', activityProfile, {}), open: activityWriters },
  'POST activities/profile': { request: () => write('POST', activityProfile, {}), open: activityWriters },
  'DELETE activities/profile': { request: () => ({ method: 'DELETE', url: activityProfile }), open: activityWriters },
  'GET agents/profile': {
    request: () => get(agentProfile),
    open: [...readers, 'profile', 'profile/read', 'agents_profile']
  },
  'PUT agents/profile': { request: () => write('PUT', agentProfile, {}), open: agentWriters },
  'POST agents/profile': { request: () => write('POST', agentProfile, {}), open: agentWriters },
  'DELETE agents/profile': { request: () => ({ method: 'DELETE', url: agentProfile }), open: agentWriters },
  'GET activities': {
    request: () => get(`/xapi/activities?activityId=${activityId}`),
    open: [...readers, 'statements/read', 'define', 'profile', 'profile/read', 'activities_profile']
  },
  'GET agents': {
    request: () => get(`/xapi/agents?agent=${agent}`),
    open: [...readers, 'statements/read', 'profile', 'profile/read', 'agents_profile']
  },
  'GET about': { request: () => get('/xapi/about'), open: Object.keys(scopes) },
  'GET metrics': {
    request: () => get('/api/v1/metrics'),
    open: ['metrics/read', 'people/read', 'line/read', 'self/read']
  },
  'GET a metric': { request: () => get('/api/v1/metrics/active-users'), open: ['metrics/read', 'line/read'] },
  'GET funnels': { request: () => get('/api/v1/funnels'), open: ['metrics/read', 'line/read'] },
  'GET sequences': { request: () => get('/api/v1/sequences'), open: ['metrics/read', 'line/read'] },
  'GET retention': { request: () => get('/api/v1/retention'), open: ['metrics/read', 'line/read'] },
  'GET lifecycle': { request: () => get('/api/v1/lifecycle'), open: ['metrics/read', 'line/read'] },
  'PUT people': { request: () => write('PUT', '/api/v1/people', []), open: ['people/write'] },
  'PUT assignments': { request: () => write('PUT', '/api/v1/assignments', []), open: ['people/write'] },
  'GET assignments': { request: () => get('/api/v1/assignments'), open: ['people/read'] },
  'DELETE assignment': {
    request: () => ({ method: 'DELETE', url: '/api/v1/assignments/none' }),
    open: ['people/write']
  },
  'POST people/{personId}/merge': {
    request: () => write('POST', '/api/v1/people/none/merge', { from: { personId: 'nobody' } }),
    open: ['people/write']
  },
  'POST people/{personId}/split': {
    request: () => write('POST', '/api/v1/people/none/split', {}),
    open: ['people/write']
  },
  'POST person-changes/{id}/undo': {
    request: () => ({ method: 'POST', url: '/api/v1/person-changes/1/undo' }),
    open: ['people/write']
  },
  'GET people/changes': { request: () => get('/api/v1/person-changes'), open: ['people/read'] },
  'GET people/reconciliation': { request: () => get('/api/v1/reconciliation'), open: ['people/read'] },
  'GET erasures': { request: () => get('/api/v1/erasures'), open: ['statements/delete'] },
  'POST erasures': { request: () => write('POST', '/api/v1/erasures', {}), open: ['statements/delete'] },
  'GET cohorts': { request: () => get('/api/v1/cohorts'), open: ['metrics/read', 'people/read', 'line/read'] },
  'GET a cohort': { request: () => get('/api/v1/cohorts/none'), open: ['people/read'] },
  'GET cohort members': { request: () => get('/api/v1/cohorts/none/members'), open: ['people/read'] },
  'PUT cohort': { request: () => write('PUT', '/api/v1/cohorts/x', {}), open: ['people/write'] },
  'DELETE cohort': {
    request: () => ({ method: 'DELETE', url: '/api/v1/cohorts/none' }),
    open: ['people/write']
  },
  'GET event-mapping': { request: () => get('/api/v1/event-mapping'), open: ['metrics/read'] },
  'GET event-mapping/versions': { request: () => get('/api/v1/event-mapping/versions'), open: ['metrics/read'] },
  'PUT event-mapping': { request: () => write('PUT', '/api/v1/event-mapping', {}), open: ['admin'] },
  'GET derivations': { request: () => get('/api/v1/derivations'), open: ['metrics/read'] },
  'GET people': { request: () => get('/api/v1/people'), open: rosterReaders },
  'GET people/{personId}': { request: () => get('/api/v1/people/none'), open: rosterReaders },
  'GET people/{personId}/history': { request: () => get('/api/v1/people/none/history'), open: rosterReaders },
  'PUT people/{personId}/history': {
    request: () => write('PUT', '/api/v1/people/none/history', { ranges: [{}] }),
    open: ['people/write']
  },
  'GET scores': {
    request: () => get('/api/v1/scores'),
    open: ['metrics/read', 'people/read', 'line/read', 'self/read']
  },
  'GET a group’s score': {
    request: () => get('/api/v1/scores/coaching-index'),
    open: ['metrics/read', 'line/read']
  },
  'GET scores/{scoreId}/teams': {
    request: () => get('/api/v1/scores/none/teams'),
    open: ['metrics/read', 'line/read']
  },
  'GET scores/{scoreId}/people/{personId}': {
    request: () => get('/api/v1/scores/momentum/people/none'),
    open: ['people/read', 'line/read', 'self/read']
  },
  'GET people/{personId}/card': {
    request: () => get('/api/v1/people/none/card'),
    open: ['people/read', 'line/read', 'self/read']
  },
  'GET a score’s definition': {
    request: () => get('/api/v1/scores/momentum/definition'),
    open: ['metrics/read', 'people/read', 'line/read', 'self/read']
  },
  'PUT a score’s definition': {
    request: () => write('PUT', '/api/v1/scores/momentum/definition', {}),
    open: ['admin']
  },
  'GET pilots': { request: () => get('/api/v1/pilots'), open: ['metrics/read'] },
  'GET a pilot': { request: () => get('/api/v1/pilots/none'), open: ['metrics/read'] },
  'GET pilots/{pilotId}/decision': { request: () => get('/api/v1/pilots/none/decision'), open: ['metrics/read'] },
  'PUT pilots/{pilotId}': { request: () => write('PUT', '/api/v1/pilots/none', {}), open: ['admin'] },
  'DELETE pilots/{pilotId}': { request: () => ({ method: 'DELETE', url: '/api/v1/pilots/none' }), open: ['admin'] },
  'GET credentials': { request: () => get('/api/v1/credentials'), open: ['admin'] },
  'POST credentials': { request: () => write('POST', '/api/v1/credentials', {}), open: ['admin'] },
  'PATCH credentials/{key}': {
    request: () => ({ method: 'PATCH', url: '/api/v1/credentials/none', headers: json, payload: '{}' }),
    open: ['admin']
  },
  'POST credentials/{key}/rotate': {
    request: () => ({ method: 'POST', url: '/api/v1/credentials/none/rotate' }),
    open: ['admin']
  },
  'DELETE credentials/{key}': {
    request: () => ({ method: 'DELETE', url: '/api/v1/credentials/none' }),
    open: ['admin']
  },
  'GET tenants': { request: () => get('/api/v1/tenants'), open: ['tenants'] },
  'POST tenants': { request: () => write('POST', '/api/v1/tenants', {}), open: ['tenants'] },
  'PATCH tenants/{name}': {
    request: () => ({ method: 'PATCH', url: '/api/v1/tenants/none', headers: json, payload: '{}' }),
    open: ['tenants']
  }
}

t.test('Comm 4.2: each scope opens what it names, and nothing else', async t => {
  const { addCaller } = await testApp(t)
  for (const scope of Object.keys(scopes)) {
    const { call } = await addCaller('first', [scope], 'ada')
    const opened: string[] = []
    const expected: string[] = []
    for (const [name, { request, open }] of Object.entries(table)) {
      const { statusCode } = await call(request())
      if (![401, 403].includes(statusCode)) opened.push(name)
      if (open.includes(scope)) expected.push(name)
    }
    t.same(opened, expected, scope)
  }
})

t.test('a scope that is limited to a person opens nothing for a credential that stands for nobody', async t => {
  const { addCaller } = await testApp(t)
  for (const scope of ['line/read', 'self/read']) {
    const { call, key } = await addCaller('first', [scope])
    for (const [name, { request, open }] of Object.entries(table)) {
      if (!open.includes(scope) || name === 'GET about') continue
      const response = await call(request())
      t.equal(response.statusCode, 403, `${scope} ${name}`)
      t.match(response.json(), {
        code: 'forbidden',
        detail: new RegExp(`^The credential "${key}" stands for no person`)
      })
    }
  }
})

t.test('Comm 4.2: statements/read/mine reads the statements of the own authority, by whatever way it asks', async t => {
  const { addCaller, db, ...other } = await testApp(t)
  const mine = await addCaller('first', ['statements/write', 'statements/read/mine'])
  await db.updateTable('credential').set({ may_assert_authority: true }).where('key', '=', other.key).execute()
  const [foreign] = (await other.post(opened)).json()
  const [own, second] = (await mine.post([opened, opened])).json()
  const account = { homePage: 'https://w3id.org/momentum-lrs/credential', name: mine.key }
  const [passedOn] = (await other.post({ ...opened, authority: { objectType: 'Agent', account } })).json()
  const idsOf = (statements: readonly { readonly id: string }[]) => statements.map(({ id }) => id)
  t.same(idsOf((await mine.get({ ascending: 'true' })).json().statements), [own, second, passedOn])
  const { statements, more } = (await mine.get({ limit: '1', ascending: 'true' })).json()
  t.same(idsOf(statements), [own])
  t.same(idsOf((await mine.call({ url: more })).json().statements), [second])
  t.equal((await mine.get({ statementId: foreign })).statusCode, 404)
  t.equal((await mine.get({ statementId: own })).statusCode, 200)
  const { more: all } = (await other.get({ limit: '1', ascending: 'true' })).json()
  t.same(idsOf((await mine.call({ url: all })).json().statements), [own], 'with a link of another')
})

t.test('a refusal names the scopes that would open', async t => {
  const { addCaller } = await testApp(t)
  const { call, key } = await addCaller('first', ['define'])
  const response = await call({ url: state })
  t.equal(response.statusCode, 403)
  t.match(response.json(), { code: 'forbidden', message: `The credential "${key}" lacks the scope state/read` })
})

t.test('what a scope opens', async t => {
  for (const [given, wanted, opens] of [
    ['all', 'statements/read/mine', true],
    ['all', 'all/read', true],
    ['all', 'define', true],
    ['all', 'statements/delete', false],
    ['all', 'metrics/read', false],
    ['all', 'admin', false],
    ['admin', 'tenants', false],
    ['all/read', 'statements/read/mine', true],
    ['all/read', 'define', false],
    ['statements/read/mine', 'statements/read', false],
    ['state/read', 'state', false],
    ['metrics/read', 'people/read', false],
    ['people/read', 'metrics/read', false],
    ['metrics/read', 'line/read', false],
    ['people/read', 'self/read', false],
    ['line/read', 'self/read', false],
    ['unknown', 'unknown', false],
    ['constructor', 'constructor', false]
  ] as const) {
    t.equal(hasScope([given], [wanted]), opens, `${given} → ${wanted}`)
  }
  t.same(scopesBeyond(['all', 'metrics/read'], ['state', 'admin', 'metrics/read', 'statements/delete']), [
    'admin',
    'statements/delete'
  ])
  t.same(scopesBeyond(operatorScopes, tenantScopes), [])
  t.same(scopesBeyond(tenantScopes, operatorScopes), ['tenants'])
  const personal = ['line/read', 'self/read']
  t.same(scopesBeyond(tenantScopes, personal), [], 'who may see everyone may show anybody their own')
  t.same(scopesBeyond(['metrics/read'], personal), personal)
  t.same(scopesBeyond(['people/read'], personal), ['line/read'])
  t.same(scopesBeyond(personal, personal), personal, 'of another person')
  t.same(scopesBeyond(personal, personal, true), [], 'of the same person')
  t.same(scopesBeyond(['line/read'], personal, true), ['self/read'])
})
