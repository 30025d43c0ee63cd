import { request } from 'node:http'
import t from 'tap'
import { testApp } from '../support/app.js'

// xAPI 1.0.3 Communication 2.8, 3.2 and 3.3: About, methods, and the negotiation of the version.

const current = await testApp(t)
const { app, call, listen } = current
const old = await testApp(t, { config: { defaultXapiVersion: '1.0.3' } })

const header = 'x-experience-api-version'

t.test('Comm 3.3: the version header is asked for, and answered by the latest patch of its line', async t => {
  const table = [
    ['1.0', '1.0.3'],
    ['1.0.0', '1.0.3'],
    ['1.0.3', '1.0.3'],
    ['1.0.9', '1.0.3'],
    ['2.0', '2.0.0'],
    ['2.0.0', '2.0.0'],
    ['2.0.7', '2.0.0']
  ] as const
  for (const [given, answered] of table) {
    const response = await call({ url: '/xapi/statements', headers: { [header]: given } })
    t.equal(response.statusCode, 200, given)
    t.equal(response.headers[header], answered)
  }
})

for (const [service, fallback] of [
  [current, '2.0.0'],
  [old, '1.0.3']
] as const) {
  t.test(`Comm 3.3: no version, or one that is not served, is 400, answered in ${fallback} by the setting`, async t => {
    const { authorization } = service
    for (const given of ['', '0.9', '0.95', '1', '1.1.0', '2', '2.1.0', '3.0.0', '1.0.3, 1.0.3', undefined]) {
      const headers = given === undefined ? { authorization } : { authorization, [header]: given }
      for (const url of ['/xapi/statements', '/xapi/activities?activityId=https://example.org/a']) {
        const response = await service.app.inject({ url, headers })
        t.equal(response.statusCode, 400, String(given))
        t.equal(response.headers[header], fallback)
        t.match(response.json(), { code: 'invalid-header', message: given === undefined ? /missing/ : /1\.0\.3 or 2/ })
      }
    }
  })
}

t.test('Comm 3.3: every answer has the header, failures too', async t => {
  const headers = { [header]: '1.0.3' }
  for (const [url, status] of [
    ['/xapi/statements', 401],
    ['/xapi/nowhere', 404]
  ] as const) {
    const response = await app.inject({ url, headers })
    t.equal(response.statusCode, status)
    t.equal(response.headers[header], '1.0.3')
  }
})

t.test('Comm 2.8: About needs neither a credential nor a version, and lists what is served; HEAD alike', async t => {
  for (const given of [undefined, '0.8', '1.0.3', '2.0.0']) {
    const headers = given === undefined ? {} : { [header]: given }
    const response = await app.inject({ url: '/xapi/about', headers })
    t.equal(response.statusCode, 200, String(given))
    t.same(response.json(), {
      version: ['1.0.3', '2.0.0'],
      extensions: { 'https://w3id.org/momentum-lrs/extensions/product': 'Momentum LRS' }
    })
    t.match(response.headers['content-type'], /^application\/json/)
    t.equal(response.headers[header], given === '1.0.3' ? '1.0.3' : '2.0.0')
    const head = await app.inject({ method: 'HEAD', url: '/xapi/about', headers })
    t.equal(head.statusCode, 200)
    t.equal(head.body, '')
  }
  t.match((await app.inject({ url: '/xapi/about?verbose=1' })).json(), { code: 'invalid-parameter' })
})

t.test('Comm 3.2: a method that a resource does not know is 405 with those that it knows', async t => {
  const table = [
    ['PUT', '/xapi/about', 'GET, HEAD'],
    ['POST', '/xapi/activities', 'GET, HEAD'],
    ['DELETE', '/xapi/agents', 'GET, HEAD'],
    ['DELETE', '/xapi/statements', 'GET, HEAD, POST, PUT'],
    ['PATCH', '/xapi/activities/state', 'GET, HEAD, POST, PUT, DELETE'],
    ['PATCH', '/xapi/activities/profile', 'GET, HEAD, POST, PUT, DELETE'],
    ['PATCH', '/xapi/agents/profile', 'GET, HEAD, POST, PUT, DELETE']
  ] as const
  for (const [method, url, allow] of table) {
    const response = await call({ method, url })
    t.equal(response.statusCode, 405, `${method} ${url}`)
    t.equal(response.headers.allow, allow)
    t.match(response.json(), { code: 'method-not-allowed' })
    t.equal(response.headers[header], '1.0.3')
  }
})

t.test('Comm 3.2: so are the methods that HTTP knows and the service does not at all', async t => {
  const url = new URL('/xapi/statements', await listen())
  for (const method of ['TRACE', 'PROPFIND', 'PURGE']) {
    const status = await new Promise((resolve, reject) => {
      const sent = request(url, { method, headers: { [header]: '2.0.0' } }, response => {
        response.resume()
        resolve([response.statusCode, response.headers[header], response.headers.allow])
      })
      sent.on('error', reject).end()
    })
    t.same(status, [405, '2.0.0', 'GET, HEAD, POST, PUT'], method)
  }
})
