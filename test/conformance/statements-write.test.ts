import { randomUUID } from 'node:crypto'
import t from 'tap'
import { testApp } from '../support/app.js'
import { opened } from '../support/statements.js'

// What xAPI 1.0.3 says of writing statements. Comm is its part Communication, Data its part Data.

const app = await testApp(t, { config: { maxBatchStatements: 60, maxJsonDepth: 20 } })
const { post, put, get, call, db } = app

const storedCount = async () =>
  Number(
    (
      await db
        .selectFrom('statement')
        .select(eb => eb.fn.countAll().as('count'))
        .executeTakeFirstOrThrow()
    ).count
  )

t.test('Comm 2.1.1: PUT stores the statement under the id of the parameter and answers 204 without a body', async t => {
  const id = randomUUID()
  const response = await put(id, opened)
  t.equal(response.statusCode, 204)
  t.equal(response.body, '')
  t.match((await get({ statementId: id })).json(), { id, ...opened })
})

t.test(
  'Comm 2.1.1: the id in the statement must be the one of the parameter; letter case makes no other id',
  async t => {
    const id = randomUUID()
    t.match((await put(randomUUID(), { ...opened, id })).json(), {
      code: 'invalid-statement',
      pointer: '/id',
      rule: 'xAPI 1.0.3 Data 2.4.1 same-id'
    })
    t.equal((await put(id.toUpperCase(), { ...opened, id })).statusCode, 204)
    t.match((await get({ statementId: id })).json(), { id })
  }
)

t.test('Comm 2.1.1: PUT takes one statement and exactly one statementId', async t => {
  const id = randomUUID()
  const table = [
    ['/xapi/statements', opened, { code: 'invalid-parameter', pointer: '/statementId' }],
    [`/xapi/statements?statementId=${id}&statementId=${id}`, opened, { code: 'invalid-parameter' }],
    ['/xapi/statements?statementId=1234', opened, { code: 'invalid-parameter' }],
    [`/xapi/statements?statementId=${id}&stamentId=1`, opened, { code: 'invalid-parameter', pointer: '/stamentId' }],
    [`/xapi/statements?statementId=${id}`, [opened], { code: 'invalid-statement', pointer: '' }],
    [`/xapi/statements?statementId=${id}`, [], { code: 'invalid-statement' }]
  ] as const
  for (const [url, payload, problem] of table) {
    const headers = { 'content-type': 'application/json' }
    const response = await call({ method: 'PUT', url, headers, payload: JSON.stringify(payload) })
    t.equal(response.statusCode, 400, `${url} ${JSON.stringify(payload)}`)
    t.match(response.json(), problem)
  }
  t.equal((await get({ statementId: id })).statusCode, 404)
})

t.test('Comm 2.1.2: POST answers 200 and the ids in the order of the statements', async t => {
  const ids = Array.from({ length: 5 }, () => randomUUID())
  const response = await post(ids.map(id => ({ ...opened, id })))
  t.equal(response.statusCode, 200)
  t.same(response.json(), ids)
})

t.test('Data 2.4.1: the LRS makes an id where there is none', async t => {
  const [id] = (await post(opened)).json()
  t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  t.equal((await get({ statementId: id })).json().id, id)
})

t.test('an empty batch stores nothing and answers no ids', async t => {
  const before = await storedCount()
  const response = await post([])
  t.equal(response.statusCode, 200)
  t.same(response.json(), [])
  t.equal(await storedCount(), before)
})

