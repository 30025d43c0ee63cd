import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { Failure } from './failure-schema.js'
import { type Parameters, refuseUnknown } from './parameters.js'
import { servedVersions } from './version.js'

const about = JSON.stringify({
  version: servedVersions,
  extensions: { 'https://w3id.org/momentum-lrs/extensions/product': 'Momentum LRS' }
})

/**
 * The About Resource: open to everybody, and whatever the version header says.
 *
 * It names the product and not its own version: that would tell an attacker who has no credential what to try.
 *
 * @see xAPI 1.0.3 Communication 2.8
 */
export function aboutRoutes(app: FastifyInstance): void {
  app.get('/about', {
    schema: {
      operationId: 'getAbout',
      tags: ['xAPI'],
      summary: 'The versions of xAPI that are served',
      description: 'Open to everybody, and answered whatever the version header says.',
      security: [],
      response: {
        200: Type.Object(
          {
            version: Type.Array(Type.String()),
            extensions: Type.Record(Type.String(), Type.Unknown(), { description: 'By IRI' })
          },
          { title: 'About', description: 'The versions that are served', examples: [JSON.parse(about)] }
        ),
        400: Failure
      }
    },
    handler: async (request, reply) => {
      refuseUnknown(request.query as Parameters, [])
      return reply.type('application/json; charset=utf-8').send(about)
    }
  })
}
