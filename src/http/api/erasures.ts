import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { LrsError } from '../../errors.js'
import { type ErasedPerson, erasePerson } from '../../rollup/erase-person.js'
import { listErasures } from '../../store/erasure-log.js'
import { isOwnIdentifier } from '../../xapi/erase.js'
import { ifiOf } from '../../xapi/ifi.js'
import type { Actor } from '../../xapi/statement.js'
import { validateAgent } from '../../xapi/validate.js'
import type { HttpContext } from '../context.js'
import { access } from '../scopes.js'
import { ErasureList, ErasureOutcome, ErasureQuery, NewErasure } from './erasures-schema.js'
import { problemResponses } from './problem-schema.js'

const tags = ['erasures']

const passSize = 5000

/** Erasing persons from the record, and the list of what was erased. */
export function erasureRoutes({ db, wakeWorker }: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.post('/erasures', {
      schema: {
        operationId: 'createErasure',
        tags,
        summary: 'Erase a person from the record',
        description:
          'Erases every statement that names the person in any place, with attachments and learning events, the documents and names of their agents, and the agents themselves. What others did is counted anew. It cannot be undone.',
        body: NewErasure,
        response: { 200: ErasureOutcome, 201: ErasureOutcome, ...problemResponses(400, 401, 403, 404) }
      },
      config: { scopes: access.erasures.write },
      handler: async (request, reply) => {
        const { dryRun = false } = request.body
        const { tenantId, key } = request.principal
        const whom = readPerson(request.body)
        const erased = await erasePerson(db, whom, { tenantId, requestedBy: key, isDryRun: dryRun, passSize })
        if (!dryRun) wakeWorker()
        return reply.code(dryRun ? 200 : 201).send(erased)
      }
    })
    app.get('/erasures', {
      schema: {
        operationId: 'listErasures',
        tags,
        summary: 'List the erasures, the last first',
        description: 'How much was erased, when, and who asked for it; nothing tells who was erased.',
        querystring: ErasureQuery,
        response: { 200: ErasureList, ...problemResponses(400, 401, 403) }
      },
      config: { scopes: access.erasures.read },
      handler: async ({ principal, query }) => {
        const { before = null, limit = 100 } = query
        return { erasures: await listErasures(db, principal.tenantId, { before, limit }) }
      }
    })
  }
}

interface Body {
  readonly agents?: readonly unknown[]
  readonly personId?: string
}

function readPerson({ agents, personId }: Body): ErasedPerson {
  if (agents !== undefined && personId === undefined) return { agents: agents.map(readIdentifier) }
  if (personId !== undefined && agents === undefined) return { personId }
  throw new LrsError('invalid-body', 'Give either agents or a personId', { pointer: '' })
}

function readIdentifier(agent: unknown, position: number): string {
  const violation = validateAgent(agent, '1.0.3')
  const pointer = `/agents/${position}`
  if (violation !== null) {
    throw new LrsError('invalid-body', `Agent ${position}: ${violation.message}`, {
      pointer: `${pointer}${violation.pointer}`,
      rule: violation.rule
    })
  }
  // It is valid, so it has an identifier.
  const identifier = String(ifiOf(agent as Actor))
  if (!isOwnIdentifier(identifier)) return identifier
  throw new LrsError('invalid-body', `Agent ${position} stands for a credential or for the erased, and is no person`, {
    pointer
  })
}
