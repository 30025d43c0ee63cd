import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { LrsError } from '../../errors.js'
import { listChanges } from '../../people/list-changes.js'
import { mergePersons } from '../../people/merge-persons.js'
import type { ChangeContext, ChangeOutcome } from '../../people/person-change.js'
import { splitPerson } from '../../people/split-person.js'
import { suggestPersons } from '../../people/suggest-persons.js'
import { undoChange } from '../../people/undo-change.js'
import { countMovedDays } from '../../rollup/count-moved-days.js'
import { enqueueMovedAgents } from '../../rollup/enqueue.js'
import { findUnreconciled } from '../../rollup/find-unreconciled.js'
import { agentOf, ifiOf } from '../../xapi/ifi.js'
import type { Agent } from '../../xapi/statement.js'
import { validateAgent } from '../../xapi/validate.js'
import type { HttpContext } from '../context.js'
import { access } from '../scopes.js'
import {
  Changed,
  ChangeList,
  ChangeParameter,
  ChangesQuery,
  DryRun,
  Merge,
  PersonParameter,
  ReconciliationList,
  ReconciliationQuery,
  Split,
  Undo
} from './person-changes-schema.js'
import { problemResponses } from './problem-schema.js'

const tags = ['people']
const pageSize = 25

/** Who is whom: merging and splitting persons, the trail of it, and the agents that no roster names. */
export function personChangeRoutes(context: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    await app.register(changingRoutes(context))
    await app.register(listingRoutes(context))
  }
}

function changingRoutes({ db, wakeWorker }: HttpContext): FastifyPluginAsyncTypebox {
  const config = { scopes: access.people.write }
  const response = { 200: Changed, ...problemResponses(400, 401, 403, 404, 409) }
  const answer = (outcome: ChangeOutcome) => {
    wakeWorker()
    return { ...outcome, agents: outcome.agents.map(agentOf) }
  }
  return async app => {
    app.post('/people/:personId/merge', {
      schema: {
        operationId: 'mergePeople',
        tags,
        summary: 'Merge another person into this one',
        description:
          "All agents of the other person come to this one, and the days of both are derived anew. The other person keeps its roster entries, is no part of any population meanwhile, and what the roster says of its agents goes to this one. A person into whom others of the roster are merged can't be merged itself.",
        params: PersonParameter,
        querystring: DryRun,
        body: Merge,
        response
      },
      config,
      handler: async ({ principal, params, query, body: { from, reason } }) => {
        const merged = 'agent' in from ? { agent: toIfi(from.agent, '/from/agent') } : from
        return answer(await mergePersons(db, params.personId, merged, toContext(principal, reason, query.dryRun)))
      }
    })
    app.post('/people/:personId/split', {
      schema: {
        operationId: 'splitPerson',
        tags,
        summary: 'Move some agents of this person to another',
        description:
          'The days of both are derived anew. When the roster knows no person of that name, one is made that stands in the roster for all time.',
        params: PersonParameter,
        querystring: DryRun,
        body: Split,
        response
      },
      config,
      handler: async ({ principal, params, query, body: { agents, into, reason } }) => {
        const ifis = agents.map((agent, position) => toIfi(agent, `/agents/${position}`))
        const split = { personId: params.personId, agents: ifis, into: into.personId }
        return answer(await splitPerson(db, split, toContext(principal, reason, query.dryRun)))
      }
    })
    app.post('/person-changes/:id/undo', {
      schema: {
        operationId: 'undoPeopleChange',
        tags,
        summary: 'Undo a merge or a split',
        description:
          "The agents that it moved, as far as they are still with the person who got them, go back; a merged person is one of its own again. A change can be undone once, and an undo can't be undone.",
        params: ChangeParameter,
        body: Undo,
        response
      },
      config,
      handler: async ({ principal, params, body }) =>
        answer(await undoChange(db, params.id, toContext(principal, body?.reason)))
    })
  }
}

function listingRoutes({ db }: HttpContext): FastifyPluginAsyncTypebox {
  const config = { scopes: access.people.read }
  return async app => {
    app.get('/person-changes', {
      schema: {
        operationId: 'listPeopleChanges',
        tags,
        summary: 'List merges, splits and undos, the newest first',
        description: 'Who moved which agents from whom to whom, when and why.',
        querystring: ChangesQuery,
        response: { 200: ChangeList, ...problemResponses(400, 401, 403) }
      },
      config,
      handler: async ({ principal: { tenantId }, query: { personId = null, cursor = null, limit = pageSize } }) => {
        const found = await listChanges(db, { tenantId, personId, before: cursor, limit: limit + 1 })
        const page = found.slice(0, limit)
        const changes = page.map(change => ({ ...change, agents: change.agents.map(agentOf) }))
        return { changes, next: found.length > limit ? (page.at(-1)?.id ?? null) : null }
      }
    })
    app.get('/reconciliation', {
      schema: {
        operationId: 'listUnreconciledAgents',
        tags,
        summary: 'List the agents that no roster names, and who they may be',
        description:
          'Each of them is a provisional person: its events are kept and derived, and counted in no population. Give it to a person with `PUT /people`, or merge it into one.',
        querystring: ReconciliationQuery,
        response: { 200: ReconciliationList, ...problemResponses(400, 401, 403) }
      },
      config,
      handler: async ({ principal: { tenantId }, query: { cursor = 0, limit = pageSize } }) => {
        const found = await findUnreconciled(db, { tenantId, after: cursor, limit: limit + 1 })
        const page = found.slice(0, limit).map(({ names, ...agent }) => ({ ...agent, names: names.map(toName) }))
        const suggestions = await suggestPersons(db, tenantId, page)
        const agents = page.map(({ position: _, agent, ...entry }, at) => ({
          ...entry,
          agent: agentOf(agent),
          suggestions: suggestions[at] ?? []
        }))
        return { agents, next: found.length > limit ? (page.at(-1)?.position ?? null) : null }
      }
    })
  }
}

function toContext(
  { key, tenantId }: FastifyRequest['principal'],
  reason: string | undefined,
  isDryRun = false
): ChangeContext {
  return {
    tenantId,
    changedBy: key,
    reason: reason ?? null,
    isDryRun,
    onMoved: (trx, moves) => enqueueMovedAgents(trx, tenantId, moves),
    countDays: (trx, moves) => countMovedDays(trx, tenantId, moves)
  }
}

function toIfi(agent: unknown, pointer: string): string {
  const violation = validateAgent(agent, '1.0.3')
  // It is valid, so it has an identifier.
  if (violation === null) return String(ifiOf(agent as Agent))
  throw new LrsError('invalid-body', violation.message, {
    pointer: `${pointer}${violation.pointer}`,
    rule: violation.rule
  })
}

function toName(json: string): string {
  return String(JSON.parse(json))
}
