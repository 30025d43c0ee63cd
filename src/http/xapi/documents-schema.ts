import { Type } from 'typebox'
import type { DocumentResource } from '../../database/schema.js'
import { Failure, failures, versionHeader } from './failure-schema.js'

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

const names = { state: 'State', 'activity-profile': 'ActivityProfile', 'agent-profile': 'AgentProfile' } as const

const parameters = {
  activityId: Type.String({ format: 'iri' }),
  agent: Type.String({ description: 'Agent, as JSON' }),
  registration: Type.Optional(Type.String({ format: 'uuid' })),
  stateId: Type.String(),
  profileId: Type.String()
}

const preconditions = Type.Object({
  ...versionHeader.properties,
  'if-match': Type.Optional(Type.String({ description: 'Entity tags, or * for any' })),
  'if-none-match': Type.Optional(Type.String({ description: 'Entity tags, or * for any' }))
})

const responses = {
  get: {
    200: Type.Unknown({ description: 'The document, or the ids of all' }),
    304: Type.Null({ description: 'The document has a tag of If-None-Match' }),
    ...failures,
    404: Failure,
    412: Failure
  },
  put: { 204: Type.Null(), ...failures, 409: Failure, 412: Failure },
  post: { 204: Type.Null(), ...failures, 412: Failure },
  delete: { 204: Type.Null(), ...failures, 412: Failure }
}

const summaries = {
  get: 'One document, or the ids of all of its context',
  put: 'Write a document',
  post: 'Merge a JSON object into a document, or write it where there is none',
  delete: 'Delete a document'
}

/** A document resource's method as the OpenAPI document describes it. */
export function documentSchema(
  { resource, idParameter, contextParameters }: ResourceShape,
  method: keyof typeof responses
) {
  const isMany = method === 'get' || (method === 'delete' && resource === 'state')
  const known: Record<string, unknown> = parameters
  const context = Object.fromEntries(contextParameters.map(name => [name, known[name]]))
  const id = isMany ? Type.Optional(parameters[idParameter]) : parameters[idParameter]
  const since = Type.Optional(
    Type.String({ format: 'date-time', description: 'Only the ids of those written after this' })
  )
  return {
    operationId: `${method}${names[resource]}`,
    tags: ['xAPI'],
    summary: summaries[method],
    headers: preconditions,
    querystring: Type.Object({ ...context, [idParameter]: id, ...(method === 'get' ? { since } : {}) } as Record<
      string,
      never
    >),
    ...(method === 'put' || method === 'post' ? { body: Type.Unknown({ description: 'The document' }) } : {}),
    response: responses[method]
  }
}
