import type { FastifyReply, FastifyRequest } from 'fastify'
import { LrsError } from '../../errors.js'
import { negotiateVersion, type XapiVersion } from '../../xapi/version.js'

/** The versions of the standard that are served, newest last. */
export const servedVersions: readonly XapiVersion[] = ['1.0.3']

const headerName = 'X-Experience-API-Version'

/** Answers every request with the version in which it is answered. */
export async function answerVersion(_request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.header(headerName, servedVersions.at(-1))
}

/**
 * Refuses a request that does not say, or says wrongly, in which version it speaks.
 *
 * @see xAPI 1.0.3 Communication 3.3
 */
export async function requireVersion(request: FastifyRequest): Promise<void> {
  const given = request.headers['x-experience-api-version']
  if (typeof given !== 'string') {
    throw new LrsError('invalid-header', `The header ${headerName} is missing; send ${servedVersions.join(' or ')}`)
  }
  const version = negotiateVersion(given)
  if (version === null || !servedVersions.includes(version)) {
    throw new LrsError(
      'invalid-header',
      `The ${headerName} "${given}" is not served; send ${servedVersions.join(' or ')}`
    )
  }
}
