import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LrsError } from '../../errors.js'
import { parseStatements, type ReceivedStatement } from '../../xapi/parse.js'
import { type PreparedStatement, prepareStatement } from '../../xapi/prepare.js'
import { validateStatement } from '../../xapi/validate.js'
import type { HttpContext } from '../context.js'
import type { Measures } from '../measures.js'
import { access } from '../scopes.js'
import { checkAttachments } from './check-attachments.js'
import { type Parameters, readUuid, refuseUnknown, requireParameter } from './parameters.js'
import { acceptMultipart, receiveStatements } from './receive-statements.js'
import { recorder } from './recorder.js'
import { postStatementsSchema, putStatementSchema } from './statements-schema.js'

/** Storing statements. @see xAPI 1.0.3 Communication 2.1.1 and 2.1.2 */
export function statementWriteRoutes(app: FastifyInstance, context: HttpContext, measures: Measures): void {
  acceptMultipart(app)
  const record = recorder(context, measures)
  app.post('/statements', {
    schema: postStatementsSchema,
    config: { scopes: access.statements.write },
    handler: async (request, reply) => {
      refuseUnknown(request.query as Parameters, [])
      const ids = await store({ context, record, request }, text => prepareAll(context, request, text))
      return sendJson(reply, JSON.stringify(ids))
    }
  })
  app.put('/statements', {
    schema: putStatementSchema,
    config: { scopes: access.statements.write },
    handler: async (request, reply) => {
      const id = requireStatementId(request)
      await store({ context, record, request }, text => prepareOnly(context, request, text, id))
      return reply.code(204).send()
    }
  })
}

interface Storing {
  readonly context: HttpContext
  readonly record: ReturnType<typeof recorder>
  readonly request: FastifyRequest
}

/** Receives, checks and records what a request brings; the ids are those of its statements in their order. */
async function store(
  { context, record, request }: Storing,
  prepare: (text: string) => readonly PreparedStatement[]
): Promise<readonly string[]> {
  return receiveStatements(request, context.config, prepare, async brought => {
    const { statements, attachments } = brought
    await checkAttachments(statements, attachments, {
      version: request.xapiVersion,
      maxJsonDepth: context.config.maxJsonDepth,
      maxSignatureBytes: context.config.maxBodyBytes
    })
    await record(brought, request.principal)
    return statements.map(({ id }) => id)
  })
}

function prepareOnly(
  context: HttpContext,
  request: FastifyRequest,
  text: string,
  id: string
): readonly PreparedStatement[] {
  const statements = prepareAll(context, request, text, id)
  if (statements.length === 1 && !text.trimStart().startsWith('[')) return statements
  throw new LrsError('invalid-statement', 'PUT takes one statement, not a list', {
    pointer: '',
    rule: 'xAPI 1.0.3 Communication 2.1.1 one-statement'
  })
}

function prepareAll(
  context: HttpContext,
  request: FastifyRequest,
  text: string,
  id?: string
): readonly PreparedStatement[] {
  const { maxBatchStatements, maxJsonDepth } = context.config
  const received = parseStatements(text, { maxStatements: maxBatchStatements, maxDepth: maxJsonDepth })
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
    keepsAuthority: principal.mayAssertAuthority,
    version: xapiVersion
  })
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

function sendJson(reply: FastifyReply, json: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(json)
}
