import { pino } from 'pino'
import t from 'tap'
import { buildApp } from '../../src/app.js'
import { readConfig } from '../../src/config.js'
import { openDatabase } from '../../src/database/open.js'
import { errorCodes } from '../../src/errors.js'
import { testApp } from '../support/app.js'

const app = await testApp(t)
const ask = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD', url: string) => app.app.inject({ method, url })

t.test('the process lives and is ready, which nobody needs a credential to know', async t => {
  for (const url of ['/health/live', '/health/ready']) {
    const response = await ask('GET', url)
    t.equal(response.statusCode, 200, url)
    t.same(response.json(), { status: 'ok' })
  }
})

t.test('without its database it lives but is not ready, fails with a request id and not with details', async t => {
  const connection = { ...app.connection, database: 'gone_for_good' }
  const { db } = openDatabase({ connection, poolSize: 2, onError: () => undefined })
  t.teardown(() => db.destroy())
  const lines: string[] = []
  const lost = await buildApp({
    context: {
      db,
      config: readConfig({}),
      now: () => new Date(),
      makeId: () => 'request-1',
      program: '0.0.0',
      wakeWorker: () => undefined,
      workerCounts: () => ({ batches: 0, rows: 0, errors: 0 }),
      poolCounts: () => ({ total: 0, idle: 0, waiting: 0 })
    },
    logger: pino({ level: 'error' }, { write: line => lines.push(line) }),
    version: '0.0.0'
  })
  t.teardown(() => lost.close())
  t.equal((await lost.inject('/health/live')).statusCode, 200)
  const ready = await lost.inject('/health/ready')
  t.equal(ready.statusCode, 503)
  t.match(ready.headers['content-type'], /^application\/problem\+json/)
  t.match(ready.json(), { code: 'not-ready', title: errorCodes['not-ready'].title, requestId: 'request-1' })
  for (const url of ['/api/v1/metrics', '/xapi/statements']) {
    const response = await lost.inject({
      url,
      headers: { authorization: app.authorization, 'x-experience-api-version': '1.0.3' }
    })
    t.equal(response.statusCode, 500)
    t.match(response.json(), { code: 'internal-error', requestId: 'request-1' })
    t.notMatch(response.body, /gone_for_good/)
  }
  t.match(lines.join(), /gone_for_good/, 'the log has them')
})

t.test(
  'what leads nowhere is 404, and a method that a resource does not know is 405 with those that it does',
  async t => {
    const table = [
      ['GET', '/', 404, undefined],
      ['GET', '/nowhere?a=b', 404, undefined],
      ['GET', '/api/v1/nowhere', 404, undefined],
      ['GET', '/xapi', 404, undefined],
      ['GET', '/xapi/nowhere', 404, undefined],
      ['GET', '/xAPI/statements', 404, undefined],
      ['POST', '/health/live', 405, 'GET, HEAD'],
      ['DELETE', '/api/v1/people', 405, 'GET, HEAD, PUT'],
      ['DELETE', '/xapi/statements?statementId=1', 405, 'GET, HEAD, POST, PUT'],
      ['PUT', '/xapi/about', 405, 'GET, HEAD']
    ] as const
    for (const [method, url, status, allow] of table) {
      const response = await ask(method, url)
      t.equal(response.statusCode, status, `${method} ${url}`)
      t.equal(response.headers.allow, allow)
      const isXapi = url.startsWith('/xapi')
      t.match(response.headers['content-type'], isXapi ? /^application\/json/ : /^application\/problem\+json/)
      t.match(response.json(), { code: status === 404 ? 'not-found' : 'method-not-allowed' })
      if (isXapi) t.match(response.headers['x-experience-api-version'], /^[12]\.0\.\d$/)
    }
  }
)

t.test('a failure outside /xapi is problem details', async t => {
  const response = await app.call({ url: '/api/v1/metrics/active-users?nonsense=1' })
  t.equal(response.statusCode, 400)
  t.match(response.headers['content-type'], /^application\/problem\+json/)
  t.match(response.json(), {
    type: 'https://w3id.org/momentum-lrs/errors/invalid-parameter',
    title: errorCodes['invalid-parameter'].title,
    status: 400,
    code: 'invalid-parameter',
    detail: String,
    requestId: /^[0-9a-f-]{36}$/
  })
})

