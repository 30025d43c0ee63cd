import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import t, { type Test } from 'tap'
import { type Config, readConfig } from '../../src/config.js'
import { tokenAuthenticator } from '../../src/http/oidc.js'
import { claimAt, personIdOf, scopesOf, subjectOf, tenantNameOf } from '../../src/http/oidc-claims.js'
import { testApp } from '../support/app.js'
import { audience, startIdentityProvider } from '../support/identity-provider.js'
import { opened } from '../support/statements.js'

const provider = await startIdentityProvider(t)

async function start(t: Test, config: Partial<Config> = {}) {
  const { app, db, addCaller } = await testApp(t, {
    config: { oidcIssuer: provider.issuer, oidcAudience: audience, oidcTenant: 'first', ...config }
  })
  const ask = (token: string, url = '/xapi/statements') =>
    app.inject({ url, headers: { authorization: `Bearer ${token}`, 'x-experience-api-version': '1.0.3' } })
  return { app, db, addCaller, ask }
}

t.test('a token from the provider opens what its scopes say, under an authority of its own', async t => {
  const { app, ask } = await start(t)
  const token = await provider.fetchToken('lms', 'statements/read statements/write')
  const posted = await app.inject({
    method: 'POST',
    url: '/xapi/statements',
    headers: {
      authorization: `bearer ${token}`,
      'x-experience-api-version': '1.0.3',
      'content-type': 'application/json'
    },
    payload: JSON.stringify(opened)
  })
  t.equal(posted.statusCode, 200)
  const { statements } = (await ask(token)).json()
  t.same(statements[0].authority, { objectType: 'Agent', account: { homePage: provider.issuer, name: 'lms' } })
  t.equal((await ask(await provider.fetchToken('lms', 'state'))).statusCode, 403)
  const lacking = await ask(token, '/api/v1/event-mapping')
  t.equal(lacking.statusCode, 403)
  t.match(lacking.headers['www-authenticate'], /^Bearer .*error="insufficient_scope", scope="metrics\/read"$/)
  const person = await ask(await provider.sign({ sub: 'ada', scope: 'all' }))
  t.equal(person.statusCode, 200, 'a token for a person')
  t.equal((await ask(await provider.sign({ sub: 'ada', scope: 'tenants admin' }), '/api/v1/tenants')).statusCode, 403)
})

t.test('roles and tenants come from the claims that the settings name', async t => {
  const { ask, addCaller } = await start(t, {
    oidcRoleClaim: 'realm_access.roles',
    oidcRoleScopes: { teacher: ['statements/read'] },
    oidcTenantClaim: 'tenant'
  })
  const token = await provider.fetchToken('teacher', 'state')
  t.match((await ask(token)).json(), { code: 'forbidden', message: 'The token is for no tenant of this service' })
  const north = await addCaller('north')
  await north.post(opened)
  t.equal((await ask(token)).json().statements.length, 1, 'its tenant exists now')
  t.equal((await ask(await provider.fetchToken('lms', 'statements/read'))).statusCode, 403, 'no tenant named')
  t.equal((await ask(await provider.fetchToken('lost', 'statements/read'))).statusCode, 403, 'an unknown one')
})

t.test('a token’s tenant may change its time zone, which is noticed within a second', async t => {
  let at = Date.now()
  const { app, db } = await testApp(t, {
    config: { oidcIssuer: provider.issuer, oidcAudience: audience, oidcTenant: 'first' },
    now: () => new Date(at)
  })
  const authorization = `Bearer ${await provider.sign({ sub: 'ada', scope: 'metrics/read' })}`
  const zone = async () =>
    (await app.inject({ url: '/api/v1/metrics/active-users', headers: { authorization } })).json().meta.query.timeZone
  t.equal(await zone(), 'UTC')
  await db.updateTable('tenant').set({ time_zone: 'Europe/Berlin' }).execute()
  at += 1001
  t.equal(await zone(), 'Europe/Berlin')
})

