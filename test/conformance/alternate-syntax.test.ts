import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import type { InjectOptions } from 'fastify'
import t from 'tap'
import { testApp } from '../support/app.js'
import { opened } from '../support/statements.js'

// xAPI 1.0.3 Communication 1.3: a POST whose form stands for another request. xAPI 2.0 has no such thing.

const { app, authorization, get, call, listen, addCaller } = await testApp(t, { config: { maxBodyBytes: 20_000 } })

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const always = { Authorization: authorization, 'X-Experience-API-Version': '1.0.3' }
type Fields = Readonly<Record<string, string>>

/** What a browser without CORS can send: a POST with a form, and no header of the standard's. */
const send = (path: string, fields: Fields | string, headers: InjectOptions['headers'] = form) =>
  app.inject({
    method: 'POST',
    url: `/xapi/${path}`,
    headers,
    payload: typeof fields === 'string' ? fields : String(new URLSearchParams({ ...always, ...fields }))
  })

const context = { activityId: 'https://example.org/modules/feedback', agent: '{"mbox":"mailto:ada@example.org"}' }

t.test('statements are put, posted and read by forms', async t => {
  const id = randomUUID()
  const content = JSON.stringify({ ...opened, result: { response: 'a+b & ü=%' } })
  const stored = await send('statements?method=PUT', {
    statementId: id,
    content,
    'Content-Type': 'application/json',
    'Content-Length': String(content.length)
  })
  t.equal(stored.statusCode, 204)
  t.equal(stored.headers['x-experience-api-version'], '1.0.3')
  t.match((await get({ statementId: id })).json(), { id, result: { response: 'a+b & ü=%' } })
  const other = randomUUID()
  t.same((await send('statements?method=POST', { content: JSON.stringify({ ...opened, id: other }) })).json(), [other])
  t.match((await send('statements?method=GET', { statementId: other })).json(), { id: other })
  const page = await send('statements?method=GET', { limit: '1', ascending: 'true' })
  t.equal(page.statusCode, 200)
  t.ok(page.headers['x-experience-api-consistent-through'])
  const { statements, more } = page.json()
  t.equal(statements.length, 1)
  t.match(more, /^\/xapi\/statements\?limit=1&ascending=true&cursor=/, 'which is a plain GET')
  t.equal((await call({ url: more })).json().statements.length, 1)
})

t.test('documents are written under preconditions, read, merged and deleted by forms', async t => {
  const address = { agent: context.agent, profileId: randomUUID() }
  const put = (more: Fields) => send('agents/profile?method=PUT', { ...address, 'Content-Type': 'text/plain', ...more })
  t.equal((await put({ content: 'a' })).statusCode, 400, 'a new profile needs a precondition')
  t.equal((await put({ content: 'ünï', 'if-none-match': '*' })).statusCode, 204, 'whatever the case of the name')
  const read = await send('agents/profile?method=GET', address)
  t.equal(read.body, 'ünï')
  t.equal(read.headers['content-type'], 'text/plain')
  t.equal((await put({ content: 'b', 'If-Match': '"nonsense"' })).statusCode, 412)
  t.equal((await put({ content: '', 'If-Match': String(read.headers.etag) })).statusCode, 204, 'an empty document')
  t.equal((await send('agents/profile?method=GET', address)).body, '')
  t.equal((await send('agents/profile?method=DELETE', address)).statusCode, 204)
  t.equal((await send('agents/profile?method=GET', address)).statusCode, 404)
  const state = { ...context, stateId: randomUUID() }
  for (const content of ['{"a":1}', '{"b":2}']) {
    t.equal((await send('activities/state?method=POST', { ...state, content })).statusCode, 204)
  }
  t.same((await send('activities/state?method=GET', state)).json(), { a: 1, b: 2 })
})

t.test('resources that know no POST are read by forms too', async t => {
  t.match((await send('activities?method=GET', { activityId: context.activityId })).json(), { objectType: 'Activity' })
  t.match((await send('agents?method=GET', { agent: context.agent })).json(), { objectType: 'Person' })
  t.match((await send('about?method=GET', '')).json(), { version: ['1.0.3', '2.0.0'] })
  t.match((await send('activities?method=DELETE', {})).json(), { code: 'method-not-allowed' })
  t.match((await send('nowhere?method=GET', {})).json(), { code: 'not-found' })
})

t.test('the form’s own type may be missing, as old browsers leave it', async t => {
  for (const headers of [{}, { 'content-type': 'text/plain;charset=UTF-8' }]) {
    t.equal((await send('statements?method=GET', {}, headers)).statusCode, 200)
  }
  for (const type of ['application/json', 'multipart/form-data; boundary=a']) {
    const response = await send('statements?method=GET', {}, { 'content-type': type })
    t.match(response.json(), { code: 'invalid-header' })
    t.ok(response.headers['x-experience-api-consistent-through'], 'as in every answer of the Statement Resource')
  }
  const squeezed = await send('statements?method=GET', {}, { ...form, 'content-encoding': 'gzip' })
  t.match(squeezed.json(), { code: 'unsupported-media-type' })
})

