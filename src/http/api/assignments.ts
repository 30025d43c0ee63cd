import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import { LrsError } from '../../errors.js'
import { deleteAssignment } from '../../people/delete-assignment.js'
import { findAssignments } from '../../people/find-assignments.js'
import { putAssignments } from '../../people/put-assignments.js'
import type { HttpContext } from '../context.js'
import { access } from '../scopes.js'
import { assignmentKind } from './assignments-record.js'
import { deleteAssignmentSchema, findAssignmentsSchema, putAssignmentsSchema } from './assignments-schema.js'
import { readCursor, writeCursor } from './name-cursor.js'
import { receiveRecords, recordTypes, withPlace } from './record-body.js'

const readers = { scopes: access.people.read }
const writers = { scopes: access.people.write }

/** Assignments: what an LMS has enrolled people for, and which manager checks are due. */
export function assignmentRoutes(context: HttpContext): FastifyPluginAsyncTypebox {
  const { db } = context
  return async app => {
    await app.register(putAssignmentsRoute(context))
    app.get('/assignments', {
      schema: findAssignmentsSchema,
      config: readers,
      handler: async ({ principal, query }) => {
        const { limit = 100, cursor, ...filter } = query
        const after = cursor === undefined ? {} : { after: readCursor(cursor) }
        const { assignments, next } = await findAssignments(db, principal.tenantId, { ...filter, ...after, limit })
        return { assignments, nextCursor: next === null ? null : writeCursor(next) }
      }
    })
    app.delete('/assignments/:assignmentId', {
      schema: deleteAssignmentSchema,
      config: writers,
      handler: async ({ principal, params: { assignmentId } }, reply) => {
        const isKnown = await deleteAssignment(db, principal.tenantId, assignmentId)
        if (!isKnown) throw new LrsError('not-found', `There is no assignment "${assignmentId}"`)
        return reply.code(204).send(null)
      }
    })
  }
}

/** In a scope of its own, where bodies are handed on as they arrive. */
function putAssignmentsRoute({ db, config }: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser([...recordTypes], (_request, payload, done) => done(null, payload))
    app.put('/assignments', {
      schema: putAssignmentsSchema,
      config: writers,
      // Of a body that is decompressed; the formats have their own limits on the way.
      bodyLimit: Math.max(config.maxPeopleBytes, config.maxBodyBytes),
      validatorCompiler: route => (route.httpPart === 'body' ? () => true : TypeBoxValidatorCompiler(route)),
      handler: async request => {
        const { records, places } = await receiveRecords(request, assignmentKind, config)
        const dryRun = request.query.dryRun ?? false
        try {
          const { changes, ...counts } = await putAssignments(db, request.principal.tenantId, records, { dryRun })
          return dryRun ? { ...counts, changes } : counts
        } catch (error) {
          throw withPlace(error, places)
        }
      }
    })
  }
}
