import { createHash, randomUUID } from 'node:crypto'
import type { InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import { testApp } from '../support/app.js'

// What the standard says of documents: xAPI 1.0.3 Communication 2.2, 2.3, 2.6, 2.7 and 3.1, and their like in 2.0.

const { call } = await testApp(t)

const versions = ['1.0.3', '2.0.0'] as const
type Version = (typeof versions)[number]
type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
type Query = Readonly<Record<string, string>>

const ada = JSON.stringify({ objectType: 'Agent', mbox: 'mailto:ada@example.org' })
const activityId = 'https://example.org/modules/feedback'

const state = { path: '/xapi/activities/state', id: 'stateId', context: { activityId, agent: ada } }
const activityProfile = { path: '/xapi/activities/profile', id: 'profileId', context: { activityId } }
const agentProfile = { path: '/xapi/agents/profile', id: 'profileId', context: { agent: ada } }
const resources = [state, activityProfile, agentProfile] as const
type Resource = (typeof resources)[number]

const json = { 'content-type': 'application/json' }
const text = { 'content-type': 'text/plain' }
const isNew = { 'if-none-match': '*' }

/** A place of its own for one document, and the requests on it in one version. */
function place(resource: Resource, version: Version, more: Query = {}) {
  const query: Query = { ...resource.context, [resource.id]: randomUUID(), ...more }
  const at = (given: Query) => `${resource.path}?${new URLSearchParams(given)}`
  const send = (method: Method, headers: InjectOptions['headers'] = {}, payload?: string | Buffer) =>
    call({
      method,
      url: at(query),
      headers: { 'x-experience-api-version': version, ...headers },
      ...(payload === undefined ? {} : { payload })
    })
  const make = (payload: string | Buffer, headers: InjectOptions['headers'] = json) =>
    send('PUT', { ...headers, ...isNew }, payload)
  return { query, at, send, make }
}

function each(name: string, test: (t: Test, resource: Resource, version: Version) => Promise<void>): void {
  for (const version of versions) {
    for (const resource of resources) t.test(`${version} ${resource.path}: ${name}`, t => test(t, resource, version))
  }
}

const sha1 = (content: string | Buffer) => createHash('sha1').update(content).digest('hex')

each('a document comes back as it was sent, with type, tag and time; HEAD alike', async (t, resource, version) => {
  const table: [string, Buffer][] = [
    ['application/json; charset=utf-8', Buffer.from(' {"b":1.0,"a":999999999999999999,"2":1e400,"1":"\\u0000"}\n')],
    ['application/octet-stream', Buffer.from([0, 255, 13, 10, 254, 0])],
    ['text/html; charset=iso-8859-1', Buffer.from([0x3c, 0x62, 0x3e, 0xe9])],
    ['application/json', Buffer.from('not JSON at all')],
    ['text/plain', Buffer.alloc(0)]
  ]
  for (const [contentType, content] of table) {
    const { make, send } = place(resource, version)
    const before = Math.floor(Date.now() / 1000) * 1000
    t.equal((await make(content, { 'content-type': contentType })).statusCode, 204, contentType)
    const response = await send('GET')
    t.equal(response.statusCode, 200)
    t.same(response.rawPayload, content)
    t.equal(response.headers['content-type'], contentType)
    t.equal(response.headers.etag, `"${sha1(content)}"`)
    const modified = new Date(String(response.headers['last-modified'])).getTime()
    t.ok(modified >= before - 1000 && modified <= Date.now() + 1000)
    t.equal(response.headers['x-experience-api-version'], version)
    const head = await send('HEAD')
    t.equal(head.statusCode, 200)
    t.equal(head.body, '')
    const { date: _date, 'x-request-id': _id, ...headers } = response.headers
    t.match(head.headers, headers)
  }
})

each('what is not there is 404, and deleting it is 204 all the same', async (t, resource, version) => {
  const { send } = place(resource, version)
  t.match((await send('GET')).json(), { code: 'not-found' })
  t.equal((await send('HEAD')).statusCode, 404)
  t.equal((await send('DELETE')).statusCode, 204)
})

each('a document without a content type is of bytes; one with a malformed type is refused', async (t, r, version) => {
  const { send, make } = place(r, version)
  t.equal((await make('a', { 'content-type': 'nonsense' })).statusCode, 415)
  t.match((await make('a', { 'content-type': 'text/plain; a="b\u0001"' })).json(), { code: 'invalid-header' })
  t.equal((await send('GET')).statusCode, 404)
  t.equal((await make('a', {})).statusCode, 204)
  t.match((await send('GET')).headers, { 'content-type': 'application/octet-stream' })
  const empty = place(r, version)
  t.equal((await empty.send('PUT', isNew)).statusCode, 204)
  t.match((await empty.send('GET')).headers, { 'content-length': '0', etag: `"${sha1('')}"` })
})

each('If-Match and If-None-Match decide on PUT, POST and DELETE', async (t, resource, version) => {
  const etag = sha1('{"a":1}')
  const absent: [Method, Record<string, string>, number][] = [
    ['PUT', { 'if-match': `"${etag}"` }, 412],
    ['PUT', { 'if-match': '*' }, 412],
    ['POST', { 'if-match': '*' }, 412],
    ['DELETE', { 'if-match': `"${etag}"` }, 412],
    ['PUT', { 'if-none-match': '*' }, 204],
    ['POST', { 'if-none-match': '*' }, 204],
    ['PUT', { 'if-none-match': `"${etag}"` }, 204]
  ]
  for (const [method, headers, status] of absent) {
    const { send } = place(resource, version)
    const response = await send(method, { ...json, ...headers }, '{"b":2}')
    t.equal(response.statusCode, status, `absent: ${method} ${JSON.stringify(headers)}`)
    t.equal((await send('GET')).statusCode, status === 204 ? 200 : 404)
  }
  const present: [Record<string, string>, number][] = [
    [{ 'if-match': `"${etag}"` }, 204],
    [{ 'if-match': '*' }, 204],
    [{ 'if-match': `"${sha1('x')}", "${etag}"` }, 204],
    [{ 'if-match': `W/"${etag}"` }, 204],
    [{ 'if-match': etag }, 204],
    [{ 'if-none-match': `"${sha1('x')}"` }, 204],
    [{ 'if-match': `"${sha1('x')}"` }, 412],
    [{ 'if-match': '' }, 412],
    [{ 'if-match': '"\\' }, 412],
    [{ 'if-none-match': '*' }, 412],
    [{ 'if-none-match': '"*"' }, 412],
    [{ 'if-none-match': `"a", W/"${etag}"` }, 412],
    [{ 'if-match': `"${etag}"`, 'if-none-match': '*' }, 412]
  ]
  for (const [headers, status] of present) {
    for (const method of ['PUT', 'POST', 'DELETE'] as const) {
      const { send, make } = place(resource, version)
      await make('{"a":1}')
      const response = await send(method, { ...json, ...headers }, '{"b":2}')
      t.equal(response.statusCode, status, `${method} ${JSON.stringify(headers)}`)
      if (status === 412) {
        t.match(response.json(), { code: 'precondition-failed' })
        t.equal((await send('GET')).body, '{"a":1}', 'nothing was changed')
      }
    }
  }
})

each('a reader who has the document already is told so', async (t, resource, version) => {
  const { send, make } = place(resource, version)
  await make('{"a":1}')
  const etag = sha1('{"a":1}')
  const again = await send('GET', { 'if-none-match': `W/"${etag}"` })
  t.equal(again.statusCode, 304)
  t.equal(again.body, '')
  t.equal(again.headers.etag, `"${etag}"`)
  t.equal((await send('HEAD', { 'if-none-match': '*' })).statusCode, 304)
  t.equal((await send('GET', { 'if-none-match': `"${sha1('x')}"` })).statusCode, 200)
  t.equal((await send('GET', { 'if-match': `"${sha1('x')}"` })).statusCode, 412)
  t.equal((await send('GET', { 'if-match': `"${etag}"` })).statusCode, 200)
})

t.test('a PUT without precondition: the two versions differ', async t => {
  const table = [
    ['1.0.3', state, { fresh: 204, existing: 204 }],
    ['1.0.3', activityProfile, { fresh: 400, existing: 409 }],
    ['1.0.3', agentProfile, { fresh: 400, existing: 409 }],
    ['2.0.0', state, { fresh: 204, existing: 409 }],
    ['2.0.0', activityProfile, { fresh: 204, existing: 409 }],
    ['2.0.0', agentProfile, { fresh: 204, existing: 409 }]
  ] as const
  for (const [version, resource, { fresh, existing }] of table) {
    const label = `${version} ${resource.path}`
    const first = place(resource, version)
    const response = await first.send('PUT', json, '{}')
    t.equal(response.statusCode, fresh, `${label}, new`)
    if (fresh === 400) t.match(response.json(), { code: 'precondition-required' })
    t.equal((await first.send('GET')).statusCode, fresh === 204 ? 200 : 404)
    const second = place(resource, version)
    await second.make('{"a":1}')
    const refused = await second.send('PUT', text, 'b')
    t.equal(refused.statusCode, existing, `${label}, existing`)
    t.equal((await second.send('GET')).body, existing === 204 ? 'b' : '{"a":1}')
    if (existing === 409) t.match(refused.json(), { code: 'document-conflict', message: /If-Match/ })
    t.equal((await second.send('POST', json, '{}')).statusCode, existing === 204 ? 400 : 204, 'POST needs none')
    t.equal((await second.send('DELETE')).statusCode, 204, 'DELETE needs none')
  }
})

each('PUT replaces, and updates the content type', async (t, resource, version) => {
  const { send, make } = place(resource, version)
  await make('{"a":1}')
  t.equal((await send('PUT', { ...text, 'if-match': '*' }, 'b')).statusCode, 204)
  const response = await send('GET')
  t.equal(response.body, 'b')
  t.equal(response.headers['content-type'], 'text/plain')
})

each('POST merges JSON objects at the top level and keeps what it does not touch', async (t, resource, version) => {
  const table: [string, string, string][] = [
    ['{"x":"foo","y":"bar"}', '{"x":"bash","z":"faz"}', '{"x":"bash","y":"bar","z":"faz"}'],
    ['{"a":{"b":1,"c":2}}', '{"a":{"b":3}}', '{"a":{"b":3}}'],
    ['{"n":999999999999999999,"m":1.0}', '{"k":1e400}', '{"n":999999999999999999,"m":1.0,"k":1e400}'],
    ['{"a":{"b":1},"a.b":2}', '{"a.b":3}', '{"a":{"b":1},"a.b":3}'],
    ['{"z":1,"2":2,"1":3}', '{"__proto__":4,"z":5}', '{"z":5,"2":2,"1":3,"__proto__":4}'],
    ['{"a":null,"\\u0062":"\\ud800\\u0000"}', '{"c":null}', '{"a":null,"b":"\\ud800\\u0000","c":null}'],
    ['{"a":1,"a":2}', '{"b":1,"b":2}', '{"a":2,"b":2}'],
    [' {"a":1}', '{}', '{"a":1}'],
    ['\ufeff{"a":1}', '\ufeff{"b":2}', '{"a":1,"b":2}'],
    ['{"a":1}', `{"b":${'['.repeat(5000)}${']'.repeat(5000)}}`, `{"a":1,"b":${'['.repeat(5000)}${']'.repeat(5000)}}`]
  ]
  for (const [stored, posted, merged] of table) {
    const { send, make } = place(resource, version)
    await make(stored)
    const types = { 'content-type': 'application/json;charset="UTF-8"' }
    t.equal((await send('POST', types, posted)).statusCode, 204, posted.slice(0, 80))
    const response = await send('GET')
    t.equal(response.body, merged)
    t.equal(response.headers.etag, `"${sha1(merged)}"`)
    t.equal(response.headers['content-type'], types['content-type'], 'the type is that of the last writer')
  }
})

each('POST of what is no JSON object, or onto such, is 400 and changes nothing', async (t, resource, version) => {
  const latin = { 'content-type': 'application/json; charset=iso-8859-1' }
  const table: [Record<string, string>, string, Record<string, string>, string | Buffer][] = [
    [json, '{"a":1}', text, '{"b":2}'],
    [text, '{"a":1}', json, '{"b":2}'],
    [json, '{"a":1}', json, '["b"]'],
    [json, '["a"]', json, '{"b":2}'],
    [json, '{"a":1}', json, '"b"'],
    [json, '{"a":1}', json, 'null'],
    [json, '{"a":1}', json, '{"b":'],
    [json, '{"a":', json, '{"b":2}'],
    [json, '{"a":1}', json, ''],
    [json, '', json, '{"b":2}'],
    [json, '{"a":1}', json, Buffer.from([0x7b, 0xff, 0x7d])],
    [json, '{"a":1}', latin, '{"b":2}']
  ]
  for (const [storedType, stored, postedType, posted] of table) {
    const { send, make } = place(resource, version)
    await make(stored, storedType)
    const response = await send('POST', postedType, posted)
    t.equal(response.statusCode, 400, `${stored} + ${posted}`)
    const after = await send('GET')
    t.equal(after.body, stored)
    t.equal(after.headers['content-type'], storedType['content-type'])
  }
})

each('POST of a new document stores it as a PUT would, but broken JSON is 400', async (t, resource, version) => {
  for (const [headers, payload, status] of [
    [json, '{"a":1}', 204],
    [json, '[1]', 204],
    [text, 'free text', 204],
    [json, '{"a"', 400]
  ] as const) {
    const { send } = place(resource, version)
    t.equal((await send('POST', headers, payload)).statusCode, status, payload)
    const response = await send('GET')
    t.equal(response.statusCode, status === 204 ? 200 : 404)
    if (status === 204) t.equal(response.body, payload)
  }
})

each('without an id the ids are listed, newest first, `since` exclusive', async (t, resource, version) => {
  const own = { activityId: `https://example.org/${randomUUID()}`, agent: `{"mbox":"mailto:${randomUUID()}@x.org"}` }
  const context = Object.fromEntries(Object.keys(resource.context).map(key => [key, own[key as keyof typeof own]]))
  const headers = { 'x-experience-api-version': version }
  const list = (more: Query = {}, given = {}) =>
    call({
      method: 'GET',
      url: place(resource, version).at({ ...context, ...more }),
      headers: { ...headers, ...given }
    })
  const empty = await list()
  t.same(empty.json(), [])
  t.equal(empty.headers['last-modified'], undefined)
  const ids = ['first', `${'long '.repeat(500)}`, 'ünï/cödé ?&=#%', 'first.with.dots']
  for (const id of ids) await place(resource, version, { ...context, [resource.id]: id }).make('{}')
  const all = await list()
  t.same(all.json(), ids.toReversed())
  t.match(all.headers['content-type'], /^application\/json/)
  t.match(all.headers, { etag: `"${sha1(all.body)}"`, 'last-modified': /GMT$/ })
  t.equal((await list({}, { 'if-none-match': String(all.headers.etag) })).statusCode, 304)
  const past = new Date(Date.now() - 60_000).toISOString()
  t.same((await list({ since: past })).json(), ids.toReversed())
  t.same((await list({ since: past.replace('Z', '-00:30') })).json(), [], 'the offset counts')
  t.same((await list({ since: new Date(Date.now() + 60_000).toISOString() })).json(), [])
  for (const since of ['yesterday', '2026-13-01T00:00:00Z', '0000-01-01T00:00:00Z', '2026-01-01T00:00:60Z', '']) {
    t.match((await list({ since })).json(), { code: 'invalid-parameter', pointer: '/since' }, since)
  }
})

each(
  'parameters that are missing, repeated, unknown, malformed or of no Agent are 400',
  async (t, resource, version) => {
    const { at } = place(resource, version)
    const good = { ...resource.context, [resource.id]: 'x' }
    const group = JSON.stringify({ objectType: 'Group', mbox: 'mailto:team@example.org' })
    const without = (name: string) => Object.fromEntries(Object.entries(good).filter(([key]) => key !== name))
    const urls = [
      ...Object.keys(resource.context).map(name => at(without(name))),
      `${at(good)}&${resource.id}=y`,
      at({ ...good, unknown: '1' }),
      at({ ...good, since: '2026-01-01T00:00:00Z' }),
      at({ ...good, [resource.id]: '' }),
      at({ ...good, [resource.id]: 'a\0b' }),
      `${at(without(resource.id))}&${resource.id}=%FF`,
      `${at(without(resource.id))}&${resource.id}=%zz`,
      ...('activityId' in resource.context ? [at({ ...good, activityId: 'no scheme' })] : []),
      ...('agent' in resource.context
        ? ['{', '[]', '{}', group, '{"mbox":"ada"}', '{"account":{"homePage":"https://a.org","name":"\\u0000"}}'].map(
            agent => at({ ...good, agent })
          )
        : []),
      ...(resource === state ? [at({ ...good, registration: '1234' })] : [at({ ...good, registration: randomUUID() })])
    ]
    for (const url of urls) {
      for (const method of ['GET', 'PUT', 'POST', 'DELETE'] as const) {
        const headers = { ...json, 'if-match': '*', 'x-experience-api-version': version }
        const response = await call({ method, url, headers, ...(method === 'GET' ? {} : { payload: '{}' }) })
        t.equal(response.statusCode, 400, `${method} ${url}`)
        t.match(response.json(), { code: 'invalid-parameter' })
      }
    }
  }
)

t.test('only State can be deleted without an id', async t => {
  for (const { path, context } of [activityProfile, agentProfile]) {
    const response = await call({ method: 'DELETE', url: `${path}?${new URLSearchParams({ ...context })}` })
    t.match(response.json(), { code: 'invalid-parameter', pointer: '/profileId' })
  }
})

t.test('Comm 2.3: a registration is a context of its own, and none is another', async t => {
  for (const version of versions) {
    const own = { activityId: `https://example.org/${randomUUID()}`, agent: ada }
    const [one, two] = [randomUUID(), randomUUID()]
    const none = place(state, version, { ...own, stateId: 's' })
    const first = place(state, version, { ...own, stateId: 's', registration: one })
    const second = place(state, version, { ...own, stateId: 's', registration: two.toUpperCase() })
    for (const [at, content] of [
      [none, 'none'],
      [first, 'one'],
      [second, 'two']
    ] as const) {
      t.equal((await at.make(content, text)).statusCode, 204)
    }
    t.equal((await none.make('again', text)).statusCode, 412, 'one document without a registration, not many')
    t.equal((await none.send('GET')).body, 'none')
    t.equal((await first.send('GET')).body, 'one')
    t.equal((await place(state, version, { ...own, stateId: 's', registration: two }).send('GET')).body, 'two')
    const many = (registration?: string) =>
      place(state, version).at({ ...own, ...(registration === undefined ? {} : { registration }) })
    const headers = { 'x-experience-api-version': version }
    t.same((await call({ method: 'GET', url: many(), headers })).json(), ['s'], 'an id is listed once')
    t.same((await call({ method: 'GET', url: many(randomUUID()), headers })).json(), [])
    t.equal((await call({ method: 'DELETE', url: many(one), headers })).statusCode, 204)
    t.same(await Promise.all([none, first, second].map(async at => (await at.send('GET')).statusCode)), [200, 404, 200])
    t.equal((await call({ method: 'DELETE', url: many(), headers })).statusCode, 204)
    t.same(await Promise.all([none, first, second].map(async at => (await at.send('GET')).statusCode)), [404, 404, 404])
    const unknown = { agent: ada, activityId: `https://example.org/${randomUUID()}` }
    const nowhere = await call({ method: 'DELETE', url: place(state, version).at(unknown), headers })
    t.equal(nowhere.statusCode, 204)
  }
})

t.test('an agent is found by its identifier, whatever else its parameter says', async t => {
  const account = { homePage: 'https://lms.example', name: randomUUID() }
  const at = (agent: unknown) => place(agentProfile, '1.0.3', { agent: JSON.stringify(agent), profileId: 'p' })
  await at({ account }).make('here', text)
  t.equal((await at({ objectType: 'Agent', name: 'Ada', account }).send('GET')).body, 'here')
  t.equal((await at({ account: { ...account, name: account.name.toUpperCase() } }).send('GET')).statusCode, 404)
})

t.test('a document opened in a browser can neither run script nor be taken for another type', async t => {
  const { make, send } = place(state, '1.0.3')
  await make('<script>alert(1)</script>', { 'content-type': 'text/html' })
  t.match((await send('GET')).headers, {
    'x-content-type-options': 'nosniff',
    'content-security-policy': /^default-src 'none';.*sandbox$/
  })
})

t.test('an Activity id of any length is one', async t => {
  const long = `https://example.org/${'x'.repeat(7000)}`
  const { make, send } = place(activityProfile, '2.0.0', { activityId: long })
  t.equal((await make('here', text)).statusCode, 204)
  t.equal((await send('GET')).body, 'here')
})