t.test('headers are read from the form, and from HTTP where the form has none', async t => {
  const anonymous = await app.inject({ method: 'POST', url: '/xapi/statements?method=GET', headers: form, payload: '' })
  t.equal(anonymous.statusCode, 401)
  t.ok(anonymous.headers['www-authenticate'])
  const wrong = { Authorization: 'Basic bm86Ym9keQ==' }
  t.equal((await send('statements?method=GET', wrong, { ...form, authorization })).statusCode, 401, 'the form wins')
  const plain = { ...form, authorization, 'x-experience-api-version': '1.0.3' }
  t.equal((await send('statements?method=GET', 'limit=1', plain)).statusCode, 200)
  const unknown = await send('statements?method=GET', { 'X-Experience-API-Version': '0.8' }, plain)
  t.match(unknown.json(), { code: 'invalid-header', message: /"0\.8"/ })
  const reader = await addCaller('first', ['statements/read'])
  const stored = await send('statements?method=POST', { Authorization: reader.authorization, content: '[]' })
  t.equal(stored.statusCode, 403, 'scopes count as for any request')
})

t.test('2.0 has no alternate syntax', async t => {
  for (const [fields, headers] of [
    [{ 'X-Experience-API-Version': '2.0.0' }, form],
    [{ 'X-Experience-API-Version': '2.0' }, { ...form, 'x-experience-api-version': '1.0.3' }]
  ] as const) {
    const response = await send('statements?method=GET', fields, headers)
    t.equal(response.statusCode, 400)
    t.match(response.json(), { code: 'invalid-parameter', pointer: '/method' })
    t.equal(response.headers['x-experience-api-version'], '2.0.0')
    t.ok(response.headers['x-experience-api-consistent-through'])
  }
})

t.test('what the syntax does not allow is 400, and does nothing', async t => {
  const id = randomUUID()
  const content = JSON.stringify(opened)
  const put = { statementId: id, content }
  const multipart = { 'Content-Type': 'multipart/mixed; boundary=a' }
  const table: [string, Fields | string, string][] = [
    [`statements?method=PUT&statementId=${id}`, put, 'invalid-parameter'],
    ['statements?method=PUT&method=PUT', put, 'invalid-parameter'],
    ['statements?method=put', put, 'invalid-parameter'],
    ['statements?method=HEAD', {}, 'invalid-parameter'],
    ['statements?method=', put, 'invalid-parameter'],
    ['statements?method=PUT', { ...put, method: 'PUT' }, 'invalid-parameter'],
    ['statements?method=PUT', { ...put, unknown: '1' }, 'invalid-parameter'],
    ['statements?method=PUT', { statementId: id }, 'invalid-body'],
    ['statements?method=PUT', { statementId: id, content: '' }, 'invalid-json'],
    ['statements?method=PUT', { ...put, ...multipart }, 'invalid-header'],
    ['statements?method=PUT', { ...put, 'If-Match': 'a\r\nSet-Cookie: b' }, 'invalid-header'],
    ['statements?method=PUT', { ...put, 'Content-Type': 'text/ŧ' }, 'invalid-header'],
    ['statements?method=PUT', `${new URLSearchParams({ ...always, ...put })}&content=b`, 'invalid-body'],
    ['statements?method=PUT', `${new URLSearchParams({ ...always, ...put })}&authorization=b`, 'invalid-body'],
    ['statements?method=PUT', `${new URLSearchParams({ ...always, ...put })}&a=%zz`, 'invalid-body'],
    ['statements?method=PUT', `${new URLSearchParams({ ...always, ...put })}&%ff`, 'invalid-body'],
    ['statements?method=PUT', `${new URLSearchParams(always)}&&${content}`, 'invalid-body']
  ]
  for (const [path, fields, code] of table) {
    const response = await send(path, fields)
    t.equal(response.statusCode, 400, `${path} ${JSON.stringify(fields)}`)
    t.match(response.json(), { code })
  }
  const headers = { authorization, 'x-experience-api-version': '1.0.3', 'content-type': 'application/json' }
  const url = `/xapi/statements?method=POST&statementId=${id}`
  t.equal((await app.inject({ method: 'PUT', url, headers, payload: content })).statusCode, 400, 'only POST has it')
  t.equal((await get({ statementId: id })).statusCode, 404)
})

t.test('over the network: content of several kilobytes, a form beyond the limit, one that breaks off', async t => {
  const base = await listen()
  const post = (fields: Fields) =>
    fetch(`${base}/xapi/activities/state?method=PUT`, {
      method: 'POST',
      body: new URLSearchParams({ ...always, ...context, stateId: 'large', ...fields })
    })
  const content = JSON.stringify({ text: 'ü '.repeat(1500) })
  t.equal((await post({ content })).status, 204)
  t.equal((await send('activities/state?method=GET', { ...context, stateId: 'large' })).body, content)
  const refused = await post({ content: 'x'.repeat(30_000) })
  t.equal(refused.status, 413)
  t.match(await refused.json(), { code: 'body-too-large' })
  t.equal(refused.headers.get('connection'), 'close')
  const { hostname, port } = new URL(base)
  const socket = connect(Number(port), hostname)
  socket.write('POST /xapi/statements?method=GET HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nlimit=')
  await new Promise(resolve => setTimeout(resolve, 100))
  socket.destroy()
  t.equal((await fetch(`${base}/health/live`)).status, 200, 'the service goes on')
})
