import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { findAnswerVersion } from '../../metrics/answer-version.js'
import type { ResolvedMetricQuery } from '../../metrics/resolve-query.js'
import type { HttpContext } from '../context.js'
import { etagOf, hasAnswer } from '../etag.js'
import { reachOf, type Shown, seesNames } from '../reach.js'

/** The answer to a reader who has it already. */
export const Unchanged = Type.Null({
  description: 'Nothing has changed since the answer whose `ETag` came with `If-None-Match`.'
})

/** An answer, and the version that tells the data it was made from; null where none does. */
export interface Versioned<Answer> {
  readonly answer: Answer
  readonly version: number | null
}

/** What is asked, and of whom the answer speaks. */
export interface TaggedQuery {
  readonly resolved: Pick<ResolvedMetricQuery, 'tenantId' | 'source' | 'asOf' | 'window' | 'minGroupSize'>
  readonly shown: Shown
}

/**
 * Answers with an entity tag. Where the reader has the answer already, it costs one look at the version of the data and
 * a 304; otherwise it is made, and tagged by the version of the very snapshot that it was counted in.
 *
 * @returns the answer, or null when nothing is left to send but the 304.
 * @see docs/decisions/0026-answers-are-told-apart-by-a-data-version.md
 */
export async function taggedAnswer<Answer>(
  { db, program }: Pick<HttpContext, 'db' | 'program'>,
  request: FastifyRequest,
  reply: FastifyReply,
  { resolved, shown }: TaggedQuery,
  make: () => Promise<Versioned<Answer>>
): Promise<Answer | null> {
  const tagOf = (dataVersion: number | null) =>
    etagOf({
      tenantId: resolved.tenantId,
      dataVersion,
      program,
      today: resolved.window.today,
      sees: [reachOf(request.principal, shown).filter, seesNames(request.principal, shown), resolved.minGroupSize],
      query: [request.routeOptions.url, request.params, request.query, request.headers.accept ?? '']
    })
  if (request.headers['if-none-match'] !== undefined) {
    if (hasAnswer(request, reply, tagOf(await findAnswerVersion(db, resolved)))) return nothing(reply)
  }
  const { answer, version } = await make()
  return hasAnswer(request, reply, tagOf(version)) ? nothing(reply) : answer
}

/** By its schema a null is four letters, and a 304 has no body. */
function nothing(reply: FastifyReply): null {
  reply.serializer(() => '')
  return null
}
