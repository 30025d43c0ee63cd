import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { deflateSync, gunzipSync, gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { answerClientError } from '../../src/http/client-error.js'
import { type TestApp, testApp } from '../support/app.js'
import { opened } from '../support/statements.js'

const json = { 'content-type': 'application/json' }

function post({ call }: TestApp, payload: Buffer | string, headers: Readonly<Record<string, string>>) {
  return call({ method: 'POST', url: '/xapi/statements', headers: { ...json, ...headers }, payload })
}

/** Sends bytes as they are and gives what comes back until the connection is closed. */
async function sendRaw(t: Test, url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  socket.write(bytes)
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

t.test('pages of any origin may call, with the headers of the standard, and read those of an answer', async t => {
  const { app, call } = await testApp(t)
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/xapi/statements',
    headers: {
      origin: 'https://course.example',
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'authorization,x-experience-api-version'
    }
  })
  t.equal(preflight.statusCode, 204, 'without credentials')
  t.equal(preflight.headers['access-control-allow-origin'], '*')
  t.match(preflight.headers['access-control-allow-methods'], /GET.*HEAD.*POST.*PUT.*DELETE/)
  for (const header of ['Authorization', 'Content-Type', 'X-Experience-API-Version', 'If-Match', 'If-None-Match']) {
    t.match(preflight.headers['access-control-allow-headers'], new RegExp(`\\b${header}\\b`), header)
  }
  for (const url of ['/xapi/statements', '/xapi/statements?unknown=1', '/xapi/nowhere', '/api/v1/metrics']) {
    const { headers } = await call({ url, headers: { origin: 'https://course.example' } })
    t.equal(headers['access-control-allow-origin'], '*', url)
    for (const header of ['ETag', 'Last-Modified', 'X-Experience-API-Version', 'X-Experience-API-Consistent-Through']) {
      t.match(headers['access-control-expose-headers'], new RegExp(`\\b${header}\\b`), header)
    }
  }
})

t.test('origins may be few or none', async t => {
  const ask = async (corsOrigins: readonly string[], origin: string) => {
    const { app } = await testApp(t, { config: { corsOrigins } })
    return (await app.inject({ url: '/xapi/about', headers: { origin } })).headers['access-control-allow-origin']
  }
  t.equal(await ask(['https://lms.example'], 'https://lms.example'), 'https://lms.example')
  t.equal(await ask(['https://lms.example'], 'https://other.example'), undefined)
  t.equal(await ask([], 'https://lms.example'), undefined)
})

