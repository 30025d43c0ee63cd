import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LrsError } from '../errors.js'
import { authenticator } from './authenticate.js'
import type { HttpContext, Principal } from './context.js'
import { type AuthenticateToken, tokenAuthenticator } from './oidc.js'
import { type LimitRate, rateLimiter } from './rate-limit.js'
import { explainRefusal, usableScopes } from './reach.js'
import { hasScope } from './scopes.js'

/** Lets a request through that may do what its route does, or refuses it. */
export type Authorize = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

type Authenticate = (authorization: string | undefined) => Promise<Principal>

const realm = 'realm="Momentum LRS", charset="UTF-8"'

/**
 * Makes the hook that finds out who asks, by Basic or, where a provider is set, by Bearer; holds the rate limit; and
 * compares the scopes with those that the route wants. A route that wants none is open to everybody.
 *
 * @see xAPI 1.0.3 Communication 4.0, RFC 7617, RFC 6750, RFC 9110 section 11.6.1
 */
export async function authorizer(app: FastifyInstance, context: HttpContext): Promise<Authorize> {
  const limitRate = await rateLimiter(app, context.config)
  const byToken = tokenAuthenticator(context)
  const authenticate = byScheme(authenticator(context.db, context.now), byToken)
  return async (request, reply) => {
    const { scopes } = request.routeOptions.config
    if (scopes === undefined) return
    const { authorization } = request.headers
    request.principal = await authenticate(authorization).catch(error => {
      if (isRefusal(error)) challenge(reply, authorization, byToken !== null)
      throw error
    })
    await holdToRate(limitRate, request, reply)
    if (hasScope(usableScopes(request.principal), scopes)) return
    if (bearerToken(authorization) !== null) {
      reply.header('WWW-Authenticate', `Bearer ${realm}, error="insufficient_scope", scope="${scopes.join(' ')}"`)
    }
    throw new LrsError('forbidden', explainRefusal(request.principal, scopes))
  }
}

function byScheme(byBasic: Authenticate, byToken: AuthenticateToken | null): Authenticate {
  return async authorization => {
    const token = bearerToken(authorization)
    if (token === null) return byBasic(authorization)
    if (byToken !== null) return byToken(token)
    throw new LrsError('unauthenticated', 'Bearer tokens are not taken here: no provider is set. Send Basic')
  }
}

async function holdToRate(limitRate: LimitRate | null, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const waitSeconds = limitRate === null ? 0 : await limitRate(request)
  if (waitSeconds === 0) return
  reply.header('Retry-After', waitSeconds)
  throw new LrsError('rate-limited', `The credential "${request.principal.key}" may ask again in ${waitSeconds} s`)
}

/** The token of an Authorization header; null when it is of another scheme. @see RFC 6750 section 2.1 */
function bearerToken(authorization: string | undefined): string | null {
  return /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? null
}

function isRefusal(error: unknown): boolean {
  return error instanceof LrsError && error.code === 'unauthenticated'
}

function challenge(reply: FastifyReply, authorization: string | undefined, takesTokens: boolean): void {
  const fault = bearerToken(authorization) === null ? '' : ', error="invalid_token"'
  reply.header('WWW-Authenticate', takesTokens ? [`Basic ${realm}`, `Bearer ${realm}${fault}`] : `Basic ${realm}`)
}
