import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { LrsError } from '../../errors.js'
import { negotiateVersion, type XapiVersion } from '../../xapi/version.js'

/** The versions of the standard that are served, newest last. */
export const servedVersions: readonly XapiVersion[] = ['1.0.3', '2.0.0']

const headerName = 'X-Experience-API-Version'

/**
 * Makes the hook that answers a request in the version that it speaks.
 *
 * @param fallback the version of an answer to a request that names none, or one that is not served
 */
export function answerVersion(fallback: XapiVersion) {
  return (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    sayVersion(request, reply, asked(request) ?? fallback)
    done()
  }
}

/** Settles the version of a request and its answer. */
export function sayVersion(request: FastifyRequest, reply: FastifyReply, version: XapiVersion): void {
  request.xapiVersion = version
  reply.header(headerName, version)
}

/**
 * Refuses a request that does not say, or says wrongly, in which version it speaks.
 *
 * @see xAPI 1.0.3 Communication 3.3
 */
export function requireVersion(request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  if (asked(request) !== null) {
    done()
    return
  }
  const given = request.headers['x-experience-api-version']
  const fault = given === undefined ? 'is missing' : `"${String(given)}" is not served`
  throw new LrsError('invalid-header', `The header ${headerName} ${fault}; send ${servedVersions.join(' or ')}`)
}

function asked({ headers }: FastifyRequest): XapiVersion | null {
  const given = headers['x-experience-api-version']
  return typeof given === 'string' ? negotiateVersion(given) : null
}
