import type { JWTPayload } from 'jose'
import { isName } from '../people/cohort-filter.js'
import { isScope } from './scopes.js'

/** The settings that say what a token's claims mean. */
export interface ClaimSettings {
  readonly oidcScopeClaim: string
  readonly oidcRoleClaim: string | null
  readonly oidcRoleScopes: Readonly<Record<string, readonly string[]>> | null
  readonly oidcTenantClaim: string | null
  readonly oidcTenant: string
  readonly oidcPersonClaim: string | null
}

/**
 * The scopes of a token: those that its scope claim names, and those that its roles stand for.
 *
 * Words that name no scope (`openid`) are passed over. `tenants` is never given: tenants are the operator's matter and
 * not the provider's.
 *
 * @see RFC 9068 section 2.2.3
 */
export function scopesOf(claims: JWTPayload, settings: ClaimSettings): readonly string[] {
  const { oidcScopeClaim, oidcRoleClaim, oidcRoleScopes } = settings
  const roles = oidcRoleClaim === null ? [] : wordsOf(claimAt(claims, oidcRoleClaim))
  const byRole = new Map(Object.entries(oidcRoleScopes ?? {}))
  const named = [...wordsOf(claimAt(claims, oidcScopeClaim)), ...roles.flatMap(role => byRole.get(role) ?? [])]
  return [...new Set(named)].filter(word => isScope(word) && word !== 'tenants')
}

/**
 * Whom a token was made for: the subject, or else the client, when it acts for itself.
 *
 * @returns null when it names nobody, or with characters that no account's name should have.
 * @see RFC 9068 section 2.2
 */
export function subjectOf({ sub, client_id: clientId, azp }: JWTPayload): string | null {
  const name = sub ?? clientId ?? azp
  return typeof name === 'string' && /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(name) ? name : null
}

/** The name of the tenant that a token is for; null where its claim names none. */
export function tenantNameOf(claims: JWTPayload, { oidcTenantClaim, oidcTenant }: ClaimSettings): string | null {
  if (oidcTenantClaim === null) return oidcTenant
  const name = claimAt(claims, oidcTenantClaim)
  return typeof name === 'string' && !name.includes('\0') ? name : null
}

/**
 * The `personId` of whom a token stands for; null where no claim is set for it, or the token's is not the name of a
 * person. A number is none: `0047` and 47 may be two people.
 */
export function personIdOf(claims: JWTPayload, { oidcPersonClaim }: ClaimSettings): string | null {
  const name = oidcPersonClaim === null ? null : claimAt(claims, oidcPersonClaim)
  return isName(name) ? name : null
}

/** A claim by its whole name, such as `https://example.org/roles`, or by a path of dots, such as `realm_access.roles`. */
export function claimAt(claims: JWTPayload, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  let value: unknown = claims
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[name]
  }
  return value
}

function wordsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split(' ')
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}
