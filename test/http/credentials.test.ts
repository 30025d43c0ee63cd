import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { hashSecret } from '../../src/store/credential.js'
import { basic, type Caller, testApp } from '../support/app.js'
import { opened } from '../support/statements.js'

const url = '/api/v1/credentials'
const json = { 'content-type': 'application/json' }

async function make({ call }: Caller, body: Readonly<Record<string, unknown>>) {
  return call({ method: 'POST', url, headers: json, payload: JSON.stringify({ name: 'LMS', ...body }) })
}

t.test('a credential is made, used, listed, rotated and revoked', async t => {
  let now = Date.parse('2026-03-02T10:00:00Z')
  const admin = await testApp(t, { now: () => new Date(now) })
  const made = await make(admin, { scopes: ['statements/write', 'statements/read'] })
  t.equal(made.statusCode, 201)
  t.equal(made.headers['cache-control'], 'no-store')
  const { key, secret } = made.json()
  t.match(key, /^[0-9a-f]{24}$/)
  t.match(secret, /^[0-9a-f]{48}$/)
  const status = async (password: string) =>
    (await admin.call({ url: '/xapi/statements', headers: { authorization: basic(key, password) } })).statusCode
  t.equal(await status(secret), 200)

  const { credentials } = (await admin.call({ url })).json()
  t.equal(credentials.length, 2)
  t.match(credentials[1], {
    key,
    name: 'LMS',
    scopes: ['statements/write', 'statements/read'],
    mayAssertAuthority: false,
    createdAt: /^\d{4}-.*Z$/,
    rotatedAt: null,
    revokedAt: null
  })
  t.notMatch(JSON.stringify(credentials), new RegExp(`${secret}|scrypt`), 'neither secret nor hash is listed')

  const rotated = await admin.call({ method: 'POST', url: `${url}/${key}/rotate` })
  t.equal(rotated.statusCode, 200)
  t.equal(rotated.headers['cache-control'], 'no-store')
  t.equal(await status(rotated.json().secret), 200)
  t.equal(await status(secret), 401, 'the new secret was used, so the old one is forgotten at once')
  now += 1001
  t.equal(await status(rotated.json().secret), 200)

  t.equal((await admin.call({ method: 'DELETE', url: `${url}/${key}` })).statusCode, 204)
  now += 1001
  t.equal(await status(rotated.json().secret), 401, 'a second after it is revoked')
  t.equal((await admin.call({ method: 'DELETE', url: `${url}/${key}` })).statusCode, 204, 'again is the same')
  t.equal((await admin.call({ method: 'POST', url: `${url}/${key}/rotate` })).statusCode, 404)
  const [, last] = (await admin.call({ url })).json().credentials
  t.match(last, { rotatedAt: /Z$/, revokedAt: /Z$/ })
})

t.test('an old secret and a revoked credential stop within a second, also on another node', async t => {
  const admin = await testApp(t)
  const { key, secret } = (await make(admin, { scopes: ['statements/read'] })).json()
  const authorization = basic(key, secret)
  const status = async () => (await admin.call({ url: '/xapi/statements', headers: { authorization } })).statusCode
  t.equal(await status(), 200)
  // As another node would: in the database and nowhere else.
  await admin.db.updateTable('credential').set({ secret_hash: 'scrypt$AA$AA' }).where('key', '=', key).execute()
  await sleep(1000)
  t.equal(await status(), 401)
})

t.test('requests that come together share one slow hash, and a wrong secret among them is refused', async t => {
  const admin = await testApp(t)
  const { key, secret } = (await make(admin, { scopes: ['statements/read'] })).json()
  const cpuMs = async (work: () => Promise<unknown>) => {
    const begun = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(begun)
    return (user + system) / 1000
  }
  const oneHashMs = await cpuMs(() => hashSecret('any'))
  const answers: number[] = []
  const allMs = await cpuMs(() =>
    Promise.all(
      Array.from({ length: 101 }, async (_, at) => {
        const authorization = basic(key, at === 50 ? 'wrong' : secret)
        answers[at] = (await admin.call({ url: '/xapi/activities/state', headers: { authorization } })).statusCode
      })
    )
  )
  t.same(
    answers.map((status, at) => [at, status]).filter(([, status]) => status !== 403),
    [[50, 401]]
  )
  t.ok(allMs < 60 * oneHashMs, `${allMs} ms for a hundred requests, ${oneHashMs} ms for a hash`)
})

