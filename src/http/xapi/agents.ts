import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { findNames } from '../../store/find-descriptions.js'
import type { Agent } from '../../xapi/statement.js'
import type { HttpContext } from '../context.js'
import { access } from '../scopes.js'
import { Failure, failures, versionHeader } from './failure-schema.js'
import { identifierOf, type Parameters, readAgent, refuseUnknown, requireParameter } from './parameters.js'
import { answerTagged, jsonRepresentation } from './tagged.js'

const texts = Type.Optional(Type.Array(Type.String()))

const schema = {
  operationId: 'getPerson',
  tags: ['xAPI'],
  summary: 'An agent as a Person: its identifier, and the names under which statements have shown it',
  description:
    'Wants the scope `statements/read` or `profile/read`. Each identifier and name is a list, as the standard has it.',
  headers: versionHeader,
  querystring: Type.Object({ agent: Type.String({ description: 'The agent, as JSON' }) }),
  response: {
    200: Type.Object(
      {
        objectType: Type.Literal('Person'),
        name: texts,
        mbox: texts,
        mbox_sha1sum: texts,
        openid: texts,
        account: Type.Optional(Type.Array(Type.Object({ homePage: Type.String(), name: Type.String() })))
      },
      {
        title: 'Person',
        description: 'An agent with all that it is called',
        examples: [{ objectType: 'Person', name: ['Ada', 'Ada L.'], mbox: ['mailto:ada@example.org'] }]
      }
    ),
    304: Type.Null({ description: 'The answer has a tag of If-None-Match' }),
    ...failures,
    412: Failure
  }
}

/**
 * The Agents Resource: an agent as a Person, with the one identifier that was asked for. Others that the roster gives
 * the same learner are not told: who may know them is not the standard's to decide.
 *
 * @see xAPI 1.0.3 Communication 2.4
 */
export function agentRoutes(app: FastifyInstance, { db }: HttpContext): void {
  app.get('/agents', {
    schema,
    config: { scopes: access.agents.read },
    handler: async (request, reply) => {
      const given = request.query as Parameters
      refuseUnknown(given, ['agent'])
      const agent = requireParameter(given, 'agent', readAgent(request.xapiVersion))
      const names = await findNames(db, request.principal.tenantId, identifierOf(agent, 'agent'))
      return answerTagged(request, reply, jsonRepresentation(formatPerson(agent, names)))
    }
  })
}

/**
 * Writes a Person.
 *
 * @param names JSON strings; the name that the request itself gives comes after them, unless it is among them.
 */
function formatPerson({ objectType: _, name, ...identity }: Agent, names: readonly string[]): string {
  const all = new Set(name === undefined ? names : [...names, JSON.stringify(name)])
  const members = [
    '"objectType":"Person"',
    ...(all.size === 0 ? [] : [`"name":[${[...all].join(',')}]`]),
    ...Object.entries(identity).map(([key, value]) => `${JSON.stringify(key)}:[${JSON.stringify(value)}]`)
  ]
  return `{${members.join(',')}}`
}
