import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { defaultRules } from '../../src/events/default-mapping.js'
import { derive } from '../../src/rollup/derive.js'
import { rebuildPersons } from '../../src/rollup/rebuild-rollups.js'
import { type Caller, type TestAppOptions, testApp } from '../support/app.js'
import { opened } from '../support/statements.js'

const url = '/api/v1/event-mapping'
const json = { 'content-type': 'application/json' }
const n = 'https://w3id.org/momentum-lrs/'
const handedIn = 'https://lms.example/verbs/handed-in'
const course = 'https://types.example/course'
const rules = [{ verb: handedIn, kind: 'completed-task' }]

const put = ({ call }: Caller, body: unknown, { query = '', headers = {} } = {}) =>
  call({ method: 'PUT', url: `${url}${query}`, headers: { ...json, ...headers }, payload: JSON.stringify(body) })

async function start(t: Test, options: TestAppOptions = {}) {
  const app = await testApp(t, options)
  const deriveOnce = () => derive(app.db, { chunkSize: 1, rebuildPersons })
  const deriveAll = async () => {
    while ((await deriveOnce()) > 0);
    await app.drain()
  }
  return { ...app, deriveOnce, deriveAll }
}

t.test('a mapping is the defaults, is put in versions, and each version can be read again', async t => {
  const app = await start(t)
  const first = await app.call({ url })
  t.equal(first.statusCode, 200)
  t.equal(first.headers.etag, '"0"')
  t.same(first.json(), { version: 0, rules: [], effectiveRules: defaultRules })

  const made = await put(app, { rules })
  t.equal(made.statusCode, 200)
  t.equal(made.headers.etag, '"1"')
  t.same(made.json(), {
    version: 1,
    rules,
    effectiveRules: [...rules, ...defaultRules],
    derivationId: made.json().derivationId
  })
  t.same((await put(app, { rules })).json(), { ...made.json(), derivationId: null }, 'the same again is no new version')
  t.match((await put(app, { rules: [] })).json(), { version: 2, rules: [] })
  t.match((await app.call({ url })).json(), { version: 2 })
  t.same((await app.call({ url: `${url}?version=1` })).json().rules, rules)
  t.same((await app.call({ url: `${url}?version=0` })).json(), first.json())
  t.match((await app.call({ url: `${url}?version=3` })).json(), { code: 'not-found' })

  const { versions } = (await app.call({ url: `${url}/versions` })).json()
  t.match(versions, [
    { version: 2, rules: 0, createdBy: app.key, createdAt: /Z$/ },
    { version: 1, rules: 1 }
  ])
  t.match((await app.call({ url: `${url}/versions?before=2` })).json().versions, [{ version: 1 }])
  t.match((await app.call({ url: '/api/v1/derivations' })).json().derivations, [
    { reason: 'mapping', phase: 'events', total: null, derived: 0, requestedBy: app.key, startedAt: null },
    { reason: 'mapping' }
  ])
})

t.test('of two who change the same version the second is refused', async t => {
  const app = await start(t)
  const headers = { 'if-match': '"0"' }
  t.equal((await put(app, { rules }, { headers })).statusCode, 200)
  const late = await put(app, { rules: [] }, { headers })
  t.equal(late.statusCode, 412)
  t.match(late.json(), { code: 'precondition-failed', detail: /Version 1 of the mapping is in force/ })
  t.equal((await put(app, { rules: [] }, { headers, query: '?dryRun=true' })).statusCode, 412)
  t.equal((await put(app, { rules: [] }, { headers: { 'if-match': '*' } })).statusCode, 200)
  const both = [1, 2, 3, 4].map(at =>
    put(app, { rules: [{ verb: `${handedIn}${at}`, kind: 'visited' }] }, { headers: { 'if-match': '"2"' } })
  )
  t.same((await Promise.all(both)).map(({ statusCode }) => statusCode).sort(), [200, 412, 412, 412])
})