t.test('what is not a valid token of the provider for this service is refused, and told why', async t => {
  const { ask, app } = await start(t)
  const seconds = Math.floor(Date.now() / 1000)
  const { privateKey } = await generateKeyPair('ES256')
  const claims = { sub: 'ada', scope: 'all', iss: provider.issuer, aud: audience, exp: seconds + 60 }
  const signed = (claims: object, header: object) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256', ...header })
  const good = await provider.sign(claims)
  const [head = '', body = '', signature = ''] = good.split('.')
  const table: Readonly<Record<string, string>> = {
    expired: await provider.sign({ ...claims, exp: seconds - 31 }),
    'not yet valid': await provider.sign({ ...claims, nbf: seconds + 300 }),
    'without an end': await provider.sign({ ...claims, exp: undefined as unknown as number }),
    'for another audience': await provider.sign({ ...claims, aud: 'https://other.example' }),
    'of another issuer': await provider.sign({ ...claims, iss: 'https://other.example' }),
    'of another key': await signed(claims, { kid: 'unknown' }).sign(privateKey),
    'of another key under a known id': await signed(claims, JSON.parse(atob(head))).sign(privateKey),
    'signed with a public key as a secret': await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode('a secret that is long enough')),
    unsigned: new UnsecuredJWT(claims).encode(),
    'with its signature cut off': `${head}.${body}.`,
    'with other claims under the signature': `${head}.${btoa('{"sub":"eve"}')}.${signature}`,
    'for nobody': await provider.sign({ scope: 'all' }),
    'for an odd name': await provider.sign({ ...claims, sub: 'a\u0000b' }),
    'not a JWT': 'abc'
  }
  t.equal((await ask(good)).statusCode, 200)
  t.equal((await ask(await provider.sign({ ...claims, exp: seconds - 5 }))).statusCode, 200, 'clocks may differ')
  for (const [name, token] of Object.entries(table)) {
    const response = await ask(token)
    t.equal(response.statusCode, 401, name)
    t.match(response.json(), { code: 'unauthenticated', message: /^The token / }, name)
    t.match(response.headers['www-authenticate'], [/^Basic realm=/, /^Bearer realm=.*, error="invalid_token"$/])
  }
  const none = await app.inject({ url: '/xapi/statements' })
  t.equal(none.statusCode, 401, 'before the version header is asked for')
  t.match(none.headers['www-authenticate'], [/^Basic/, /^Bearer realm="Momentum LRS", charset="UTF-8"$/])
})

t.test('keys are fetched once, and again when a token names a new one', async t => {
  const { db } = await testApp(t)
  const config = { ...readConfig({}), oidcIssuer: provider.issuer, oidcAudience: audience, oidcTenant: 'first' }
  const authenticate = tokenAuthenticator({ db, config, now: () => new Date(), cooldownMs: 0 })
  if (authenticate === null) throw new Error('a provider is set')
  const old = await provider.sign({ sub: 'ada' })
  const before = provider.asked.length
  await Promise.all([authenticate(old), authenticate(old), authenticate(old)])
  t.same(provider.asked.slice(before), ['/.well-known/openid-configuration', '/jwks'])
  await provider.rotate()
  t.match(await authenticate(await provider.sign({ sub: 'bob' })), { key: 'bob' })
  t.same(provider.asked.slice(before + 2), ['/jwks'])
  await t.rejects(authenticate(old), { code: 'unauthenticated' }, 'the key was withdrawn')
})

t.test('a provider that does not answer is no fault of the token, and is asked again', async t => {
  const { ask } = await start(t)
  const token = await provider.sign({ sub: 'ada', scope: 'all' })
  provider.broken = true
  t.match((await ask(token)).json(), { code: 'not-ready', message: /cannot be had just now/ })
  provider.broken = false
  t.equal((await ask(token)).statusCode, 200)

  const direct = await start(t, { oidcJwksUri: `${provider.issuer}/jwks` })
  const before = provider.asked.length
  t.equal((await direct.ask(token)).statusCode, 200)
  t.same(provider.asked.slice(before), ['/jwks'], 'no discovery where the address of the keys is set')
  const liar = await start(t, { oidcIssuer: `${provider.issuer}/` })
  t.equal((await liar.ask(token)).statusCode, 503, 'a discovery document about another issuer is not believed')
})

t.test('without a provider no token is taken, and roles must stand for scopes that there are', async t => {
  const { app } = await testApp(t)
  const response = await app.inject({ url: '/xapi/statements', headers: { authorization: 'Bearer abc' } })
  t.equal(response.statusCode, 401)
  t.match(response.headers['www-authenticate'], /^Basic /)
  t.match(response.json(), { message: /no provider is set/ })
  const config = { oidcRoleClaim: 'roles', oidcRoleScopes: { teacher: ['all', 'everything'] } }
  await t.rejects(start(t, config), { code: 'invalid-configuration', message: /there is no scope everything/ })
})

