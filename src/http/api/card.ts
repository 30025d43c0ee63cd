import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { answerCard } from '../../scores/answer-card.js'
import type { HttpContext } from '../context.js'
import { access } from '../scopes.js'
import { CardBody, CardParameter, CardQueryParameters } from './card-schema.js'
import { askerOf } from './metric-query.js'
import { problemResponses } from './problem-schema.js'
import { requireKnown } from './require-known.js'

/** A person's card: their own metrics of learning, beside those who are alike. */
export function cardRoutes(context: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.get('/people/:personId/card', {
      schema: {
        operationId: 'getPersonCard',
        tags: ['Scores'],
        summary: 'A person’s metrics of learning, and where those alike stand',
        description:
          'The six metrics of the last 28 days and of each of the last 12 weeks, beside the quartiles of those who have the same role today. Bands of small groups are hidden. Wants the scope `people/read`; or `line/read` or `self/read`, which see and compare the own line, or oneself, alone.',
        params: CardParameter,
        querystring: CardQueryParameters,
        response: { 200: CardBody, ...problemResponses(400, 401, 403, 404) }
      },
      config: { scopes: access.names.read },
      handler: async ({ params: { personId }, query, principal }) => {
        await requireKnown(context, principal, personId)
        return answerCard(context.db, { ...query, personId }, askerOf(context, principal, 'names'))
      }
    })
  }
}
