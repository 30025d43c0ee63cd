import { randomUUID } from 'node:crypto'
import t from 'tap'
import { operatorScopes } from '../../src/http/scopes.js'
import { createCredential, findFirstKey } from '../../src/store/credential.js'
import { ensureTenant } from '../../src/store/tenant.js'
import { basic, testApp } from '../support/app.js'
import { opened } from '../support/statements.js'

let now = new Date('2026-03-02T12:00:00Z')
const app = await testApp(t, { now: () => now })
const { db, tenantId } = app

const pass = (milliseconds: number) => {
  now = new Date(now.getTime() + milliseconds)
}

async function knock(authorization: string | undefined, url = '/xapi/statements?limit=1') {
  const headers = { 'x-experience-api-version': '1.0.3', ...(authorization === undefined ? {} : { authorization }) }
  return app.app.inject({ url, headers })
}

async function makeCredential(secret: string, scopes: readonly string[] = operatorScopes) {
  const key = randomUUID()
  await createCredential(db, { tenantId, name: 'test', key, secret, scopes })
  return key
}

t.test('the right key and secret open, in every way of writing the header that RFC 7617 has', async t => {
  const key = await makeCredential('a:secret: of ÄÖ 🦉 letters')
  const good = basic(key, 'a:secret: of ÄÖ 🦉 letters')
  for (const header of [good, good.replace('Basic', 'basic'), good.replace('Basic', 'BASIC'), `${good}  `]) {
    t.equal((await knock(header)).statusCode, 200, header)
  }
})

t.test('no credential, a malformed one or a wrong one is 401 with a challenge, under /xapi and /api', async t => {
  const key = await makeCredential('the right secret')
  const encode = (text: string) => Buffer.from(text).toString('base64')
  const headers = [
    undefined,
    '',
    'Basic',
    'Basic ',
    'Basic !!!',
    `Basic ${encode('no colon')}`,
    `Basic ${encode(':no key')}`,
    `Basic ${encode(`${key}:the right secret`)} more`,
    `Bearer ${encode(`${key}:the right secret`)}`,
    'Basic \u00e4',
    basic(key, 'the wrong secret'),
    basic(key, ''),
    basic(key, 'the right secret '),
    basic(key.toUpperCase(), 'the right secret'),
    basic('unknown', 'the right secret'),
    basic(`${key}\u0000`, 'the right secret'),
    basic('\u0000', 'the right secret'),
    `Basic ${Buffer.from([0xff, 0xfe, 0x3a, 0xff]).toString('base64')}`
  ]
  for (const [at, header] of headers.entries()) {
    const url = at % 2 === 0 ? '/xapi/statements' : '/api/v1/metrics'
    const response = await knock(header, url)
    t.equal(response.statusCode, 401, `${header} at ${url}`)
    t.equal(response.headers['www-authenticate'], 'Basic realm="Momentum LRS", charset="UTF-8"')
    t.match(response.json(), { code: 'unauthenticated' })
  }
})

t.test('the secret is looked at every time, also when the key was let in a moment ago', async t => {
  const key = await makeCredential('the right secret')
  t.equal((await knock(basic(key, 'the right secret'))).statusCode, 200)
  t.equal((await knock(basic(key, 'the wrong secret'))).statusCode, 401)
  t.equal((await knock(basic(key, 'the right secret'))).statusCode, 200)
})

t.test('a revoked credential stops within a second', async t => {
  const key = await makeCredential('the right secret')
  const header = basic(key, 'the right secret')
  t.equal((await knock(header)).statusCode, 200)
  await db.updateTable('credential').set({ revoked_at: now.toISOString() }).where('key', '=', key).execute()
  pass(999)
  t.equal((await knock(header)).statusCode, 200, 'still remembered')
  pass(1)
  t.equal((await knock(header)).statusCode, 401)
  await db.updateTable('credential').set({ revoked_at: null }).where('key', '=', key).execute()
  t.equal((await knock(header)).statusCode, 200)
  await db.updateTable('credential').set({ revoked_at: now.toISOString() }).where('key', '=', key).execute()
  pass(-5000)
  t.equal((await knock(header)).statusCode, 401, 'a clock that was put back makes nothing fresh')
})

t.test('a changed secret, or changed scopes, hold within a second', async t => {
  const key = await makeCredential('the old secret!!')
  t.equal((await knock(basic(key, 'the old secret!!'))).statusCode, 200)
  const other = await makeCredential('the new secret!!')
  const { secret_hash } = await db
    .selectFrom('credential')
    .select('secret_hash')
    .where('key', '=', other)
    .executeTakeFirstOrThrow()
  await db.updateTable('credential').set({ secret_hash }).where('key', '=', key).execute()
  pass(1000)
  t.equal((await knock(basic(key, 'the old secret!!'))).statusCode, 401)
  t.equal((await knock(basic(key, 'the new secret!!'))).statusCode, 200)
  await db.updateTable('credential').set({ scopes: [] }).where('key', '=', key).execute()
  pass(1000)
  t.equal((await knock(basic(key, 'the new secret!!'))).statusCode, 403)
})

