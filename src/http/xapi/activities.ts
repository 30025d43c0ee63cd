import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { findDefinition } from '../../store/find-descriptions.js'
import type { HttpContext } from '../context.js'
import { access } from '../scopes.js'
import { Failure, failures, versionHeader } from './failure-schema.js'
import { type Parameters, readIri, refuseUnknown, requireParameter } from './parameters.js'
import { answerTagged, jsonRepresentation } from './tagged.js'

const schema = {
  operationId: 'getActivity',
  tags: ['xAPI'],
  summary: 'An activity with the definition that all statements together have given it',
  description: 'Wants the scope `statements/read` or `profile/read`. One that no statement names has its id alone.',
  headers: versionHeader,
  querystring: Type.Object({ activityId: Type.String({ format: 'iri', description: 'The id of the activity' }) }),
  response: {
    200: Type.Object(
      {
        objectType: Type.Literal('Activity'),
        id: Type.String(),
        definition: Type.Optional(Type.Unknown({ description: 'Every language that is known; absent when nothing is' }))
      },
      {
        title: 'KnownActivity',
        description: 'An activity, and what is known of it',
        examples: [
          {
            objectType: 'Activity',
            id: 'https://example.org/modules/feedback',
            definition: { name: { en: 'Giving feedback', de: 'Feedback geben' } }
          }
        ]
      }
    ),
    304: Type.Null({ description: 'The answer has a tag of If-None-Match' }),
    ...failures,
    412: Failure
  }
}

/**
 * The Activities Resource: an activity with its canonical definition, in every language; one that nobody has defined
 * or even named has its id alone.
 *
 * @see xAPI 1.0.3 Communication 2.5
 */
export function activityRoutes(app: FastifyInstance, { db }: HttpContext): void {
  app.get('/activities', {
    schema,
    config: { scopes: access.activities.read },
    handler: async (request, reply) => {
      const given = request.query as Parameters
      refuseUnknown(given, ['activityId'])
      const id = requireParameter(given, 'activityId', readIri)
      const known = await findDefinition(db, request.principal.tenantId, id)
      // The definition goes out as the text that it is stored as: parsing it would lose digits and the order of keys.
      const definition = known === null ? '' : `,"definition":${known.definition}`
      const json = `{"objectType":"Activity","id":${JSON.stringify(id)}${definition}}`
      return answerTagged(request, reply, jsonRepresentation(json, known?.updated))
    }
  })
}
