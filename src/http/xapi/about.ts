import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { servedVersions } from './version.js'

/** The About Resource: open to everybody, and without a version header. @see xAPI 1.0.3 Communication 2.8 */
export function aboutRoutes(app: FastifyInstance): void {
  app.get('/about', {
    schema: {
      operationId: 'getAbout',
      tags: ['xAPI'],
      summary: 'The versions of xAPI that are served',
      security: [],
      response: { 200: Type.Object({ version: Type.Array(Type.String()) }) }
    },
    handler: async (_request, reply) =>
      reply.type('application/json; charset=utf-8').send(JSON.stringify({ version: servedVersions }))
  })
}
