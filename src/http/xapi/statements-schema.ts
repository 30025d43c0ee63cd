import { type TSchema, Type } from 'typebox'
import { Failure, failures, versionHeader } from './failure-schema.js'

/**
 * The Statement Resource as the OpenAPI document describes it. These schemas neither check nor write anything: the
 * standard's own rules do, and statements leave as they came.
 */
const Statement = Type.Unsafe<unknown>({
  type: 'object',
  description: 'An xAPI statement',
  additionalProperties: true,
  required: ['actor', 'verb', 'object'],
  examples: [
    {
      actor: { mbox: 'mailto:ada@example.org' },
      verb: { id: 'https://w3id.org/momentum-lrs/verbs/opened' },
      object: { id: 'https://example.org/modules/feedback' }
    }
  ]
})

/** The same as JSON, or as the first part of multipart/mixed, with attachments in the parts behind it. */
function withAttachments(json: TSchema, description: string) {
  return {
    content: {
      'application/json': { schema: json },
      'multipart/mixed': { schema: Type.Unsafe<unknown>({ type: 'string', format: 'binary', description }) }
    }
  }
}

const sentParts =
  'The statements as application/json, then a part for each attachment with Content-Transfer-Encoding: binary and ' +
  'X-Experience-API-Hash, its SHA-2 in hexadecimal digits'

export const postStatementsSchema = {
  operationId: 'postStatements',
  tags: ['xAPI'],
  summary: 'Store a statement, or a batch of which all are stored or none',
  headers: versionHeader,
  body: withAttachments(Type.Union([Statement, Type.Array(Statement)]), sentParts),
  response: { 200: Type.Array(Type.String({ format: 'uuid' })), ...failures, 409: Failure }
}

export const putStatementSchema = {
  operationId: 'putStatement',
  tags: ['xAPI'],
  summary: 'Store one statement under its id',
  headers: versionHeader,
  querystring: Type.Object({ statementId: Type.String({ format: 'uuid' }) }),
  body: withAttachments(Statement, sentParts),
  response: { 204: Type.Null(), ...failures, 409: Failure }
}

export const getStatementsSchema = {
  operationId: 'getStatements',
  tags: ['xAPI'],
  summary: 'One statement by its id, or statements by a filter, newest first',
  headers: versionHeader,
  querystring: Type.Object({
    statementId: Type.Optional(Type.String({ format: 'uuid' })),
    voidedStatementId: Type.Optional(Type.String({ format: 'uuid' })),
    agent: Type.Optional(Type.String({ description: 'Agent or identified Group, as JSON: is actor or object' })),
    verb: Type.Optional(Type.String({ format: 'iri' })),
    activity: Type.Optional(Type.String({ format: 'iri', description: 'The object of the statement' })),
    registration: Type.Optional(Type.String({ format: 'uuid' })),
    since: Type.Optional(Type.String({ format: 'date-time', description: 'Stored after this instant' })),
    until: Type.Optional(Type.String({ format: 'date-time', description: 'Stored at or before this instant' })),
    limit: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Statements on a page; 0 is as many as the service gives' })
    ),
    ascending: Type.Optional(Type.Boolean({ default: false })),
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
          Type.Object({
            statements: Type.Array(Statement),
            more: Type.String({ description: 'Relative address of the next page; empty on the last' })
          })
        ]),
        'With attachments=true: the same as application/json, then a part for each attachment'
      )
    },
    ...failures,
    404: Failure
  }
}