t.test('what Fastify refuses by itself has codes of ours too', async t => {
  const credentials = (headers: Record<string, string>, payload: string) =>
    app.call({ method: 'POST', url: '/api/v1/credentials', headers, payload })
  t.match((await credentials({ 'content-type': 'text/csv' }, 'a,b')).json(), {
    code: 'unsupported-media-type',
    status: 415
  })
  t.match((await credentials({ 'content-type': 'application/json' }, '')).json(), { code: 'invalid-json', status: 400 })
  t.match((await credentials({ 'content-type': 'application/json' }, '{')).json(), {
    code: 'invalid-json',
    status: 400
  })
  t.match((await credentials({ 'content-type': 'application/json', 'content-length': '5' }, '[]')).json(), {
    code: 'invalid-header',
    status: 400
  })
  t.match((await credentials({ 'content-type': 'application/json' }, `[${' '.repeat(10_485_760)}]`)).json(), {
    code: 'body-too-large',
    status: 413
  })
  for (const url of ['/%E0%A4%A', '/api/v1/%zz', '/xapi/%']) {
    t.match((await app.call({ url })).json(), { code: 'invalid-parameter' }, url)
  }
})

interface Operation {
  readonly operationId?: string
  readonly summary?: string
  readonly tags?: readonly string[]
}

/** The routes of Fastify's tree, which indents what lies below by four characters. */
function routesOf(tree: string): readonly string[] {
  const above: string[] = []
  return tree.split('\n').flatMap(line => {
    const [, indent = '', part = '', methods = ''] = /^(\W*── )(\S+)(?: \(([A-Z, ]+)\))?/.exec(line) ?? []
    above.splice(indent.length / 4 - 1)
    above.push(part)
    const path = above.join('')
    if (methods === '' || path === '*' || /^\/(docs|openapi\.json)/.test(path)) return []
    const address = path.replaceAll(/:(\w+)/g, '{$1}')
    return methods.split(', ').flatMap(method => (method === 'HEAD' ? [] : [`${method} ${address}`]))
  })
}

t.test('the OpenAPI document is open to all, lists every route, and names each operation once', async t => {
  const response = await ask('GET', '/openapi.json')
  t.equal(response.statusCode, 200)
  const document = response.json()
  t.match(document, { openapi: /^3\.1\./, info: { title: 'Momentum LRS', version: '0.0.0' } })
  const operations = Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(
    ([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation }))
  )
  const listed = operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`)
  const served = routesOf(app.app.printRoutes({ commonPrefix: false }))
  t.same(listed.toSorted(), served.toSorted())
  const ids = operations.map(({ operation }) => operation.operationId)
  t.equal(new Set(ids).size, ids.length)
  for (const { path, method, operation } of operations) {
    t.match(operation, { operationId: /^[a-z][A-Za-z]+$/, summary: /./, tags: [/./] }, `${method} ${path}`)
  }
  t.match(operations.find(({ path }) => path === '/api/v1/people')?.operation, { operationId: 'putPeople' })
  t.match(operations.find(({ path }) => path.endsWith('active-users'))?.operation, { operationId: 'getActiveUsers' })
})

t.test('a browser finds the reference page at /docs, with all that it needs', async t => {
  const page = await ask('GET', '/docs')
  t.equal(page.statusCode, 200)
  t.match(page.headers['content-type'], /^text\/html/)
  const parts = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, part = '']) => part)
  t.ok(parts.length > 2)
  for (const part of parts) {
    const { pathname } = new URL(part, 'http://localhost/docs')
    t.equal((await ask('GET', pathname)).statusCode, 200, pathname)
  }
})

t.test('a request is logged at the level debug, with its route and not its parameters', async t => {
  const lines: string[] = []
  const talkative = await buildApp({
    context: {
      db: app.db,
      config: readConfig({}),
      now: () => new Date(),
      makeId: () => 'request-1',
      program: '0.0.0',
      wakeWorker: () => undefined,
      workerCounts: () => ({ batches: 0, rows: 0, errors: 0 }),
      poolCounts: () => ({ total: 0, idle: 0, waiting: 0 })
    },
    logger: pino({ level: 'debug' }, { write: line => lines.push(line) }),
    version: '0.0.0'
  })
  t.teardown(() => talkative.close())
  await talkative.inject('/xapi/statements?agent=somebody')
  t.match(
    lines.map(line => JSON.parse(line)),
    [{ msg: 'answered', method: 'GET', route: '/xapi/statements', status: 401, ms: Number }]
  )
  t.notMatch(lines.join(), /somebody/)
})

t.test('every code has a status and a title, and no two mean the same', async t => {
  const titles = Object.values(errorCodes).map(({ title }) => title)
  t.equal(new Set(titles).size, titles.length)
  for (const { status } of Object.values(errorCodes)) t.ok(status >= 400 && status < 600)
})