const settings = {
  oidcScopeClaim: 'scope',
  oidcRoleClaim: null,
  oidcRoleScopes: null,
  oidcTenantClaim: null,
  oidcTenant: 'default',
  oidcPersonClaim: null
}
const byRole = { ...settings, oidcRoleClaim: 'roles', oidcRoleScopes: { admin: ['all', 'tenants'], '': ['state'] } }

t.test('scopes are words or a list, and those that a role stands for', async t => {
  t.same(scopesOf({ scope: 'openid state statements/read state' }, settings), ['state', 'statements/read'])
  t.same(scopesOf({ scope: ['state', 7, 'define'] }, settings), ['state', 'define'])
  t.same(scopesOf({ scope: { state: true } }, settings), [])
  t.same(scopesOf({}, settings), [])
  t.same(scopesOf({ scope: 'tenants' }, settings), [], 'tenants are not the matter of a provider')
  t.same(scopesOf({ scope: 'state', roles: ['admin', 'constructor'] }, byRole), ['state', 'all'])
  t.same(scopesOf({ roles: 'admin' }, { ...byRole, oidcRoleScopes: null }), [])
})

t.test('a claim is found by its whole name before it is taken for a path', async t => {
  const claims = { 'https://example.org/roles': 1, a: { b: { c: 2 } }, 'a.b': 3, text: 'x' }
  t.equal(claimAt(claims, 'https://example.org/roles'), 1)
  t.equal(claimAt(claims, 'a.b.c'), 2)
  t.equal(claimAt(claims, 'a.b'), 3)
  for (const path of ['a.c', 'a.b.c.d', 'text.length', 'constructor', 'a.constructor']) {
    t.equal(claimAt(claims, path), undefined, path)
  }
})

t.test('a token is made for its subject, or else for its client', async t => {
  t.equal(subjectOf({ sub: 'ada', client_id: 'lms' }), 'ada')
  t.equal(subjectOf({ client_id: 'lms', azp: 'other' }), 'lms')
  t.equal(subjectOf({ azp: 'lms' }), 'lms')
  for (const name of ['', 'a\nb', '\ud800', 'a'.repeat(256), 7]) t.equal(subjectOf({ client_id: name }), null)
})

t.test('a token is for the tenant of the settings or of its claim', async t => {
  t.equal(tenantNameOf({ tenant: 'north' }, settings), 'default')
  const named = { ...settings, oidcTenantClaim: 'tenant' }
  t.equal(tenantNameOf({ tenant: 'north' }, named), 'north')
  t.equal(tenantNameOf({ tenant: 'a\0b' }, named), null)
  t.equal(tenantNameOf({ tenant: ['north'] }, named), null)
})

t.test('a token stands for the person whom its claim names, where the settings name a claim', async t => {
  t.equal(personIdOf({ employee: '4711', sub: '4712' }, settings), null)
  const named = { ...settings, oidcPersonClaim: 'urn:hr.employee' }
  t.equal(personIdOf({ 'urn:hr': { employee: '0047' } }, named), '0047')
  for (const claim of [47, '', 'a\0b', ['4711'], null, 'x'.repeat(501)]) {
    t.equal(personIdOf({ 'urn:hr.employee': claim }, named), null, JSON.stringify(claim))
  }
})

t.test('a manager’s token shows the line of the person in its claim, and nothing without one', async t => {
  const { ask, addCaller } = await start(t, { oidcPersonClaim: 'employee' })
  const { putPeople } = await addCaller('first')
  const person = (personId: string, managerId: string | null) => ({
    personId,
    managerId,
    agents: [{ mbox: `mailto:${personId}@example.org` }]
  })
  t.equal((await putPeople([person('boss', null), person('ada', 'boss'), person('bob', 'other')])).statusCode, 200)
  const claims = { sub: 'subject', scope: 'line/read' }
  const people = await ask(await provider.sign({ ...claims, employee: 'boss' }), '/api/v1/people')
  t.match(people.json().people, [{ personId: 'ada' }])
  t.equal(people.json().people.length, 1)
  const nobody = await ask(await provider.sign(claims), '/api/v1/people')
  t.match(nobody.json(), { status: 403, detail: /stands for no person.*OIDC_PERSON_CLAIM$/ })
  const learner = await ask(await provider.sign({ sub: 'x', scope: 'self/read', employee: 'bob' }), '/api/v1/people')
  t.same(
    learner.json().people.map((found: { personId: string }) => found.personId),
    ['bob']
  )
})
