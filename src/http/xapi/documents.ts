import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { DocumentResource } from '../../database/schema.js'
import { LrsError } from '../../errors.js'
import { deleteDocument, deleteDocuments } from '../../store/delete-documents.js'
import type { DocumentAddress, DocumentContext, StoredDocument } from '../../store/document.js'
import { findDocument, findDocumentIds } from '../../store/find-document.js'
import { type NewDocument, putDocument } from '../../store/put-document.js'
import { isMediaType } from '../../xapi/formats.js'
import { mergeObjects } from '../../xapi/merge.js'
import { meetsPreconditions, type Preconditions, parseEntityTags } from '../../xapi/precondition.js'
import { rulesOf } from '../../xapi/version.js'
import type { HttpContext } from '../context.js'
import { documentSchema } from './documents-schema.js'
import {
  type Parameters,
  readAgent,
  readInstant,
  readIri,
  readParameter,
  readText,
  readUuid,
  refuseUnknown,
  requireParameter
} from './parameters.js'

/** One of the three document resources. */
export interface ResourceShape {
  readonly resource: DocumentResource
  readonly path: string
  /** The parameter with the document's id. */
  readonly idParameter: 'stateId' | 'profileId'
  /** The parameters that name the context, in the order of the standard. */
  readonly contextParameters: readonly string[]
  readonly readScopes: readonly string[]
  readonly writeScopes: readonly string[]
}

const resources: readonly ResourceShape[] = [
  {
    resource: 'state',
    path: '/activities/state',
    idParameter: 'stateId',
    contextParameters: ['activityId', 'agent', 'registration'],
    readScopes: ['state', 'state/read'],
    writeScopes: ['state']
  },
  {
    resource: 'activity-profile',
    path: '/activities/profile',
    idParameter: 'profileId',
    contextParameters: ['activityId'],
    readScopes: ['profile', 'profile/read', 'activities_profile'],
    writeScopes: ['profile', 'activities_profile']
  },
  {
    resource: 'agent-profile',
    path: '/agents/profile',
    idParameter: 'profileId',
    contextParameters: ['agent'],
    readScopes: ['profile', 'profile/read', 'agents_profile'],
    writeScopes: ['profile', 'agents_profile']
  }
]

/** The State, Activity Profile and Agent Profile Resources. @see xAPI 1.0.3 Communication 2.2, 2.3, 2.6, 2.7 */
export function documentRoutes(app: FastifyInstance, context: HttpContext): void {
  for (const shape of resources) {
    const { path, readScopes, writeScopes } = shape
    const write = { config: { scopes: writeScopes } }
    app.get(path, {
      schema: documentSchema(shape, 'get'),
      config: { scopes: readScopes },
      handler: (request, reply) => get(context, shape, request, reply)
    })
    app.put(path, {
      schema: documentSchema(shape, 'put'),
      ...write,
      handler: (request, reply) => put(context, shape, request, reply)
    })
    app.post(path, {
      schema: documentSchema(shape, 'post'),
      ...write,
      handler: (request, reply) => merge(context, shape, request, reply)
    })
    app.delete(path, {
      schema: documentSchema(shape, 'delete'),
      ...write,
      handler: (request, reply) => remove(context, shape, request, reply)
    })
  }
}

async function get({ db }: HttpContext, shape: ResourceShape, request: FastifyRequest, reply: FastifyReply) {
  const given = request.query as Parameters
  if (given[shape.idParameter] === undefined) {
    refuseUnknown(given, [...shape.contextParameters, 'since'])
    const since = readParameter(given, 'since', readInstant) ?? null
    const { ids, updated } = await findDocumentIds(db, readContext(shape, request), since)
    if (updated !== null) reply.header('Last-Modified', new Date(updated).toUTCString())
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(ids))
  }
  const document = await findDocument(db, readAddress(shape, request))
  if (document === null) throw new LrsError('not-found', 'There is no such document')
  return reply
    .header('ETag', `"${document.etag}"`)
    .header('Last-Modified', new Date(document.updated).toUTCString())
    .header('Content-Type', document.contentType)
    .send(document.content)
}

async function put({ db }: HttpContext, shape: ResourceShape, request: FastifyRequest, reply: FastifyReply) {
  const address = readAddress(shape, request)
  const preconditions = readPreconditions(request)
  const next = readDocument(request)
  await putDocument(db, address, existing => {
    if (preconditions.ifMatch === null && preconditions.ifNoneMatch === null) {
      refuseUnconditional(shape, request, existing)
    }
    refuseUnmet(preconditions, existing?.etag ?? null)
    return next
  })
  return reply.code(204).send()
}

