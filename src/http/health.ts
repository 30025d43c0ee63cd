import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { LrsError } from '../errors.js'
import type { HttpContext } from './context.js'

const Health = Type.Object(
  { status: Type.Literal('ok') },
  { title: 'Health', description: 'It does', examples: [{ status: 'ok' }] }
)

/** Liveness and readiness, open to everybody. */
export function healthRoutes({ db }: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.get('/health/live', {
      schema: {
        operationId: 'getLiveness',
        tags: ['health'],
        summary: 'The process runs',
        description: 'For a supervisor that restarts what has hung. It asks nothing of the database.',
        security: [],
        response: { 200: Health }
      },
      handler: async () => ({ status: 'ok' as const })
    })
    app.get('/health/ready', {
      schema: {
        operationId: 'getReadiness',
        tags: ['health'],
        summary: 'The service can answer: its database does',
        description: 'For a load balancer: 503 while the database does not answer.',
        security: [],
        response: { 200: Health }
      },
      handler: async () => {
        await sql`select 1`.execute(db).catch(cause => {
          throw new LrsError('not-ready', 'The database does not answer', {}, { cause })
        })
        return { status: 'ok' as const }
      }
    })
  }
}