t.test('Comm 2.1.2: the same statement again is a success that changes nothing', async t => {
  const id = randomUUID()
  const statement = { ...opened, id, timestamp: '2026-01-02T03:04:05.678Z', result: { duration: 'PT1.234S' } }
  await post(statement)
  const first = (await get({ statementId: id })).body
  const again = [
    statement,
    { ...statement, id: id.toUpperCase() },
    { ...statement, timestamp: '2026-01-02T04:04:05.6780+01:00' },
    { ...statement, result: { duration: 'PT1.239S' } },
    { ...statement, verb: { ...opened.verb, display: { en: 'opened' } } },
    { ...statement, object: { ...opened.object, definition: { name: { en: 'Feedback' } } } },
    { ...statement, stored: '2020-01-01T00:00:00Z', version: '1.0.3' }
  ]
  for (const same of again) {
    t.equal((await post(same)).statusCode, 200, JSON.stringify(same))
    t.equal((await put(id, same)).statusCode, 204)
  }
  t.same((await post([statement, { ...opened, id: randomUUID() }])).statusCode, 200, 'also beside new ones')
  t.equal((await get({ statementId: id })).body, first)
})

t.test(
  'Comm 2.1.1 and 2.1.2: a different statement with a stored id is 409, and nothing beside it is stored',
  async t => {
    const id = randomUUID()
    const beside = randomUUID()
    await post({ ...opened, id })
    const different = { ...opened, id, verb: { id: 'http://adlnet.gov/expapi/verbs/completed' } }
    const response = await post([{ ...opened, id: beside }, different])
    t.equal(response.statusCode, 409)
    t.match(response.json(), { code: 'statement-conflict', index: 1, pointer: '/id' })
    t.equal((await put(id, different)).statusCode, 409)
    t.equal((await get({ statementId: beside })).statusCode, 404)
    t.match((await get({ statementId: id })).json(), opened)
  }
)

t.test('Comm 2.1.2: a batch that has an id twice is 400, and none of it is stored', async t => {
  const id = randomUUID()
  const response = await post([{ ...opened, id }, opened, { ...opened, id: id.toUpperCase() }])
  t.equal(response.statusCode, 400)
  t.match(response.json(), { code: 'invalid-statement', index: 2, pointer: '/id' })
  t.equal((await get({ statementId: id })).statusCode, 404)
})

t.test(
  'an invalid statement in a batch of 50 is 400 with index, pointer and rule, and none of the 50 is stored',
  async t => {
    const before = await storedCount()
    const batch: unknown[] = Array.from({ length: 50 }, () => ({ ...opened, id: randomUUID() }))
    batch[37] = { ...opened, context: { contextActivities: { parent: [{ id: 'no scheme' }] } } }
    const response = await post(batch)
    t.equal(response.statusCode, 400)
    const { requestId, message, ...problem } = response.json()
    t.same(problem, {
      code: 'invalid-statement',
      index: 37,
      pointer: '/context/contextActivities/parent/0/id',
      rule: 'xAPI 1.0.3 Data 4.3 iri'
    })
    t.match(message, /^Statement 37: /)
    t.match(requestId, /^[0-9a-f-]{36}$/)
    t.equal(await storedCount(), before)
  }
)

t.test('Data 2.4.9: the authority is the credential, whatever was sent', async t => {
  const authority = { objectType: 'Agent', mbox: 'mailto:mallory@example.org' }
  const [sent, unsent] = (await post([{ ...opened, authority }, opened])).json()
  for (const statementId of [sent, unsent]) {
    t.same((await get({ statementId })).json().authority, {
      objectType: 'Agent',
      name: 'first',
      account: { homePage: 'https://w3id.org/momentum-lrs/credential', name: app.key }
    })
  }
})

t.test('Data 2.4.8: stored is when it was stored, whatever was sent', async t => {
  const before = new Date().toISOString()
  const [statementId] = (await post({ ...opened, stored: '2001-01-01T00:00:00Z' })).json()
  const { stored, timestamp, version } = (await get({ statementId })).json()
  t.ok(stored > before, stored)
  t.ok(stored < new Date(Date.now() + 1000).toISOString())
  t.equal(timestamp, stored, 'Data 2.4.7: a timestamp that was not sent is the same as stored')
  t.equal(version, '1.0.0', 'Data 2.4.10: the version that was not sent is 1.0.0')
})

