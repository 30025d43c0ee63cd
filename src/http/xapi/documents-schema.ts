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
  activityId: Type.String({ format: 'iri', description: 'The activity that the document belongs to' }),
  agent: Type.String({ description: 'The agent that the document belongs to, as JSON' }),
  registration: Type.Optional(Type.String({ format: 'uuid', description: 'The registration that the state is of' })),
  stateId: Type.String({ description: 'The id of the document within its context' }),
  profileId: Type.String({ description: 'The id of the document within its context' })
}

const preconditions = Type.Object({
  ...versionHeader.properties,
  'if-match': Type.Optional(Type.String({ description: 'Entity tags, or * for any' })),
  'if-none-match': Type.Optional(Type.String({ description: 'Entity tags, or * for any' }))
})

const responses = {
  get: {
    200: Type.Unknown({
      description: 'The document, or the ids of all',
      examples: [{ page: 4, answers: ['b', 'a'] }]
    }),
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

const belongsTo = {
  state:
    'A document that a learning activity keeps for an agent, such as a bookmark. Wants the scope `state`; `state/read` is enough to read.',
  'activity-profile':
    'A document about an activity, for everybody. Wants the scope `activities_profile` or `profile`; `profile/read` is enough to read.',
  'agent-profile':
    'A document about an agent, such as preferences. Wants the scope `agents_profile` or `profile`; `profile/read` is enough to read.'
} as const

const howTo = {
  get: 'Its ETag is for If-Match and If-None-Match. Without the id of a document, the ids of all, as a JSON array.',
  put: 'To replace a document, send the ETag that was read as If-Match: who comes second then gets 412 instead of overwriting.',
  post: 'Both have to be application/json and objects: members that are sent replace those of the same name.',
  delete: 'It succeeds too where there is none.'
} as const

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
    description: `${belongsTo[resource]} ${howTo[method]}`,
    headers: preconditions,
    querystring: Type.Object({ ...context, [idParameter]: id, ...(method === 'get' ? { since } : {}) } as Record<
      string,
      never
    >),
    ...(method === 'put' || method === 'post'
      ? { body: Type.Unknown({ description: 'The document', examples: [{ page: 4 }] }) }
      : {}),
    response: responses[method]
  }
}
