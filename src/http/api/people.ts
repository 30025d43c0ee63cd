import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { DateTime } from 'luxon'
import { addDays } from '../../metrics/window.js'
import { applyGiven, type GivenAttributes, noAttributes } from '../../people/attributes.js'
import { findHistory, findHistoryWithin } from '../../people/find-history.js'
import { type FoundPerson, findPeople, findPerson } from '../../people/find-people.js'
import type { HistoryRange } from '../../people/history.js'
import { putHistory } from '../../people/put-history.js'
import { type PutPeopleContext, putPeople } from '../../people/put-people.js'
import { type PersonChange, rehearsePeople } from '../../people/rehearse-people.js'
import { enqueueMovedAgents } from '../../rollup/enqueue.js'
import { agentOf } from '../../xapi/ifi.js'
import type { HttpContext } from '../context.js'
import { reachOf } from '../reach.js'
import { requirePerson, unknownPerson } from '../require-person.js'
import { access } from '../scopes.js'
import { readCursor, writeCursor } from './name-cursor.js'
import {
  findPeopleSchema,
  getHistorySchema,
  getPersonSchema,
  putHistorySchema,
  putPeopleSchema
} from './people-operations.js'
import { peopleKind } from './people-record.js'
import { receiveRecords, recordTypes, withPlace } from './record-body.js'

const readers = { scopes: access.names.read }
const writers = { scopes: access.people.write }

/** The roster: people, their agents, what is known of them when, and their cohorts. */
export function peopleRoutes(context: HttpContext): FastifyPluginAsyncTypebox {
  const { db } = context
  return async app => {
    await app.register(putPeopleRoute(context))
    app.get('/people', {
      schema: findPeopleSchema,
      config: readers,
      handler: async request => {
        const { q, cohort, at, includeLeft, limit, cursor, ...filter } = request.query
        const { principal } = request
        const day = at ?? todayOf(context, request)
        const { people, next } = await findPeople(db, principal.tenantId, {
          at: day,
          nextDay: addDays(day, 1),
          within: reachOf(principal, 'names').filter,
          filter,
          includeLeft: includeLeft ?? false,
          limit: limit ?? 100,
          ...(q === undefined ? {} : { prefix: q }),
          ...(cohort === undefined ? {} : { cohort }),
          ...(cursor === undefined ? {} : { after: readCursor(cursor) })
        })
        return { people: people.map(withAgents), nextCursor: next === null ? null : writeCursor(next) }
      }
    })
    app.get('/people/:personId', {
      schema: getPersonSchema,
      config: readers,
      handler: async request => {
        const day = request.query.at ?? todayOf(context, request)
        await requirePerson(db, request.principal, request.params.personId, day)
        const person = await findPerson(db, personOf(request), day)
        if (person === null) throw unknownPerson(request.params.personId)
        return withAgents(person)
      }
    })
    app.get('/people/:personId/history', {
      schema: getHistorySchema,
      config: readers,
      handler: async request => {
        const { filter } = reachOf(request.principal, 'names')
        const person = personOf(request)
        const history = await (filter === null ? findHistory(db, person) : findHistoryWithin(db, person, filter))
        if (history === null) throw unknownPerson(person.personId)
        return { personId: request.params.personId, ranges: history.ranges }
      }
    })
    app.put('/people/:personId/history', {
      schema: putHistorySchema,
      config: writers,
      handler: async request => {
        const ranges = (request.body.ranges as readonly GivenRange[]).map(toRange)
        const dryRun = request.query.dryRun ?? false
        const outcome = await putHistory(db, personOf(request), ranges, { dryRun })
        return { personId: request.params.personId, ...outcome }
      }
    })
  }
}

/** In a scope of its own, where bodies are handed on as they arrive. */
function putPeopleRoute(context: HttpContext): FastifyPluginAsyncTypebox {
  const { db, config, wakeWorker } = context
  return async app => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser([...recordTypes], (_request, payload, done) => done(null, payload))
    app.put('/people', {
      schema: putPeopleSchema,
      config: writers,
      // Of a body that is decompressed; the formats have their own limits on the way.
      bodyLimit: Math.max(config.maxPeopleBytes, config.maxBodyBytes),
      validatorCompiler: route => (route.httpPart === 'body' ? () => true : TypeBoxValidatorCompiler(route)),
      handler: async request => {
        const { tenantId } = request.principal
        const { records, places } = await receiveRecords(request, peopleKind, config)
        const options: PutPeopleContext = {
          tenantId,
          today: todayOf(context, request),
          onMoved: (trx, moves) => enqueueMovedAgents(trx, tenantId, moves)
        }
        try {
          if (request.query.dryRun === true) return withChanges(await rehearsePeople(db, records, options))
          const outcome = await putPeople(db, records, options)
          wakeWorker()
          return outcome
        } catch (error) {
          throw withPlace(error, places)
        }
      }
    })
  }
}

/** The local day of the tenant. */
function todayOf({ now }: HttpContext, { principal }: FastifyRequest): string {
  return DateTime.fromJSDate(now(), { zone: principal.timeZone }).toFormat('yyyy-MM-dd')
}

interface PersonRequest {
  readonly principal: FastifyRequest['principal']
  readonly params: { readonly personId: string }
}

function personOf({ principal, params }: PersonRequest) {
  return { tenantId: principal.tenantId, personId: params.personId }
}

function withAgents<Person extends FoundPerson>(person: Person) {
  return { ...person, agents: person.agents.map(agentOf) }
}

function withChanges<Rehearsal extends { readonly changes: readonly PersonChange[] }>(rehearsal: Rehearsal) {
  const changes = rehearsal.changes.map(change => ({
    ...change,
    agentsAdded: change.agentsAdded.map(agentOf),
    agentsMoved: change.agentsMoved.map(agentOf)
  }))
  return { ...rehearsal, changes }
}

/** A range as sent, of the types that its schema has seen to. */
type GivenRange = GivenAttributes & Partial<Pick<HistoryRange, 'validFrom' | 'validTo'>>

function toRange(given: GivenRange): HistoryRange {
  const { validFrom = null, validTo = null } = given
  return { validFrom, validTo, ...applyGiven(noAttributes, given) }
}
