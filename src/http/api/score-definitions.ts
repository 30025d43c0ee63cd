import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { findDefinition } from '../../scores/find-definition.js'
import { putDefinition } from '../../scores/put-definition.js'
import { findScore } from '../../scores/score-catalogue.js'
import type { HttpContext } from '../context.js'
import { access } from '../scopes.js'
import { problemResponses } from './problem-schema.js'
import { DefinitionQuery, NewDefinitionBody, SavedDefinitionBody, ScoreParameter } from './scores-schema.js'

const tags = ['Scores']

/** The definitions of scores, in versions. */
export function scoreDefinitionRoutes({ db }: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.get('/scores/:scoreId/definition', {
      schema: {
        operationId: 'getScoreDefinition',
        tags,
        summary: 'Read the definition of a score',
        description:
          'The one in force, or one of its versions; version 1 is the program’s own. Wants one of the scopes `metrics/read`, `people/read`, `line/read` and `self/read`.',
        params: ScoreParameter,
        querystring: DefinitionQuery,
        response: { 200: SavedDefinitionBody, ...problemResponses(400, 401, 403, 404) }
      },
      config: { scopes: access.catalogue.read },
      handler: async ({ params, query: { version }, principal }) => {
        const score = findScore(params.scoreId)
        return { score: score.id, ...(await findDefinition(db, principal.tenantId, score, version)) }
      }
    })
    app.put('/scores/:scoreId/definition', {
      schema: {
        operationId: 'putScoreDefinition',
        tags,
        summary: 'Put a definition of a score in force',
        description:
          'As a new version; older ones stay, and `definitionVersion` has their answers again. The same as the one in force makes no new version. Wants the scope `admin`.',
        params: ScoreParameter,
        body: NewDefinitionBody,
        response: { 200: SavedDefinitionBody, ...problemResponses(400, 401, 403, 404) }
      },
      config: { scopes: access.scoreDefinitions.write },
      handler: async ({ params, body, principal: { tenantId, key } }) => {
        const score = findScore(params.scoreId)
        return { score: score.id, ...(await putDefinition(db, tenantId, { score, given: body, createdBy: key })) }
      }
    })
  }
}
