import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import type { Kysely } from 'kysely'
import { LRUCache } from 'lru-cache'
import type { Config } from '../config.js'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { findTenant, type Tenant } from '../store/tenant.js'
import type { Principal } from './context.js'
import { personIdOf, scopesOf, subjectOf, tenantNameOf } from './oidc-claims.js'
import { makePrincipal } from './principal.js'
import { isScope } from './scopes.js'

/** What a bearer authenticator works with. */
export interface OidcOptions {
  readonly db: Kysely<Database>
  readonly config: Config
  readonly now: () => Date
  /** The least time between two looks for keys that are not known yet; 30 s unless told. */
  readonly cooldownMs?: number
}

/** Finds out who a token was made for. */
export type AuthenticateToken = (token: string) => Promise<Principal>

// Public keys only: a secret shared with the provider would let everybody who has it make tokens, and `none` anybody.
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

const clockToleranceSeconds = 30
// A key that the provider has withdrawn is believed this long at most.
const keysFreshMs = 600_000
const providerTimeoutMs = 5000
// A tenant's time zone may change, which is noticed within a second, as with credentials.
const tenantFreshMs = 1000

/**
 * Makes the check of bearer tokens: JWTs that the OpenID Connect provider of the settings has signed for this service.
 *
 * The keys are fetched at the first token, kept for ten minutes, and fetched again when a token names a new one.
 *
 * @returns null when no provider is set.
 * @throws {LrsError} `invalid-configuration` when a role is given a scope that there is not.
 * @see RFC 6750, RFC 7519, RFC 9068, OpenID Connect Discovery 1.0
 */
export function tokenAuthenticator(options: OidcOptions): AuthenticateToken | null {
  const { db, config, now } = options
  const { oidcIssuer: issuer, oidcAudience: audience } = config
  if (issuer === null || audience === null) return null
  refuseUnknownScopes(config)
  const getKey = keysOf(options, issuer)
  const tenants = new LRUCache<string, Tenant>({
    max: 1000,
    ttl: tenantFreshMs,
    perf: { now: () => now().getTime() }
  })
  const tenantOf = async (claims: JWTPayload): Promise<Tenant> => {
    const name = tenantNameOf(claims, config)
    const tenant = name === null ? null : (tenants.get(name) ?? (await findTenant(db, name)))
    if (tenant === null) throw new LrsError('forbidden', 'The token is for no tenant of this service')
    tenants.set(tenant.name, tenant)
    return tenant
  }

  return async token => {
    const checks = { issuer, audience, algorithms, clockTolerance: clockToleranceSeconds, requiredClaims: ['exp'] }
    const { payload } = await jwtVerify(token, getKey, { ...checks, currentDate: now() }).catch(explain)
    const name = subjectOf(payload)
    if (name === null) throw new LrsError('unauthenticated', 'The token does not say for whom it was made')
    const { id: tenantId, timeZone } = await tenantOf(payload)
    const authority = JSON.stringify({ objectType: 'Agent', account: { homePage: issuer, name } })
    const scopes = scopesOf(payload, config)
    const personId = personIdOf(payload, config)
    return makePrincipal({ key: name, tenantId, timeZone, scopes, authority, mayAssertAuthority: false, personId })
  }
}

function refuseUnknownScopes({ oidcRoleScopes }: Config): void {
  const unknown = Object.values(oidcRoleScopes ?? {})
    .flat()
    .filter(scope => !isScope(scope))
  if (unknown.length === 0) return
  throw new LrsError('invalid-configuration', `OIDC_ROLE_SCOPES: there is no scope ${[...new Set(unknown)].join(', ')}`)
}

/** Makes the look-up of the provider's keys. That the provider does not answer is not the fault of who asks. */
function keysOf({ config, cooldownMs = 30_000 }: OidcOptions, issuer: string): JWTVerifyGetKey {
  const settings = { cooldownDuration: cooldownMs, cacheMaxAge: keysFreshMs, timeoutDuration: providerTimeoutMs }
  let keys: Promise<JWTVerifyGetKey> | null = null
  const find = async () => {
    try {
      return createRemoteJWKSet(new URL(config.oidcJwksUri ?? (await discover(issuer))), settings)
    } catch (error) {
      // Discovery is tried again with the next token.
      keys = null
      throw error
    }
  }
  return async (header, token) => {
    try {
      keys ??= find()
      return await (await keys)(header, token)
    } catch (error) {
      if (tokenFaults.some(fault => error instanceof fault)) throw error
      throw new LrsError('not-ready', `The keys of ${issuer} cannot be had just now`, {}, { cause: error })
    }
  }
}

/** What the search for a key may find wrong with the token rather than with the provider. */
const tokenFaults = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported]

/** Where the provider's keys are, by its own word. @see OpenID Connect Discovery 1.0 section 4 */
async function discover(issuer: string): Promise<string> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const response = await fetch(address, { signal: AbortSignal.timeout(providerTimeoutMs), redirect: 'manual' })
  if (!response.ok) throw new Error(`${address} answered ${response.status}`)
  const { issuer: named, jwks_uri: uri } = (await response.json()) as Readonly<Record<string, unknown>>
  if (named !== issuer || typeof uri !== 'string') throw new Error(`${address} is not about ${issuer}`)
  return uri
}

function explain(error: unknown): never {
  if (error instanceof LrsError) throw error
  const reason = error instanceof errors.JWTExpired ? 'has expired' : `is not valid: ${(error as Error).message}`
  throw new LrsError('unauthenticated', `The token ${reason}`, {}, { cause: error })
}