async function merge({ db }: HttpContext, shape: ResourceShape, request: FastifyRequest, reply: FastifyReply) {
  const address = readAddress(shape, request)
  const preconditions = readPreconditions(request)
  const posted = readDocument(request)
  await putDocument(db, address, existing => {
    refuseUnmet(preconditions, existing?.etag ?? null)
    return existing === null ? refuseBrokenJson(posted) : merged(existing, posted)
  })
  return reply.code(204).send()
}

async function remove({ db }: HttpContext, shape: ResourceShape, request: FastifyRequest, reply: FastifyReply) {
  const given = request.query as Parameters
  if (shape.resource === 'state' && given.stateId === undefined) {
    refuseUnknown(given, shape.contextParameters)
    await deleteDocuments(db, readContext(shape, request))
  } else {
    const preconditions = readPreconditions(request)
    await deleteDocument(db, readAddress(shape, request), etag => refuseUnmet(preconditions, etag))
  }
  return reply.code(204).send()
}

/** A PUT that says nothing of what it expects would overwrite what another client has just written. */
function refuseUnconditional(shape: ResourceShape, request: FastifyRequest, existing: StoredDocument | null): void {
  const { stateMayBeOverwritten, profileNeedsPrecondition } = rulesOf(request.xapiVersion)
  if (existing === null) {
    if (shape.resource === 'state' || !profileNeedsPrecondition) return
    throw new LrsError('precondition-required', 'A new profile needs If-None-Match: * (or If-Match to replace one)')
  }
  if (shape.resource === 'state' && stateMayBeOverwritten) return
  throw new LrsError(
    'document-conflict',
    'The document exists: fetch it, and send its ETag as If-Match, or If-None-Match: * to write only a new one'
  )
}

function refuseUnmet(preconditions: Preconditions, etag: string | null): void {
  if (meetsPreconditions(preconditions, etag)) return
  throw new LrsError(
    'precondition-failed',
    `The document ${etag === null ? 'does not exist' : `has the ETag "${etag}"`}`
  )
}

function merged(existing: StoredDocument, posted: NewDocument): NewDocument {
  const text = [existing, posted].every(isJson)
    ? mergeObjects(existing.content.toString(), jsonText(posted.content))
    : null
  if (text === null) {
    throw new LrsError(
      'invalid-body',
      'POST merges JSON objects: the stored document, the posted one and both content types must be such'
    )
  }
  return { contentType: posted.contentType, content: Buffer.from(text) }
}

function refuseBrokenJson(document: NewDocument): NewDocument {
  if (isJson(document)) jsonText(document.content)
  return document
}

function isJson({ contentType }: NewDocument): boolean {
  return /^application\/json\s*(;|$)/i.test(contentType)
}

function jsonText(content: Buffer): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(content)
    JSON.parse(text)
    return text
  } catch (cause) {
    throw new LrsError('invalid-json', `The document is declared as JSON but is not: ${String(cause)}`, {}, { cause })
  }
}

function readDocument(request: FastifyRequest): NewDocument {
  const contentType = request.headers['content-type'] ?? ''
  if (!isMediaType(contentType)) {
    throw new LrsError('invalid-header', `The Content-Type "${contentType}" is not a media type`)
  }
  return { contentType, content: (request.body as Buffer | undefined) ?? Buffer.alloc(0) }
}

function readPreconditions({ headers }: FastifyRequest): Preconditions {
  return {
    ifMatch: parseEntityTags(headers['if-match']),
    ifNoneMatch: parseEntityTags(headers['if-none-match'])
  }
}

function readAddress(shape: ResourceShape, request: FastifyRequest): DocumentAddress {
  const given = request.query as Parameters
  refuseUnknown(given, [...shape.contextParameters, shape.idParameter])
  return { ...readContext(shape, request), documentId: requireParameter(given, shape.idParameter, readText) }
}

function readContext({ resource, contextParameters }: ResourceShape, request: FastifyRequest): DocumentContext {
  const given = request.query as Parameters
  const takes = (name: string) => contextParameters.includes(name)
  return {
    tenantId: request.principal.tenantId,
    resource,
    activity: takes('activityId') ? requireParameter(given, 'activityId', readIri) : null,
    agent: takes('agent') ? requireParameter(given, 'agent', readAgent(request.xapiVersion)) : null,
    registration: takes('registration') ? (readParameter(given, 'registration', readUuid) ?? null) : null
  }
}
