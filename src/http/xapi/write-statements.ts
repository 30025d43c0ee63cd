import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LrsError } from '../../errors.js'
import { recordStatements } from '../../rollup/record-statements.js'
import { parseStatements, type ReceivedStatement } from '../../xapi/parse.js'
import { type PreparedStatement, prepareStatement } from '../../xapi/prepare.js'
import { validateStatement } from '../../xapi/validate.js'
import type { HttpContext } from '../context.js'
import { decodeJsonBody } from './body.js'
import { type Parameters, readUuid, refuseUnknown, requireParameter } from './parameters.js'
import { postStatementsSchema, putStatementSchema } from './statements-schema.js'

/** Storing statements. @see xAPI 1.0.3 Communication 2.1.1 and 2.1.2 */
export function statementWriteRoutes(app: FastifyInstance, context: HttpContext): void {
  app.post('/statements', {
    schema: postStatementsSchema,
    config: { scopes: ['statements/write'] },
    handler: async (request, reply) => {
      refuseUnknown(request.query as Parameters, [])
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
  { principal, xapiVersion }: FastifyRequest,
  received: ReceivedStatement,
  { index, id }: { readonly index: number; readonly id: string | undefined }
): PreparedStatement {
  const violation = validateStatement(received.value, xapiVersion)
  if (violation !== null) {
    const { message, ...place } = violation
    throw new LrsError('invalid-statement', `Statement ${index}: ${message}`, { index, ...place })
  }
  return prepareStatement(received, {
    ...(id === undefined ? {} : { id }),
    makeId,
    authority: principal.authority,
    version: xapiVersion
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
  const given = request.query as Parameters
  refuseUnknown(given, ['statementId'])
  return requireParameter(given, 'statementId', readUuid)
}

function bodyIsList(request: FastifyRequest): boolean {
  return decodeJsonBody(request).trimStart().startsWith('[')
}

function sendJson(reply: FastifyReply, json: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(json)
}