t.test('a body may come compressed, up to the limit of what it is decompressed', async t => {
  const app = await testApp(t, { config: { maxBodyBytes: 100_000 } })
  const text = JSON.stringify(opened)
  for (const [encoding, body] of [
    ['gzip', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['GZIP', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['identity', Buffer.from(text)]
  ] as const) {
    t.equal((await post(app, body, { 'content-encoding': encoding })).statusCode, 200, encoding)
  }
  const bomb = gzipSync(Buffer.alloc(50_000_000, ' '))
  t.ok(bomb.length < 100_000)
  for (const [headers, body, status, code] of [
    [{ 'content-encoding': 'gzip' }, bomb, 413, 'body-too-large'],
    [{ 'content-encoding': 'gzip' }, gzipSync(text).subarray(0, 40), 400, 'invalid-body'],
    [{ 'content-encoding': 'gzip' }, text, 400, 'invalid-body'],
    [{ 'content-encoding': 'br' }, text, 415, 'unsupported-media-type'],
    [{ 'content-encoding': 'gzip, gzip' }, text, 415, 'unsupported-media-type']
  ] as const) {
    const response = await post(app, body, headers)
    t.equal(response.statusCode, status, code)
    t.match(response.json(), { code })
    t.equal(response.headers['x-experience-api-version'], '1.0.3')
  }
  const refused = await post(app, text, { 'content-encoding': 'br' })
  t.equal(refused.headers['accept-encoding'], 'gzip, deflate')
  const people = await app.call({
    method: 'PUT',
    url: '/api/v1/people',
    headers: { ...json, 'content-encoding': 'gzip' },
    payload: gzipSync('[]')
  })
  t.equal(people.statusCode, 200, 'everywhere')
})

t.test('a broken compressed body that nobody reads harms nobody', async t => {
  const app = await testApp(t)
  const encoded = { 'content-encoding': 'deflate' }
  const multipart = { ...encoded, 'content-type': 'multipart/mixed' }
  t.match((await post(app, 'not deflated', multipart)).json(), { code: 'invalid-multipart' })
  for (const method of ['GET', 'DELETE'] as const) {
    const request = { method, url: '/xapi/activities/state', headers: encoded }
    t.equal((await app.call({ ...request, payload: 'not deflated' })).statusCode, 400, method)
    t.match((await app.call(request)).json(), { code: 'invalid-parameter' }, `${method} without a body is not encoded`)
  }
  t.equal((await app.app.inject('/health/live')).statusCode, 200)
})

t.test('U+0000 in a path, where nothing else refuses it, is 400 and never a failure of the service', async t => {
  const { call } = await testApp(t)
  for (const end of ['', '/history', '/leaderboard-opt-out', '/card']) {
    const { statusCode } = await call({ url: `/api/v1/people/a%00b${end}` })
    t.ok(statusCode === 400 || statusCode === 404, `${statusCode} of ${end}`)
  }
})

t.test('a client who goes away amid a body is no failure of the service', async t => {
  const lines: string[] = []
  const { app, listen, authorization } = await testApp(t, { onLog: line => lines.push(line) })
  const { hostname, port } = new URL(await listen())
  const socket = connect(Number(port), hostname)
  socket.write(
    `POST /xapi/statements HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n` +
      'X-Experience-API-Version: 1.0.3\r\nContent-Type: application/json\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n'
  )
  // The service has begun with the request when it asks for the body.
  await new Promise(resolve => socket.once('data', resolve))
  socket.destroy()
  await app.close()
  t.notMatch(lines.join('\n'), 'request failed')
})

t.test('a long answer in JSON comes compressed to whom takes gzip, and to nobody else', async t => {
  const app = await testApp(t)
  await post(app, JSON.stringify(Array.from({ length: 20 }, () => opened)), {})
  const ask = (accept: string, url = '/xapi/statements') => app.call({ url, headers: { 'accept-encoding': accept } })
  const plain = await ask('identity')
  t.equal(plain.headers['content-encoding'], undefined)
  t.match(plain.headers.vary, /Accept-Encoding/)
  for (const accept of ['gzip', 'br, gzip;q=0.5', '*', 'deflate;q=1, *;q=0.1']) {
    const response = await ask(accept)
    t.equal(response.headers['content-encoding'], 'gzip', accept)
    t.equal(gunzipSync(response.rawPayload).toString(), plain.body)
    t.equal(Number(response.headers['content-length']), response.rawPayload.length)
  }
  for (const accept of ['gzip;q=0', 'br', '*;q=0', 'gzip;q=0, *', '']) {
    t.equal((await ask(accept)).headers['content-encoding'], undefined, accept)
  }
  t.equal((await ask('gzip', '/xapi/about')).headers['content-encoding'], undefined, 'too short to be worth it')
  const head = await app.call({ method: 'HEAD', url: '/xapi/statements', headers: { 'accept-encoding': 'gzip' } })
  t.equal(head.headers['content-encoding'], 'gzip')
  t.equal(head.body, '')
  const page = await ask('gzip', '/docs/static/swagger-ui.css')
  t.equal(page.headers['content-encoding'], 'gzip', 'a stream too')
  t.match(gunzipSync(page.rawPayload).toString(), /\.swagger-ui/)
})

t.test('a document is answered with its own bytes, because its ETag is of them', async t => {
  const app = await testApp(t)
  const url = '/xapi/activities/profile?activityId=https%3A%2F%2Fexample.org%2Fa&profileId=p'
  const payload = JSON.stringify({ long: 'x'.repeat(5000) })
  t.equal((await app.call({ method: 'PUT', url, headers: { ...json, 'if-none-match': '*' }, payload })).statusCode, 204)
  const got = await app.call({ url, headers: { 'accept-encoding': 'gzip' } })
  t.equal(got.headers['content-encoding'], undefined)
  t.equal(got.body, payload)
})

t.test('a stream that breaks while it is compressed ends the answer', async t => {
  const { compressAnswer } = await import('../../src/http/compression.js')
  const headers = new Map<string, unknown>([['Content-Type', 'text/csv']])
  const reply = {
    getHeader: (name: string) => headers.get(name),
    hasHeader: (name: string) => headers.has(name),
    header: (name: string, value: unknown) => {
      headers.set(name, value)
      return reply
    },
    removeHeader: () => reply
  }
  const source = new Readable({ read: () => undefined })
  const compress = compressAnswer as unknown as (...parts: readonly unknown[]) => Promise<Readable>
  const answer = await compress({ headers: { 'accept-encoding': 'gzip' } }, reply, source)
  const failed = new Promise(resolve => answer.on('error', resolve))
  source.destroy(new Error('lost'))
  t.match(await failed, { message: 'lost' })
})

t.test('what was stored is never a page of this origin', async t => {
  const { call, app } = await testApp(t)
  const url = '/xapi/activities/profile?activityId=https%3A%2F%2Fexample.org%2Fa&profileId=p'
  const payload = '<script>alert(1)</script>'
  await call({ method: 'PUT', url, headers: { 'content-type': 'text/html', 'if-none-match': '*' }, payload })
  const { headers, body } = await call({ url })
  t.equal(body, payload)
  t.equal(headers['x-content-type-options'], 'nosniff')
  for (const part of [/default-src 'none'/, /\bsandbox\b/, /frame-ancestors 'none'/]) {
    t.match(headers['content-security-policy'], part)
  }
  t.equal(headers['x-frame-options'], 'DENY')
  t.equal(headers['strict-transport-security'], undefined)
  const page = await app.inject({ url: '/docs/' })
  t.equal(page.statusCode, 200)
  t.match(page.headers['content-security-policy'], /script-src 'self';/, 'the reference page may run its own scripts')
})

t.test('a request keeps the id that it came with, if that is sane, and every answer has one', async t => {
  const { app } = await testApp(t)
  const ask = async (id: string, url = '/xapi/statements') => {
    const response = await app.inject({ url, headers: { 'x-request-id': id } })
    return { header: response.headers['x-request-id'], body: response.json().requestId }
  }
  t.same(await ask('trace-1/2:3@lms'), { header: 'trace-1/2:3@lms', body: 'trace-1/2:3@lms' })
  for (const odd of ['', 'a b', 'ä', 'x'.repeat(129), '<script>'])
    t.match(await ask(odd), { header: /^[0-9a-f-]{36}$/ })
  for (const url of ['/nowhere', '/xapi/nowhere', '/%zz', '/xapi/%zz'])
    t.match(await ask('one', url), { header: 'one' })
})

t.test('Comm 3.3: every failure under /xapi has the version header, code and message', async t => {
  const { app, call } = await testApp(t, { config: { maxBodyBytes: 1024, rateLimitPerMinute: 7 } })
  for (const [request, status, code] of [
    [{ url: '/xapi/statements?limit=x' }, 400, 'invalid-parameter'],
    [{ url: '/xapi/%zz' }, 400, 'invalid-parameter'],
    [{ url: '/xapi/nowhere' }, 404, 'not-found'],
    [{ url: '/xapi' }, 404, 'not-found'],
    [{ url: `/xapi/${'x'.repeat(501)}` }, 404, 'not-found'],
    [{ method: 'PATCH', url: '/xapi/statements' }, 405, 'method-not-allowed'],
    [{ method: 'DELETE', url: '/xapi/statements' }, 405, 'method-not-allowed'],
    [{ method: 'POST', url: '/xapi/statements', headers: json, payload: 'x'.repeat(1025) }, 413, 'body-too-large'],
    [{ method: 'POST', url: '/xapi/statements', headers: { ...json, 'content-encoding': 'br' }, payload: '{}' }, 415],
    [{ url: '/xapi/statements', headers: { 'x-experience-api-version': '3.0' } }, 400, 'invalid-header']
  ] as const) {
    const response = await call(request)
    t.equal(response.statusCode, status, `${request.url}: ${status}`)
    t.match(response.headers['x-experience-api-version'], /^(1\.0\.3|2\.0\.0)$/)
    t.match(response.json(), { code: code ?? String, message: /./, requestId: /./ })
  }
  for (const headers of [{}, { 'x-experience-api-version': '9' }]) {
    const response = await app.inject({ url: '/xapi/statements', headers })
    t.equal(response.statusCode, 401, 'a missing credential is told before a missing version')
    t.equal(response.headers['x-experience-api-version'], '2.0.0')
  }
  t.match((await app.inject({ url: '/%zz' })).json(), { status: 400, code: 'invalid-parameter' })
})

t.test('a credential that asks too often waits, and others do not', async t => {
  const first = await testApp(t, { config: { rateLimitPerMinute: 3 } })
  const { authorization } = first
  const statuses = []
  for (let at = 0; at < 4; at++) statuses.push((await first.call({ url: '/xapi/statements' })).statusCode)
  t.same(statuses, [200, 200, 200, 429])
  const xapi = await first.call({ url: '/xapi/statements' })
  const seconds = Number(xapi.headers['retry-after'])
  t.ok(seconds >= 1 && seconds <= 60, `${seconds} s`)
  t.match(xapi.json(), { code: 'rate-limited', message: /may ask again in \d+ s$/ })
  t.equal(xapi.headers['x-experience-api-version'], '1.0.3')
  const api = await first.app.inject({ url: '/api/v1/metrics', headers: { authorization } })
  t.equal(api.statusCode, 429)
  t.match(api.headers['content-type'], /^application\/problem\+json/)
  t.match(api.json(), { code: 'rate-limited', status: 429 })
  t.ok(api.headers['retry-after'])
  const second = await first.addCaller('first')
  t.equal((await second.call({ url: '/xapi/statements' })).statusCode, 200)
})

t.test('an answer that takes too long is given up with 503, a request that does not arrive with 408', async t => {
  const app = await testApp(t, { config: { requestTimeoutMs: 1000 }, poolSize: 2 })
  const url = await app.listen()
  await app.post(opened)
  const slow = app.db.transaction().execute(async trx => {
    await trx.executeQuery((await import('kysely')).sql`lock table statement in access exclusive mode`.compile(trx))
    await sleep(1500)
  })
  await sleep(100)
  const headers = { authorization: app.authorization, 'x-experience-api-version': '1.0.3' }
  const late = await fetch(`${url}/xapi/statements`, { headers })
  t.equal(late.status, 503)
  t.match(await late.json(), { code: 'timed-out' })
  await slow
  const head = `POST /xapi/statements HTTP/1.1\r\nHost: a\r\nAuthorization: ${app.authorization}\r\nX-Experience-API-Version: 1.0.3\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 10\r\n\r\n`
  const half = await sendRaw(t, url, `${head}{`)
  t.match(half, /^HTTP\/1\.1 408 /)
  t.match(half, /x-experience-api-version: 1\.0\.3\r\n/i)
  t.match(half, /"code":"request-timeout"/)
})

t.test('what is no HTTP, or has too large a head, is told so', async t => {
  const url = await (await testApp(t)).listen()
  const junk = await sendRaw(t, url, 'HELLO\r\n\r\n')
  t.match(junk, /^HTTP\/1\.1 400 Bad Request\r\n/)
  t.match(junk, /"code":"invalid-header"/)
  const large = await sendRaw(t, url, `GET /xapi/about HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`)
  t.match(large, /^HTTP\/1\.1 431 /)
  t.match(large, /X-Experience-API-Version: 2\.0\.0/)
  t.match(large, /"code":"headers-too-large"/)
  const answered: string[] = []
  const socket = {
    writable: true,
    end: (text: string) => answered.push(text),
    destroy: () => answered.push('destroyed')
  }
  const answer = answerClientError as unknown as (error: object, socket: object) => void
  answer({ code: 'ERR_HTTP_REQUEST_TIMEOUT' }, socket)
  answer({ code: 'ECONNRESET' }, socket)
  answer({ code: 'HPE_INVALID_METHOD' }, { ...socket, writable: false })
  t.match(answered, [/^HTTP\/1\.1 408 Request Timeout/, 'destroyed', 'destroyed'])
})

t.test('behind a proxy, links begin where the outside begins', async t => {
  const more = async (app: TestApp, url: string, headers: Readonly<Record<string, string>> = {}) =>
    (await app.call({ url, headers })).json().more
  const prefixed = await testApp(t, { config: { pathPrefix: '/lrs' } })
  await prefixed.post([opened, opened, opened])
  const kept = await more(prefixed, '/lrs/xapi/statements?limit=1')
  t.match(kept, /^\/lrs\/xapi\/statements\?limit=1&cursor=/, 'the proxy leaves the prefix on')
  t.match(await more(prefixed, '/xapi/statements?limit=1'), /^\/lrs\/xapi\/statements\?/, 'the proxy takes it off')
  t.match(await more(prefixed, kept), /^\/lrs\/xapi\/statements\?/, 'the link leads on')
  const claimed = { 'x-forwarded-prefix': '/evil' }
  t.match(await more(prefixed, '/xapi/statements?limit=1', claimed), /^\/lrs\//, 'nobody is believed')
  t.equal((await prefixed.call({ url: '/lrsx/xapi/about' })).statusCode, 404)
  t.equal((await prefixed.call({ url: '/lrs' })).statusCode, 404)
  t.equal((await prefixed.call({ url: '/lrs?x' })).statusCode, 404)
  t.same((await prefixed.call({ url: '/lrs/openapi.json' })).json().servers, [{ url: '/lrs' }])
  t.same((await prefixed.call({ url: '/docs/json' })).json().servers, [{ url: '/lrs' }])

  const trusting = await testApp(t, { config: { trustProxy: ['loopback', '10.0.0.0/8', '192.0.2.7'] } })
  await trusting.post([opened, opened])
  const url = '/xapi/statements?limit=1'
  t.match(await more(trusting, url, { 'x-forwarded-prefix': '/a/b/' }), /^\/a\/b\/xapi\/statements\?/)
  for (const odd of ['//evil.example', 'evil', '/a b', '/..%2f']) {
    t.match(await more(trusting, url, { 'x-forwarded-prefix': odd }), /^\/xapi\/statements\?/, odd)
  }
  const from = (remoteAddress: string) =>
    trusting.app.inject({ url: '/xapi/about', remoteAddress, headers: { 'x-forwarded-proto': 'https' } })
  for (const [address, isTrusted] of [
    ['127.0.0.1', true],
    ['::1', true],
    ['::ffff:10.1.2.3', true],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['2001:db8::1', false]
  ] as const) {
    t.equal('strict-transport-security' in (await from(address)).headers, isTrusted, address)
  }
})
