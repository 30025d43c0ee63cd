import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LrsError } from '../../errors.js'
import { isNamed, meetsPreconditions, type Preconditions, parseEntityTags } from '../../xapi/precondition.js'

/** What a GET answers with an entity tag. */
export interface Representation {
  readonly contentType: string
  readonly content: Buffer
  /** Hexadecimal SHA-1 of the content, without quotes. */
  readonly etag: string
  /** When it was last modified, RFC 3339 in UTC; null where nothing says so. */
  readonly updated: string | null
}

/** JSON text as it is answered. */
export function jsonRepresentation(json: string, updated: string | null = null): Representation {
  const content = Buffer.from(json)
  return { contentType: 'application/json; charset=utf-8', content, etag: entityTagOf(content), updated }
}

/** The entity tag that the standard prescribes, without quotes. @see xAPI 1.0.3 Communication 3.1 */
function entityTagOf(content: Buffer): string {
  return createHash('sha1').update(content).digest('hex')
}

/** The preconditions of a request. */
export function readPreconditions({ headers }: FastifyRequest): Preconditions {
  return {
    ifMatch: parseEntityTags(headers['if-match']),
    ifNoneMatch: parseEntityTags(headers['if-none-match'])
  }
}

/**
 * Refuses a request whose preconditions don't hold.
 *
 * @param etag that of what is there, without quotes, or null when there is nothing.
 */
export function refuseUnmet(preconditions: Preconditions, etag: string | null): void {
  if (meetsPreconditions(preconditions, etag)) return
  throw new LrsError(
    'precondition-failed',
    `The document ${etag === null ? 'does not exist' : `has the ETag "${etag}"`}`
  )
}

/**
 * Answers a GET with its tag and the time of the last change: 304 without a body for a reader who has it already.
 *
 * @throws {LrsError} `precondition-failed` when If-Match names another tag.
 * @see xAPI 1.0.3 Communication 3.1; RFC 9110 section 13.2.2
 */
export function answerTagged(request: FastifyRequest, reply: FastifyReply, representation: Representation) {
  const { contentType, content, etag, updated } = representation
  const { ifMatch, ifNoneMatch } = readPreconditions(request)
  refuseUnmet({ ifMatch, ifNoneMatch: null }, etag)
  reply.header('ETag', `"${etag}"`)
  if (updated !== null) reply.header('Last-Modified', new Date(updated).toUTCString())
  if (ifNoneMatch !== null && isNamed(ifNoneMatch, etag)) return reply.code(304).send()
  return reply.header('Content-Type', contentType).send(content)
}
