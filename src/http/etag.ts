import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isNamed, parseEntityTags } from '../xapi/precondition.js'

/** All that an answer follows from: two answers with the same of it say the same. */
export interface AnswerBasis {
  readonly tenantId: number
  /** What the data are told by, read in the answer's own snapshot; null where the answer can't be told. */
  readonly dataVersion: number | null
  /** The program's version: another one may reckon differently. */
  readonly program: string
  /** The local day of the asking, `YYYY-MM-DD`, in the zone of the query: days that are complete depend on it. */
  readonly today: string
  /** What the caller may see, as far as it changes the answer, such as the size below which groups are hidden. */
  readonly sees: unknown
  /** What is asked: the operation with its path, and its parameters by name, whatever their order. */
  readonly query: unknown
}

/**
 * Makes the entity tag of an answer, without `W/` and quotes, from what it follows from; null for one that has none.
 *
 * It is a weak one: of two answers with the same tag the numbers and what they mean are the same, but `asOf`,
 * `consistentThrough` and the octets differ.
 *
 * @see RFC 9110 section 8.8.1
 */
export function etagOf(basis: AnswerBasis): string | null {
  if (basis.dataVersion === null) return null
  const { tenantId, dataVersion, program, today, sees, query } = basis
  const text = JSON.stringify([tenantId, dataVersion, program, today, inOrder(sees), inOrder(query)])
  return createHash('sha256').update(text).digest('base64url').slice(0, 27)
}

/** The same value with the members of each object in the order of their names; JSON leaves out those that are undefined. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder)
  if (typeof value !== 'object' || value === null) return value
  const names = Object.keys(value).sort()
  return Object.fromEntries(names.map(name => [name, inOrder((value as Record<string, unknown>)[name])]))
}

/**
 * Puts the tag on the answer, and says whether the reader has an answer with it already: then the status is 304, and
 * the answer is to be sent without a body.
 *
 * `private`, since it is one tenant's, and `no-cache`, so that a cache asks each time whether its answer still holds.
 *
 * @param etag as `etagOf` makes it; null for an answer without one, which nobody has and no cache keeps.
 * @see RFC 9110 section 13.1.2 (compared weakly) and 15.4.5
 */
export function hasAnswer(request: FastifyRequest, reply: FastifyReply, etag: string | null): boolean {
  if (etag === null) {
    reply.header('Cache-Control', 'no-store')
    return false
  }
  const vary = reply.getHeader('Vary')
  reply.headers({
    ETag: `W/"${etag}"`,
    'Cache-Control': 'private, no-cache',
    Vary: [vary ?? [], 'Authorization', 'Accept'].flat().join(', ')
  })
  const tags = parseEntityTags(request.headers['if-none-match'])
  const isKnown = tags !== null && isNamed(tags, etag)
  if (isKnown) reply.code(304)
  return isKnown
}
