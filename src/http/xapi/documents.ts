import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LrsError } from '../../errors.js'
import { deleteDocument, deleteDocuments } from '../../store/delete-documents.js'
import type { DocumentAddress, DocumentContext, StoredDocument } from '../../store/document.js'
import { findDocument, findDocumentIds } from '../../store/find-document.js'
import { putDocument } from '../../store/put-document.js'
import { rulesOf } from '../../xapi/version.js'
import type { HttpContext } from '../context.js'
import { access } from '../scopes.js'
import { mergeDocuments, readDocument, refuseBrokenJson } from './document-body.js'
import { documentSchema, type ResourceShape } from './documents-schema.js'
import {
  type Parameters,
  readAgentIdentifier,
  readInstant,
  readIri,
  readParameter,
  readText,
  readUuid,
  refuseUnknown,
  requireParameter
} from './parameters.js'
import { answerTagged, jsonRepresentation, readPreconditions, refuseUnmet } from './tagged.js'

const resources: readonly ResourceShape[] = [
  {
    resource: 'state',
    path: '/activities/state',
    idParameter: 'stateId',
    contextParameters: ['activityId', 'agent', 'registration'],
    readScopes: access.state.read,
    writeScopes: access.state.write
  },
  {
    resource: 'activity-profile',
    path: '/activities/profile',
    idParameter: 'profileId',
    contextParameters: ['activityId'],
    readScopes: access.activityProfile.read,
    writeScopes: access.activityProfile.write
  },
  {
    resource: 'agent-profile',
    path: '/agents/profile',
    idParameter: 'profileId',
    contextParameters: ['agent'],
    readScopes: access.agentProfile.read,
    writeScopes: access.agentProfile.write
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
    return answerTagged(request, reply, jsonRepresentation(JSON.stringify(ids), updated))
  }
  const document = await findDocument(db, readAddress(shape, request))
  if (document === null) throw new LrsError('not-found', 'There is no such document')
  return answerTagged(request, reply, document)
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
    return existing === null ? refuseBrokenJson(posted) : mergeDocuments(existing, posted)
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
    agent: takes('agent') ? requireParameter(given, 'agent', readAgentIdentifier(request.xapiVersion)) : null,
    registration: takes('registration') ? (readParameter(given, 'registration', readUuid) ?? null) : null
  }
}
