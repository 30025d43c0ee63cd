import type { FastifyReply, FastifyRequest } from 'fastify'
import { consistentThrough, lastConsistentThrough } from '../../store/consistent-through.js'
import type { HttpContext } from '../context.js'

const header = 'X-Experience-API-Consistent-Through'

/** No tenant, for what is answered before anybody is known; theirs begin with 1. */
const nobody = 0

/**
 * Makes the hook that finds out up to when the record is complete, before anything is read, so that an answer of the
 * Statement Resource holds all that it claims to.
 *
 * @see xAPI 1.0.3 Communication 2.1.3
 */
export function followRecord({ db }: HttpContext) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const instant = await consistentThrough(db, request.principal.tenantId)
    if (isStatements(request)) reply.header(header, instant)
  }
}

/**
 * Makes the hook that gives the header to the other answers of the Statement Resource, which has it in all of them:
 * who is not let in, or uses a method that there is not, is told an older instant, without a question to the database.
 *
 * @see xAPI 1.0.3 Communication 2.1.3
 */
export function answerConsistency({ db }: HttpContext) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (!isStatements(request) || reply.hasHeader(header)) return
    // Where the database does not answer, which the answer itself says, there is nothing to claim.
    const instant = lastConsistentThrough(db) ?? (await consistentThrough(db, nobody).catch(() => null))
    if (instant !== null) reply.header(header, instant)
  }
}

/** Says whether a request is one to the Statement Resource. */
export function isStatements({ originalUrl }: FastifyRequest): boolean {
  return originalUrl.split('?')[0]?.endsWith('/statements') ?? false
}