t.test('nobody hands on what they lack', async t => {
  const { addCaller, ...operator } = await testApp(t)
  const admin = await addCaller('first', ['admin', 'statements/write', 'all/read'])
  for (const [body, status, lacking] of [
    [{ scopes: ['statements/write', 'statements/read/mine', 'all/read', 'admin'] }, 201, ''],
    [{ scopes: ['all'] }, 403, 'all'],
    [{ scopes: ['state', 'tenants', 'admin'] }, 403, 'state, tenants'],
    [{ scopes: ['statements/delete'] }, 403, 'statements/delete'],
    [{ scopes: ['admin'], mayAssertAuthority: true }, 403, 'mayAssertAuthority']
  ] as const) {
    const response = await make(admin, body)
    t.equal(response.statusCode, status, JSON.stringify(body))
    if (status === 403) t.match(response.json(), { code: 'forbidden', detail: new RegExp(`: ${lacking}$`) })
  }
  const taken = await admin.call({ method: 'POST', url: `${url}/${operator.key}/rotate` })
  t.equal(taken.statusCode, 403, 'a greater credential is not taken over by its new secret')
  t.equal((await operator.call({ url })).statusCode, 200, 'and its secret is still valid')
  t.equal((await operator.call({ method: 'POST', url: `${url}/${admin.key}/rotate` })).statusCode, 200)
})

t.test('a credential stands for a person, from when it is made or later, within a second', async t => {
  let now = Date.parse('2026-03-02T10:00:00Z')
  const admin = await testApp(t, { now: () => new Date(now) })
  await admin.putPeople([
    { personId: 'ada', managerId: 'boss', agents: [{ mbox: 'mailto:ada@example.org' }] },
    { personId: 'bob', managerId: 'other', agents: [{ mbox: 'mailto:bob@example.org' }] }
  ])
  const { key, secret } = (await make(admin, { scopes: ['line/read'], personId: 'boss' })).json()
  const authorization = basic(key, secret)
  const seen = async () => {
    now += 1001
    const response = await admin.call({ url: '/api/v1/people', headers: { authorization } })
    return response.json().people.map(({ personId }: { personId: string }) => personId)
  }
  t.same(await seen(), ['ada'])
  const change = (payload: unknown, whose = key) =>
    admin.call({ method: 'PATCH', url: `${url}/${whose}`, headers: json, payload: JSON.stringify(payload) })
  const changed = await change({ personId: 'other' })
  t.match(changed.json(), { key, name: 'LMS', scopes: ['line/read'], personId: 'other', revokedAt: null })
  t.notMatch(changed.body, /scrypt|secret/)
  t.same(await seen(), ['bob'])
  const { credentials } = (await admin.call({ url })).json()
  t.match(credentials, [{ personId: null }, { key, personId: 'other' }])
  for (const [body, pointer] of [
    [{ personId: null }, '/personId'],
    [{ personId: '' }, '/personId'],
    [{ personId: 'a\u0000' }, '/personId'],
    [{}, ''],
    [{ personId: 'x', scopes: ['all'] }, '/scopes']
  ] as const) {
    t.match((await change(body)).json(), { code: 'invalid-body', pointer }, JSON.stringify(body))
  }
  for (const scopes of [['line/read'], ['metrics/read', 'self/read']]) {
    t.match((await make(admin, { scopes })).json(), {
      code: 'invalid-body',
      pointer: '/personId',
      detail: /^(line|self)\/read want the personId to whom they are limited$/
    })
  }
  t.equal((await change({ personId: 'x' }, 'unknown')).statusCode, 404)
  t.match((await change({ personId: 'x' }, admin.key)).json(), { personId: 'x' })
  t.match((await change({ personId: null }, admin.key)).json(), { personId: null }, 'where nothing is limited')
  await admin.call({ method: 'DELETE', url: `${url}/${key}` })
  t.equal((await change({ personId: 'x' })).statusCode, 404, 'revoked')
  const south = await admin.addCaller('south', ['admin', 'metrics/read', 'people/read'])
  const foreign = { method: 'PATCH', url: `${url}/${admin.key}`, headers: json, payload: '{"personId":"x"}' } as const
  t.equal((await south.call(foreign)).statusCode, 404, 'of another tenant')
})