t.test('what is not a mapping is refused with its place', async t => {
  const app = await start(t)
  const rule = { verb: handedIn, kind: 'opened' }
  for (const [body, pointer] of [
    [{}, ''],
    [{ rules: [rule], more: 1 }, '/more'],
    [{ rules: [rule, { verb: handedIn }] }, '/rules/1'],
    [{ rules: [{ ...rule, kind: 'sneezed' }] }, '/rules/0/kind'],
    [{ rules: [{ ...rule, more: 1 }] }, '/rules/0/more'],
    [{ rules: [{ ...rule, verb: 'handed-in' }] }, '/rules/0/verb'],
    [{ rules: [rule, { ...rule, activityType: 'a course' }] }, '/rules/1/activityType'],
    [{ rules: [{ ...rule, category: 'urn:\u0000' }] }, '/rules/0/category'],
    [{ rules: [rule, { ...rule, activityType: course }, { ...rule, kind: null }] }, '/rules/2'],
    [{ rules: [{ ...rule, verb: 'http://adlnet.gov/expapi/verbs/voided' }] }, '/rules/0/verb'],
    [{ rules: Array.from({ length: 1001 }, (_, at) => ({ ...rule, verb: `urn:${at}` })) }, '/rules']
  ] as const) {
    const response = await put(app, body)
    t.equal(response.statusCode, 400, JSON.stringify(body).slice(0, 200))
    t.match(response.json(), { code: 'invalid-body', pointer })
  }
  t.equal((await put(app, { rules }, { query: '?dryRun=maybe' })).statusCode, 400)
  t.match((await app.call({ url })).json(), { version: 0 }, 'nothing is in force')
})

t.test('a dry run says which stored statements would change their kind, and changes nothing', async t => {
  const app = await start(t)
  const made = (count: number, parts: object) =>
    Array.from({ length: count }, () => ({ ...opened, ...parts, id: randomUUID() }))
  const tasks = made(7, { verb: { id: handedIn } })
  const courses = made(3, {
    verb: { id: handedIn },
    object: { id: 'https://example.org/1', definition: { type: course } }
  })
  const groups = made(2, { verb: { id: handedIn }, actor: { objectType: 'Group', mbox: 'mailto:team@example.org' } })
  const visits = made(2, { verb: { id: `${n}verbs/visited` } })
  const others = made(4, {})
  await app.post([...tasks, ...courses, ...groups, ...visits, ...others])
  const north = await app.addCaller('north')
  await north.post({ ...opened, verb: { id: handedIn } })
  const wanted = [
    ...rules,
    { verb: handedIn, activityType: course, kind: 'completed' },
    { verb: `${n}verbs/visited`, kind: null },
    { verb: 'https://lms.example/verbs/never-seen', kind: 'opened' },
    { verb: opened.verb.id, kind: 'opened' }
  ]
  const response = await put(app, { rules: wanted }, { query: '?dryRun=true' })
  t.equal(response.statusCode, 200)
  const { version, dryRun } = response.json()
  t.equal(version, 0)
  t.same(dryRun, {
    statements: 14,
    changed: 12,
    isComplete: true,
    changes: [
      {
        verb: handedIn,
        from: null,
        to: 'completed-task',
        statements: 7,
        examples: tasks.slice(0, 5).map(({ id }) => id)
      },
      { verb: handedIn, from: null, to: 'completed', statements: 3, examples: courses.map(({ id }) => id) },
      { verb: `${n}verbs/visited`, from: 'visited', to: null, statements: 2, examples: visits.map(({ id }) => id) }
    ]
  })
  t.match((await app.call({ url })).json(), { version: 0 })
  t.same((await app.call({ url: '/api/v1/derivations' })).json(), { derivations: [] })

  t.match((await put(app, { rules: wanted })).json(), { version: 1 })
  await app.deriveAll()
  const { derivations } = (await app.call({ url: '/api/v1/derivations' })).json()
  t.match(derivations, [{ phase: 'done', total: 14, derived: 14, changed: 12, startedAt: /Z$/, finishedAt: /Z$/ }])
  const again = (await put(app, { rules: wanted }, { query: '?dryRun=true' })).json()
  t.match(again.dryRun, { statements: 0, changed: 0, isComplete: true, changes: [] }, 'it is in force')
})