t.test('secrets are kept as salted hashes only, and what is no such hash lets nobody in', async t => {
  const keys = [await makeCredential('the same secret!'), await makeCredential('the same secret!')]
  const rows = await db.selectFrom('credential').selectAll().where('key', 'in', keys).execute()
  t.notMatch(JSON.stringify(rows), /the same secret/)
  t.not(rows[0]?.secret_hash, rows[1]?.secret_hash)
  for (const secret_hash of ['', 'the same secret!', 'scrypt$AAAA$']) {
    await db
      .updateTable('credential')
      .set({ secret_hash })
      .where('key', '=', keys[0] ?? '')
      .execute()
    t.equal((await knock(basic(keys[0] ?? '', 'the same secret!'))).statusCode, 401, secret_hash)
  }
})

t.test('each scope opens what is its own, and nothing else', async t => {
  const requests = {
    read: { method: 'GET', url: '/xapi/statements?limit=1' },
    write: { method: 'POST', url: '/xapi/statements', body: JSON.stringify(opened) },
    metrics: { method: 'GET', url: '/api/v1/metrics' },
    people: { method: 'PUT', url: '/api/v1/people', body: '[]' }
  } as const
  const table: [readonly string[], readonly (keyof typeof requests)[]][] = [
    [['all'], ['read', 'write']],
    [['all/read'], ['read']],
    [['statements/read'], ['read']],
    [['statements/write'], ['write']],
    [
      ['statements/read', 'statements/write'],
      ['read', 'write']
    ],
    [['metrics/read'], ['metrics']],
    [['people/write'], ['people']],
    [['people/read'], ['metrics']],
    [['statements/delete'], []],
    [['unknown'], []],
    [[], []],
    [operatorScopes, ['read', 'write', 'metrics', 'people']]
  ]
  for (const [scopes, opens] of table) {
    const caller = await app.addCaller('first', scopes)
    for (const [name, { method, url, ...rest }] of Object.entries(requests)) {
      const response = await caller.call({ method, url, headers: { 'content-type': 'application/json' }, ...rest })
      const expected = opens.some(open => open === name) ? 200 : 403
      t.equal(response.statusCode, expected, `${scopes} ${name}`)
      if (expected === 403) t.match(response.json(), { code: 'forbidden' })
    }
  }
})

t.test('a credential and a tenant are made once, and stay as they were made', async t => {
  const tenant = await ensureTenant(db, 'once', 'Europe/Berlin')
  t.same(await ensureTenant(db, 'once', 'UTC'), tenant)
  t.equal(tenant.timeZone, 'Europe/Berlin')
  t.equal(await findFirstKey(db, tenant.id), null)
  const credential = {
    tenantId: tenant.id,
    name: 'one',
    key: randomUUID(),
    secret: 'first secret....',
    scopes: ['all']
  }
  t.equal(await createCredential(db, credential), true)
  t.equal(await createCredential(db, { ...credential, secret: 'second secret...' }), false)
  t.equal((await knock(basic(credential.key, 'first secret....'))).statusCode, 200)
  t.equal((await knock(basic(credential.key, 'second secret...'))).statusCode, 401)
  await createCredential(db, { ...credential, key: randomUUID() })
  t.equal(await findFirstKey(db, tenant.id), credential.key)
})

t.test('RFC 7617: a header that is not key and secret is 401, never 500', async t => {
  const { app, key, secret } = await testApp(t)
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  for (const authorization of [
    '',
    'Basic',
    'Basic ',
    'Basic ***',
    `Basic ${base64('no colon')}`,
    `Basic ${base64(':no key')}`,
    `Basic ${base64(`${key}\0:${secret}`)}`,
    `Basic ${Buffer.from([0xff, 0x3a, 0xff]).toString('base64')}`,
    `Digest ${base64(`${key}:${secret}`)}`,
    'Bearer',
    basic(key, `${secret}x`),
    basic(`${key}x`, secret),
    basic(key, '')
  ]) {
    const response = await app.inject({ url: '/xapi/statements', headers: { authorization } })
    t.equal(response.statusCode, 401, authorization)
    t.match(response.headers['www-authenticate'], /^Basic realm="Momentum LRS", charset="UTF-8"$/)
    t.match(response.json(), { code: 'unauthenticated' })
  }
  const headers = { authorization: `bAsIc ${base64(`${key}:${secret}`)}`, 'x-experience-api-version': '1.0.3' }
  t.equal((await app.inject({ url: '/xapi/statements', headers })).statusCode, 200, 'the scheme in any case')
})

t.test('a failure of ours says its id and no more', async t => {
  const { call, db } = await testApp(t)
  await db.schema.dropTable('statement').cascade().execute()
  const response = await call({ url: '/xapi/statements' })
  t.equal(response.statusCode, 500)
  t.match(response.json(), { code: 'internal-error', message: /its log has the details/, requestId: /./ })
  t.notMatch(response.body, /relation/)
})
