import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { LrsError } from '../../errors.js'
import { parseDay } from '../../metrics/window.js'
import { decideOnPilot } from '../../scores/decide-on-pilot.js'
import { parsePilotDefinition } from '../../scores/pilot-decision.js'
import { deletePilot, findPilot, listPilots, putPilot } from '../../scores/pilots.js'
import type { HttpContext } from '../context.js'
import { access } from '../scopes.js'
import { askerOf } from './metric-query.js'
import {
  DecisionBody,
  DecisionQuery,
  NewPilotBody,
  PilotList,
  PilotParameter,
  PilotsQuery,
  SavedPilot
} from './pilots-schema.js'
import { problemResponses } from './problem-schema.js'

const tags = ['Pilots']
const standardLimit = 100
const read = { scopes: access.pilots.read }
const write = { scopes: access.pilots.write }

/** Pilots, and the decision on each. */
export function pilotRoutes(context: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    await app.register(savingRoutes(context))
    await app.register(readingRoutes(context))
  }
}

function savingRoutes({ db }: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.put('/pilots/:pilotId', {
      schema: {
        operationId: 'putPilot',
        tags,
        summary: 'Save a pilot under an id, or replace the one that is there',
        description:
          'Whom it is meant for, when, and what it is judged by. A definition that differs from the one before gets the next version. Wants the scope `admin`.',
        params: PilotParameter,
        body: NewPilotBody,
        response: { 200: SavedPilot, 201: SavedPilot, ...problemResponses(400, 401, 403) }
      },
      config: write,
      handler: async ({ principal, params: { pilotId }, body }, reply) => {
        const { pilot, created } = await putPilot(db, principal.tenantId, {
          id: pilotId,
          name: body.name ?? null,
          cohort: body.cohort,
          startsOn: parseDay('startsOn', body.startsOn),
          lengthWeeks: body.lengthWeeks,
          definition: parsePilotDefinition({ ...body.definition, version: 1 })
        })
        return reply.code(created ? 201 : 200).send(pilot)
      }
    })
    app.delete('/pilots/:pilotId', {
      schema: {
        operationId: 'deletePilot',
        tags,
        summary: 'Delete a pilot',
        description: 'What it was judged by goes with it; nothing of the record does. Wants the scope `admin`.',
        params: PilotParameter,
        response: { 204: Type.Null(), ...problemResponses(400, 401, 403, 404) }
      },
      config: write,
      handler: async ({ principal, params: { pilotId } }, reply) => {
        if (!(await deletePilot(db, principal.tenantId, pilotId))) throw unknownPilot(pilotId)
        return reply.code(204).send(null)
      }
    })
  }
}

function readingRoutes(context: HttpContext): FastifyPluginAsyncTypebox {
  const { db } = context
  return async app => {
    app.get('/pilots', {
      schema: {
        operationId: 'listPilots',
        tags,
        summary: 'List the pilots',
        description: 'In the order of their ids. Wants the scope `metrics/read`.',
        querystring: PilotsQuery,
        response: { 200: PilotList, ...problemResponses(400, 401, 403) }
      },
      config: read,
      handler: async ({ principal, query: { after = null, limit = standardLimit } }) => {
        const { pilots, hasMore } = await listPilots(db, principal.tenantId, { after, limit })
        return { pilots: [...pilots], next: hasMore ? (pilots.at(-1)?.id ?? null) : null }
      }
    })
    app.get('/pilots/:pilotId', {
      schema: {
        operationId: 'getPilot',
        tags,
        summary: 'Read a pilot',
        description: 'As it was saved, with its definition whole. Wants the scope `metrics/read`.',
        params: PilotParameter,
        response: { 200: SavedPilot, ...problemResponses(400, 401, 403, 404) }
      },
      config: read,
      handler: async ({ principal, params }) => known(principal.tenantId, params.pilotId)
    })
    app.get('/pilots/:pilotId/decision', {
      schema: {
        operationId: 'getPilotDecision',
        tags,
        summary: 'Scale, iterate, halt, or not enough data',
        description:
          'Computed from the complete weeks of the pilot so far: each of the five measures with its interval against minimum and success, and the sentence that explains it. Small groups are hidden. Wants the scope `metrics/read`.',
        params: PilotParameter,
        querystring: DecisionQuery,
        response: { 200: DecisionBody, ...problemResponses(400, 401, 403, 404) }
      },
      config: read,
      handler: async ({ principal, params, query: { asOf } }) => {
        const pilot = await known(principal.tenantId, params.pilotId)
        return decideOnPilot(db, pilot, asOf, askerOf(context, principal, 'aggregates'))
      }
    })
  }

  async function known(tenantId: number, pilotId: string) {
    const pilot = await findPilot(db, tenantId, pilotId)
    if (pilot === null) throw unknownPilot(pilotId)
    return pilot
  }
}

function unknownPilot(pilotId: string): LrsError {
  return new LrsError('not-found', `There is no pilot "${pilotId}"`)
}