t.test('a dry run that takes too long says so', async t => {
  let at = Date.parse('2026-03-02T10:00:00Z')
  const now = () => {
    at += 400
    return new Date(at)
  }
  const app = await start(t, { now, config: { requestTimeoutMs: 2000 } })
  await app.post(Array.from({ length: 2 }, () => ({ ...opened, verb: { id: handedIn } })))
  const many = Array.from({ length: 20 }, (_, at) => ({ verb: `${handedIn}${at}`, kind: 'visited' }))
  await app.post(many.map(({ verb }) => ({ ...opened, verb: { id: verb } })))
  const { dryRun } = (await put(app, { rules: [...rules, ...many] }, { query: '?dryRun=true' })).json()
  t.equal(dryRun.isComplete, false)
  t.ok(dryRun.statements < 22, `${dryRun.statements} of 22 were read`)
})

t.test('metrics say while events are derived anew, and are not complete beyond the request', async t => {
  const app = await start(t)
  await app.post(Array.from({ length: 4 }, () => ({ ...opened, verb: { id: handedIn } })))
  await app.drain()
  const metric = async (consistency: string) =>
    (await app.call({ url: `/api/v1/metrics/active-users?consistency=${consistency}` })).json().meta
  t.same(
    (await metric('eventual')).warnings.filter(({ code }: { code: string }) => code === 'derivation_running'),
    []
  )
  await put(app, { rules: [{ verb: handedIn, kind: 'opened' }] })
  const { requestedAt } = (await app.call({ url: '/api/v1/derivations' })).json().derivations[0]
  for (const percent of [0, 0, 0, 25, 50]) {
    for (const consistency of ['eventual', 'strong']) {
      const { warnings, consistentThrough } = await metric(consistency)
      t.match(warnings[0], {
        code: 'derivation_running',
        message: `a new event mapping, asked for at ${requestedAt}: ${percent} % is done`
      })
      t.ok(consistentThrough <= requestedAt, `${consistency}: ${consistentThrough}`)
    }
    await app.deriveOnce()
  }
  await app.deriveAll()
  const { warnings, consistentThrough, asOf } = await metric('eventual')
  t.notMatch(warnings, [{ code: 'derivation_running' }])
  t.equal(consistentThrough, asOf)
})

t.test('the time zone of a tenant can be changed, which metrics know within a second', async t => {
  let at = Date.parse('2026-03-02T10:00:00Z')
  const app = await start(t, { now: () => new Date(at) })
  const patch = (name: string, body: object) =>
    app.call({ method: 'PATCH', url: `/api/v1/tenants/${name}`, headers: json, payload: JSON.stringify(body) })
  const zone = async () => (await app.call({ url: '/api/v1/metrics/active-users' })).json().meta.query.timeZone
  t.equal(await zone(), 'UTC')
  const changed = await patch('first', { timeZone: 'Europe/Berlin' })
  t.equal(changed.statusCode, 200)
  t.match(changed.json(), { id: app.tenantId, name: 'first', timeZone: 'Europe/Berlin', derivationId: Number })
  at += 1000
  t.equal(await zone(), 'Europe/Berlin')
  t.match((await patch('first', { timeZone: 'Europe/Berlin' })).json(), { derivationId: null })
  t.match((await app.call({ url: '/api/v1/derivations' })).json().derivations, [
    { reason: 'time-zone', requestedBy: app.key }
  ])
  t.match((await patch('first', { timeZone: 'Mars/Olympus' })).json(), { code: 'invalid-body', pointer: '/timeZone' })
  t.match((await patch('first', { name: 'second' })).json(), { code: 'invalid-body' })
  t.match((await patch('nowhere', { timeZone: 'UTC' })).json(), { code: 'not-found' })
})

t.test('the mapping of one tenant is neither seen nor changed by another, nor are its derivations', async t => {
  const { addCaller, ...app } = await start(t)
  const north = await addCaller('north')
  await put(app, { rules })
  t.match((await north.call({ url })).json(), { version: 0, rules: [] })
  t.equal((await north.call({ url: `${url}?version=1` })).statusCode, 404)
  t.same((await north.call({ url: `${url}/versions` })).json(), { versions: [] })
  t.same((await north.call({ url: '/api/v1/derivations' })).json(), { derivations: [] })
  await north.post({ ...opened, verb: { id: handedIn } })
  t.same(await app.db.selectFrom('learning_event').selectAll().execute(), [])
})