t.test('a line is handed on by who may see everyone, or for the own person', async t => {
  const { addCaller } = await testApp(t)
  const manager = await addCaller('first', ['admin', 'line/read'], 'boss')
  const wide = await addCaller('first', ['admin', 'metrics/read', 'people/read'])
  const line = (personId: string) => ({ scopes: ['line/read'], personId })
  t.equal((await make(manager, line('boss'))).statusCode, 201)
  t.match((await make(manager, line('ceo'))).json(), { status: 403, detail: /: line\/read$/ })
  t.match((await make(manager, { scopes: ['self/read'], personId: 'boss' })).json(), { status: 403 })
  const { key } = (await make(wide, line('ceo'))).json()
  const change = (whose: string, personId: string) =>
    manager.call({ method: 'PATCH', url: `${url}/${whose}`, headers: json, payload: JSON.stringify({ personId }) })
  t.equal((await change(manager.key, 'ceo')).statusCode, 403, 'nobody moves themselves up')
  t.equal((await change(wide.key, 'boss')).statusCode, 403, 'nor changes a greater one')
  const rotate = await manager.call({ method: 'POST', url: `${url}/${key}/rotate` })
  t.equal(rotate.statusCode, 403, 'nor takes the line of another by its secret')
})

t.test('who may assert an authority hands that on, and what it asserts is kept', async t => {
  const { addCaller, db } = await testApp(t)
  const admin = await addCaller('first')
  await db.updateTable('credential').set({ may_assert_authority: true }).where('key', '=', admin.key).execute()
  const { key, secret } = (await make(admin, { scopes: ['all'], mayAssertAuthority: true })).json()
  const authorization = basic(key, secret)
  const authority = { objectType: 'Agent', account: { homePage: 'https://other.example', name: 'lrs' } }
  const store = async (statement: object, headers: Readonly<Record<string, string>>) => {
    const payload = JSON.stringify(statement)
    const posted = await admin.call({
      method: 'POST',
      url: '/xapi/statements',
      headers: { ...json, ...headers },
      payload
    })
    const [id] = posted.json()
    return (await admin.call({ url: `/xapi/statements?statementId=${id}` })).json().authority
  }
  t.same(await store({ ...opened, authority }, { authorization }), authority)
  t.match(await store(opened, { authorization }), { account: { name: key } }, 'its own where none was sent')
  const plain = await addCaller('first', ['all'])
  t.match(
    await store({ ...opened, authority }, { authorization: plain.authorization }),
    { account: { name: plain.key } },
    'replaced where the credential may not'
  )
})

t.test('what is not a credential is refused with its place', async t => {
  const admin = await testApp(t)
  for (const [body, pointer] of [
    [{ scopes: [] }, '/scopes'],
    [{ scopes: ['everything'] }, '/scopes/0'],
    [{ scopes: ['all'], name: '' }, '/name'],
    [{ scopes: ['all'], name: 'a\u0000b' }, '/name'],
    [{ scopes: ['all'], extra: 1 }, '/extra']
  ] as const) {
    const response = await make(admin, body)
    t.equal(response.statusCode, 400, JSON.stringify(body))
    t.match(response.json(), { code: 'invalid-body', pointer })
  }
  t.equal((await admin.call({ method: 'DELETE', url: `${url}/unknown` })).statusCode, 404)
  t.equal((await admin.call({ method: 'DELETE', url: `${url}/%00` })).statusCode, 400)
  t.equal((await admin.call({ method: 'POST', url: `${url}/unknown/rotate` })).statusCode, 404)
})

t.test('the operator makes and lists tenants, whose first credential rules there and nowhere else', async t => {
  const operator = await testApp(t)
  const tenants = '/api/v1/tenants'
  const post = (body: object) =>
    operator.call({ method: 'POST', url: tenants, headers: json, payload: JSON.stringify(body) })
  const made = await post({ name: 'north', timeZone: 'Europe/Berlin' })
  t.equal(made.statusCode, 201)
  t.equal(made.headers['cache-control'], 'no-store')
  t.match(made.json(), {
    id: Number,
    name: 'north',
    timeZone: 'Europe/Berlin',
    credential: { key: String, secret: String }
  })
  t.match((await operator.call({ url: tenants })).json().tenants, [
    { name: 'first', timeZone: 'UTC', createdAt: /Z$/ },
    { name: 'north', timeZone: 'Europe/Berlin' }
  ])
  t.match((await post({ name: 'north' })).json(), { code: 'tenant-conflict', status: 409 })
  t.match((await post({ name: 'south', timeZone: 'Mars/Olympus' })).json(), {
    code: 'invalid-body',
    pointer: '/timeZone'
  })
  t.equal((await post({ name: 'south' })).json().timeZone, 'UTC')

  const { key, secret } = made.json().credential
  const authorization = basic(key, secret)
  const asNorth = async (path: string) => operator.call({ url: path, headers: { authorization } })
  t.equal((await asNorth(tenants)).statusCode, 403)
  t.match((await asNorth(url)).json(), { credentials: [{ key, name: 'administrator' }] })
  t.equal((await asNorth('/xapi/statements')).statusCode, 200)
})