t.test('Comm 1.4: a body is JSON in UTF-8, and is refused when it says or is something else', async t => {
  const text = JSON.stringify(opened)
  const table = [
    ['application/json', text, 200],
    ['application/json;charset=UTF-8', text, 200],
    ['Application/JSON; charset="utf-8"', text, 200],
    ['application/json; charset=iso-8859-1', text, 400],
    ['application/json; charset=utf-16', text, 400],
    ['text/plain', text, 400],
    ['application/x-www-form-urlencoded', text, 400],
    ['application/jsonp', text, 400],
    ['application/json', Buffer.from([0x22, 0xc3, 0x28, 0x22]), 400],
    ['application/json', `\ufeff${text}`, 200],
    ['application/json', '', 400],
    ['application/json', '   ', 400],
    ['application/json', '{"actor":', 400],
    ['application/json', 'null', 400],
    ['application/json', '"statement"', 400],
    ['application/json', '[[]]', 400],
    ['application/json', '{"a":1,"a":2}', 400],
    ['application/json', '['.repeat(50) + ']'.repeat(50), 400],
    ['application/json', '['.repeat(500_000), 400]
  ] as const
  for (const [type, payload, status] of table) {
    const response = await call({
      method: 'POST',
      url: '/xapi/statements',
      headers: { 'content-type': type },
      payload: payload as string
    })
    t.equal(response.statusCode, status, `${type} ${String(payload).slice(0, 40)}`)
    if (status === 400) t.match(response.json(), { code: /^invalid-(json|header|statement)$/ })
  }
  const untyped = await call({ method: 'POST', url: '/xapi/statements', payload: Buffer.from(text) })
  t.match(untyped.json(), { code: 'invalid-header' }, 'without a content type')
  t.match((await call({ method: 'POST', url: '/xapi/statements' })).json(), { code: /^invalid-/ }, 'without a body')
})

t.test('Data 2.2: a statement is taken strictly: nothing is repaired, converted or dropped', async t => {
  const table = [
    [{ ...opened, extra: 1 }, '/extra'],
    [{ ...opened, actor: { mbox: 'ada@example.org' } }, '/actor/mbox'],
    [{ ...opened, actor: {} }, '/actor'],
    [{ verb: opened.verb, object: opened.object }, ''],
    [{ ...opened, verb: { id: opened.verb.id, display: null } }, '/verb/display'],
    [{ ...opened, result: { completion: 'true' } }, '/result/completion'],
    [{ ...opened, result: { score: { scaled: 1.1 } } }, '/result/score/scaled'],
    [{ ...opened, result: { duration: 'an hour' } }, '/result/duration'],
    [{ ...opened, context: { registration: 'one' } }, '/context/registration'],
    [{ ...opened, id: 7 }, '/id'],
    [{ ...opened, version: '0.9' }, '/version'],
    [{ ...opened, object: { objectType: 'activity', id: opened.object.id } }, '/object/objectType']
  ] as const
  for (const [statement, pointer] of table) {
    const response = await post(statement)
    t.equal(response.statusCode, 400, JSON.stringify(statement))
    t.match(response.json(), { code: 'invalid-statement', index: 0, pointer, rule: /^xAPI 1\.0\.3 Data / })
  }
})

t.test('more statements than a batch may hold are 413, and none is stored', async t => {
  const before = await storedCount()
  const response = await post(Array.from({ length: 61 }, () => opened))
  t.equal(response.statusCode, 413)
  t.match(response.json(), { code: 'body-too-large', message: /61 .* 60/ })
  t.equal(await storedCount(), before)
})

t.test('POST knows no parameter, and other methods are not allowed', async t => {
  const payload = JSON.stringify(opened)
  const headers = { 'content-type': 'application/json' }
  const unknown = await call({ method: 'POST', url: '/xapi/statements?statementId=1', headers, payload })
  t.match(unknown.json(), { code: 'invalid-parameter', pointer: '/statementId' })
  for (const method of ['DELETE', 'PATCH'] as const) {
    const response = await call({ method, url: '/xapi/statements' })
    t.match(response, { statusCode: 405, headers: { allow: 'GET, HEAD, POST, PUT' } }, method)
    t.match(response.json(), { code: 'method-not-allowed' })
  }
})
