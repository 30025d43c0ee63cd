import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../config.js'

/** Counts a request of a principal; the seconds to wait when it is one too many, or else 0. */
export type LimitRate = (request: FastifyRequest) => Promise<number>

const rememberedCredentials = 10_000

/**
 * Makes the counter of requests by credential, in windows of a minute that begin with a credential's first request.
 *
 * Each process counts for itself: behind a balancer the limit of all is theirs added up.
 *
 * @returns null when there is no limit.
 */
export async function rateLimiter(app: FastifyInstance, { rateLimitPerMinute }: Config): Promise<LimitRate | null> {
  if (rateLimitPerMinute === 0) return null
  await app.register(rateLimit, { global: false, cache: rememberedCredentials })
  const count = app.createRateLimit({
    max: rateLimitPerMinute,
    timeWindow: 60_000,
    keyGenerator: ({ principal }) => `${principal.tenantId} ${principal.authority}`
  })
  return async request => {
    const outcome = await count(request)
    return outcome.isAllowed || !outcome.isExceeded ? 0 : Math.max(1, outcome.ttlInSeconds)
  }
}
