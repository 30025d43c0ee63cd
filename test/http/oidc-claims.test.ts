import t from 'tap'
import { claimAt, scopesOf, subjectOf, tenantNameOf } from '../../src/http/oidc-claims.js'

const settings = {
  oidcScopeClaim: 'scope',
  oidcRoleClaim: null,
  oidcRoleScopes: null,
  oidcTenantClaim: null,
  oidcTenant: 'default'
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
