import createClient from 'openapi-fetch'
import t from 'tap'
import type { paths } from '../../openapi/paths.d.ts'
import { testApp } from '../support/app.js'
import { opened } from '../support/statements.js'

// The client that integrators generate from the OpenAPI document. `tsc -p .` checks the types that are used here, the
// errors that are expected among them, and the run checks that the service holds to them.

const app = await testApp(t, { now: () => new Date('2026-03-09T08:00:00Z') })
const baseUrl = await app.listen()
const client = createClient<paths, `application/${string}json`>({
  baseUrl,
  headers: { authorization: app.authorization }
})
const versioned = { 'x-experience-api-version': '1.0.3' }

const agents = Array.from({ length: 12 }, (_, at) => ({ mbox: `mailto:client-${at}@example.org` }))

t.test('the roster is written and a metric read, all of it with types', async t => {
  const people = agents.map((agent, at) => ({ personId: `client-${at}`, agents: [agent], cohorts: ['typed'] }))
  const enrolled = await client.PUT('/api/v1/people', { body: people })
  t.same(enrolled.data, { received: 12, created: 12, updated: 0, unchanged: 0 })

  const list = await client.GET('/api/v1/metrics')
  t.match(list.data?.metrics.find(({ id }) => id === 'active-users')?.thresholds, { minimum: 0.4, success: 0.7 })

  const statements = agents.slice(0, 9).map(actor => ({ ...opened, actor, timestamp: '2026-03-04T12:00:00Z' }))
  const stored = await client.POST('/xapi/statements', { params: { header: versioned }, body: statements })
  t.equal(stored.data?.length, 9)

  const answer = await client.GET('/api/v1/metrics/active-users', {
    params: { query: { from: '2026-03-02', to: '2026-03-09', cohort: 'typed', consistency: 'strong' } }
  })
  const [cell] = answer.data?.results ?? []
  t.match(cell, { value: 0.75, numerator: 9, denominator: 12, nullReason: null, ci: { method: 'wilson' } })
  t.equal(answer.data?.meta.query.minGroupSize, 10)
})

t.test('statements are found page by page, and each member has its type', async t => {
  const query = { verb: opened.verb.id, limit: 5, ascending: true }
  const page = await client.GET('/xapi/statements', { params: { header: versioned, query } })
  if (typeof page.data !== 'object' || !('statements' in page.data)) return t.fail('one statement is no page')
  const found = page.data
  t.equal(found.statements.length, 5)
  t.match(found.more, /^\/xapi\/statements\?/)
  t.match(found.statements[0], { id: String, actor: agents[0], verb: opened.verb, stored: String })
})

t.test('a credential is made, used, rotated and revoked', async t => {
  const made = await client.POST('/api/v1/credentials', { body: { name: 'BI', scopes: ['metrics/read'] } })
  t.equal(made.response.status, 201)
  const { key = '', secret = '' } = made.data ?? {}
  const authorization = `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`
  const reader = createClient<paths, `application/${string}json`>({ baseUrl, headers: { authorization } })
  t.equal((await reader.GET('/api/v1/metrics')).response.status, 200)

  const path = { params: { path: { key } } }
  t.not((await client.POST('/api/v1/credentials/{key}/rotate', path)).data?.secret, secret)
  t.equal((await client.DELETE('/api/v1/credentials/{key}', path)).response.status, 204)
  const listed = await client.GET('/api/v1/credentials')
  t.type(listed.data?.credentials.find(credential => credential.key === key)?.revokedAt, 'string')
})

t.test('a failure is a value with a type: problem details, and the standard’s own under /xapi', async t => {
  const wrong = await client.GET('/api/v1/metrics/active-users', {
    // @ts-expect-error A parameter that the metric doesn't know is refused by the compiler, and by the service.
    params: { query: { windowDays: 7 } }
  })
  t.match(wrong.error, {
    code: 'invalid-parameter',
    status: 400,
    requestId: wrong.response.headers.get('x-request-id')
  })

  const stranger = await createClient<paths, `application/${string}json`>({ baseUrl }).GET('/api/v1/metrics')
  t.equal(stranger.error?.code, 'unauthenticated')

  const nobody = await client.DELETE('/api/v1/credentials/{key}', { params: { path: { key: 'nobody' } } })
  t.equal(nobody.error?.code, 'not-found')

  const broken = { ...opened, verb: { id: 'opened' } }
  const refused = await client.POST('/xapi/statements', { params: { header: versioned }, body: broken })
  t.match(refused.error, { code: 'invalid-statement', index: 0, pointer: '/verb/id', message: String })

  // @ts-expect-error There is no such operation.
  const nowhere = await client.GET('/api/v1/nowhere')
  t.equal(nowhere.response.status, 404)
})

t.test('every answer that the document shows for a failure is one that the service gives', async t => {
  const document = (await app.call({ url: '/openapi.json' })).json()
  const { responses } = document.components
  const { example } = responses.XapiBadRequest.content['application/json']
  const broken = { ...opened, verb: { id: 'opened' } }
  const { error } = await client.POST('/xapi/statements', { params: { header: versioned }, body: broken })
  t.same({ ...error, requestId: '' }, { ...example, requestId: '' })

  const stranger = createClient<paths, `application/${string}json`>({
    baseUrl,
    headers: { authorization: 'Basic bm9ib2R5Om5v' }
  })
  const shown = responses.Unauthenticated.content['application/problem+json'].example
  t.same({ ...(await stranger.GET('/api/v1/metrics')).error, requestId: '' }, { ...shown, requestId: '' })
})
