import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LrsError } from '../../errors.js'
import { recordStatements } from '../../rollup/record-statements.js'
import { consistentThrough } from '../../store/consistent-through.js'
import { findStatement, findStatements } from '../../store/find-statements.js'
import { isUuid } from '../../xapi/formats.js'
import { parseStatements, type ReceivedStatement } from '../../xapi/parse.js'
import { type PreparedStatement, prepareStatement } from '../../xapi/prepare.js'
import { validateStatement } from '../../xapi/validate.js'
import type { HttpContext } from '../context.js'
import { decodeJsonBody } from './body.js'
import { formatCursor, parseStatementQuery, type StatementQuery } from './statement-query.js'
import { getStatementsSchema, postStatementsSchema, putStatementSchema } from './statements-schema.js'

/** The Statement Resource. @see xAPI 1.0.3 Communication 2.1 */
export function statementRoutes(app: FastifyInstance, context: HttpContext): void {
  app.post('/statements', {
    schema: postStatementsSchema,
    config: { scopes: ['statements/write'] },
    handler: async (request, reply) => {
      refuseParameters(request, [])
      const statements = prepareAll(context, request)
      await record(context, request, statements)
      return sendJson(reply, JSON.stringify(statements.map(statement => statement.id)))
    }
  })
  app.put('/statements', {
    schema: putStatementSchema,
    config: { scopes: ['statements/write'] },
    handler: async (request, reply) => {
      const id = requireStatementId(request)
      const statements = prepareAll(context, request, id)
      if (statements.length !== 1 || bodyIsList(request)) {
        throw new LrsError('invalid-statement', 'PUT takes one statement, not a list', {
          pointer: '',
          rule: 'xAPI 1.0.3 Communication 2.1.1 one-statement'
        })
      }
      await record(context, request, statements)
      return reply.code(204).send()
    }
  })
  app.get('/statements', {
    schema: getStatementsSchema,
    config: { scopes: ['statements/read'] },
    handler: async (request, reply) => {
      const query = parseStatementQuery(request.query as Record<string, unknown>, context.config.maxPageStatements)
      reply.header('X-Experience-API-Consistent-Through', await consistentThrough(context.db))
      return sendJson(reply, await answer(context, request, query))
    }
  })
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

function prepareAll(context: HttpContext, request: FastifyRequest, id?: string): readonly PreparedStatement[] {
  const { maxBatchStatements, maxJsonDepth } = context.config
  const received = parseStatements(decodeJsonBody(request), {
    maxStatements: maxBatchStatements,
    maxDepth: maxJsonDepth
  })
  const statements = received.map((statement, index) => prepareOne(context, request, statement, { index, id }))
  refuseRepeatedIds(statements)
  return statements
}

function prepareOne(
  { makeId }: HttpContext,
  { principal }: FastifyRequest,
  received: ReceivedStatement,
  { index, id }: { readonly index: number; readonly id: string | undefined }
): PreparedStatement {
  const violation = validateStatement(received.value, '1.0.3')
  if (violation !== null) {
    const { message, ...place } = violation
    throw new LrsError('invalid-statement', `Statement ${index}: ${message}`, { index, ...place })
  }
  return prepareStatement(received, {
    ...(id === undefined ? {} : { id }),
    makeId,
    authority: principal.authority,
    version: '1.0.3'
  })
}

async function record(
  context: HttpContext,
  request: FastifyRequest,
  statements: readonly PreparedStatement[]
): Promise<void> {
  if (statements.length === 0) return
  await recordStatements(context.db, request.principal.tenantId, statements)
  context.wakeWorker()
}

function refuseRepeatedIds(statements: readonly PreparedStatement[]): void {
  const seen = new Set<string>()
  for (const [index, { id }] of statements.entries()) {
    if (seen.has(id)) {
      throw new LrsError('invalid-statement', `Statement ${index}: the id ${id} stands in the batch twice`, {
        index,
        pointer: '/id',
        rule: 'xAPI 1.0.3 Communication 2.1.2 unique-ids'
      })
    }
    seen.add(id)
  }
}

function requireStatementId(request: FastifyRequest): string {
  refuseParameters(request, ['statementId'])
  const { statementId } = request.query as Record<string, unknown>
  if (typeof statementId === 'string' && isUuid(statementId)) return statementId.toLowerCase()
  throw new LrsError('invalid-parameter', 'PUT needs the parameter statementId, once, with a UUID', {
    pointer: '/statementId'
  })
}

function refuseParameters(request: FastifyRequest, known: readonly string[]): void {
  for (const name of Object.keys(request.query as Record<string, unknown>)) {
    if (known.includes(name)) continue
    const message = `${request.method} of statements has no parameter ${name}`
    throw new LrsError('invalid-parameter', message, { pointer: `/${name}` })
  }
}

function bodyIsList(request: FastifyRequest): boolean {
  return decodeJsonBody(request).trimStart().startsWith('[')
}

function sendJson(reply: FastifyReply, json: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(json)
}
