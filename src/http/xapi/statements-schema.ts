import { createHash } from 'node:crypto'
import { type TSchema, Type } from 'typebox'
import { Failure, failures, versionHeader } from './failure-schema.js'
import { exampleStatement, Statement } from './statement-shape.js'

/**
 * The Statement Resource as the OpenAPI document describes it. These schemas neither check nor write anything: the
 * standard's own rules do, and statements leave as they came.
 */

const attachment = 'Ada opened the module.'

/** The same as JSON, or as the first part of multipart/mixed, with attachments in the parts behind it. */
function withAttachments(json: TSchema, example: unknown, description: string) {
  const sent = multipart(JSON.stringify(example))
  const parts = Type.Unsafe<unknown>({ type: 'string', format: 'binary', description, examples: [sent] })
  return {
    content: {
      'application/json': { schema: { ...json, examples: [example] }, example },
      'multipart/mixed': { schema: parts, example: sent }
    }
  }
}

function multipart(json: string): string {
  const first = ['--boundary', 'Content-Type: application/json', '', json]
  const second = [
    '--boundary',
    'Content-Type: text/plain',
    'Content-Transfer-Encoding: binary',
    `X-Experience-API-Hash: ${createHash('sha256').update(attachment).digest('hex')}`,
    '',
    attachment
  ]
  return [...first, ...second, '--boundary--', ''].join('\r\n')
}

const sentParts =
  'The statements as application/json, then a part for each attachment with Content-Transfer-Encoding: binary and ' +
  'X-Experience-API-Hash, its SHA-2 in hexadecimal digits'

export const postStatementsSchema = {
  operationId: 'postStatements',
  tags: ['xAPI'],
  summary: 'Store a statement, or a batch of which all are stored or none',
  description:
    'Wants the scope `statements/write`. A statement that is stored already, with the same id and meaning, is accepted again and changes nothing; a different one with a known id is refused with 409.',
  headers: versionHeader,
  body: withAttachments(Type.Union([Statement, Type.Array(Statement)]), [exampleStatement], sentParts),
  response: {
    200: Type.Array(Type.String({ format: 'uuid' }), {
      description: 'The ids of the statements, in their order',
      examples: [[exampleStatement.id]]
    }),
    ...failures,
    409: Failure
  }
}

export const putStatementSchema = {
  operationId: 'putStatement',
  tags: ['xAPI'],
  summary: 'Store one statement under its id',
  description:
    'Wants the scope `statements/write`. The same as posting it with this id, so it can be sent again safely.',
  headers: versionHeader,
  querystring: Type.Object({ statementId: Type.String({ format: 'uuid', description: 'The id of the statement' }) }),
  body: withAttachments(Statement, exampleStatement, sentParts),
  response: { 204: Type.Null(), ...failures, 409: Failure }
}

export const getStatementsSchema = {
  operationId: 'getStatements',
  tags: ['xAPI'],
  summary: 'One statement by its id, or statements by a filter, newest first',
  description:
    'Wants the scope `statements/read`, or `statements/read/mine` for those whose authority is the credential. Everything that was acknowledged before the instant of the header `X-Experience-API-Consistent-Through` is in the answer. Pages are followed by `more` until it is empty.',
  headers: versionHeader,
  querystring: Type.Object({
    statementId: Type.Optional(Type.String({ format: 'uuid', description: 'Of one statement that is not voided' })),
    voidedStatementId: Type.Optional(Type.String({ format: 'uuid', description: 'Of one statement that is voided' })),
    agent: Type.Optional(Type.String({ description: 'Agent or identified Group, as JSON: is actor or object' })),
    verb: Type.Optional(Type.String({ format: 'iri', description: 'The id of the verb' })),
    activity: Type.Optional(Type.String({ format: 'iri', description: 'The object of the statement' })),
    registration: Type.Optional(Type.String({ format: 'uuid', description: 'The registration of the context' })),
    related_activities: Type.Optional(
      Type.Boolean({ default: false, description: 'true: `activity` may stand anywhere in the statement' })
    ),
    related_agents: Type.Optional(
      Type.Boolean({ default: false, description: 'true: `agent` may stand anywhere in the statement' })
    ),
    since: Type.Optional(Type.String({ format: 'date-time', description: 'Stored after this instant' })),
    until: Type.Optional(Type.String({ format: 'date-time', description: 'Stored at or before this instant' })),
    limit: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Statements on a page; 0 is as many as the service gives' })
    ),
    ascending: Type.Optional(Type.Boolean({ default: false, description: 'true: oldest first' })),
    format: Type.Optional(
      Type.Enum(['exact', 'ids', 'canonical'], {
        type: 'string',
        default: 'exact',
        description:
          '`exact`: as stored. `ids`: agents, activities and verbs by their identifiers alone. `canonical`: what is known of them by now, in the language that Accept-Language prefers.'
      })
    ),
    attachments: Type.Optional(
      Type.Boolean({ default: false, description: 'true answers multipart/mixed, with the attachments as parts' })
    ),
    cursor: Type.Optional(Type.String({ description: 'Set by the service in a "more" link' }))
  }),
  response: {
    200: {
      description: 'The statement, or a page of them',
      ...withAttachments(
        Type.Union([
          Statement,
          Type.Object(
            {
              statements: Type.Array(Statement),
              more: Type.String({ description: 'Relative address of the next page; empty on the last' })
            },
            { title: 'StatementResult', description: 'A page of statements' }
          )
        ]),
        { statements: [exampleStatement], more: '' },
        'With attachments=true: the same as application/json, then a part for each attachment'
      )
    },
    ...failures,
    404: Failure
  }
}
