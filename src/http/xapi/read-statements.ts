import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LrsError } from '../../errors.js'
import { consistentThrough } from '../../store/consistent-through.js'
import { findStatement, findStatements } from '../../store/find-statements.js'
import type { HttpContext } from '../context.js'
import type { Parameters } from './parameters.js'
import { formatCursor, parseStatementQuery, type StatementQuery } from './statement-query.js'
import { getStatementsSchema } from './statements-schema.js'

/** Reading statements. @see xAPI 1.0.3 Communication 2.1.3 */
export function statementReadRoutes(app: FastifyInstance, context: HttpContext): void {
  app.get('/statements', {
    schema: getStatementsSchema,
    config: { scopes: ['statements/read'] },
    handler: async (request, reply) => {
      const query = parseStatementQuery(request.query as Parameters, {
        version: request.xapiVersion,
        maxPage: context.config.maxPageStatements
      })
      return sendJson(reply, await answer(context, request, query))
    }
  })
}

/**
 * Makes the hook that says in every answer of the Statement Resource, failures too, up to when it is complete. It asks
 * before the statements are read, so that the answer holds all that it claims to.
 *
 * @see xAPI 1.0.3 Communication 2.1.3
 */
export function answerConsistency({ db }: HttpContext) {
  return async (_request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    reply.header('X-Experience-API-Consistent-Through', await consistentThrough(db))
  }
}

async function answer(context: HttpContext, request: FastifyRequest, query: StatementQuery): Promise<string> {
  const { tenantId } = request.principal
  if (query.by === 'id') {
    const text = await findStatement(context.db, tenantId, query.id, query.wanted)
    if (text !== null) return text
    throw new LrsError('not-found', `There is no ${query.wanted === 'voided' ? 'voided ' : ''}statement ${query.id}`)
  }
  const { texts, next } = await findStatements(context.db, tenantId, query.filter, query.page)
  const more = next === null ? '' : moreLink(request, formatCursor(next))
  // The stored texts are joined as they are: parsing and writing them anew would lose digits and the order of keys.
  return `{"statements":[${texts.join(',')}],"more":${JSON.stringify(more)}}`
}

/** The same request with a cursor: the answer needs no memory on the server, and is authorised like the first. */
function moreLink(request: FastifyRequest, cursor: string): string {
  const [path = '', search = ''] = request.url.split('?')
  const parameters = new URLSearchParams(search)
  parameters.set('cursor', cursor)
  return `${path}?${parameters}`
}

function sendJson(reply: FastifyReply, json: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(json)
}
