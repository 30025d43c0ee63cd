import { type FastifyPluginAsyncTypebox, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import type { FastifySchemaCompiler } from 'fastify'
import { DateTime } from 'luxon'
import { Type } from 'typebox'
import { LrsError } from '../../errors.js'
import { resolveMinGroupSize } from '../../metrics/suppression.js'
import { addDays } from '../../metrics/window.js'
import { parseCohortFilter } from '../../people/cohort-filter.js'
import { deleteCohort } from '../../people/delete-cohort.js'
import { findCohorts, findFilter } from '../../people/find-cohorts.js'
import { findMembers } from '../../people/find-members.js'
import { type CohortPlace, type ListedCohort, listCohorts } from '../../people/list-cohorts.js'
import { putCohort } from '../../people/put-cohort.js'
import type { HttpContext, Principal } from '../context.js'
import { reachOf } from '../reach.js'
import { access, hasScope } from '../scopes.js'
import {
  CohortList,
  CohortParameter,
  CohortsQuery,
  cohortFilterComponent,
  MemberList,
  MembersQuery,
  NewCohort,
  SavedCohort,
  SavedCohortParameter
} from './cohorts-schema.js'
import { problemResponses } from './problem-schema.js'

const tags = ['cohorts']
const standardLimit = 100

/** Cohorts: the roster's own and saved filters, and who belongs to them. */
export function cohortRoutes(context: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.addSchema(cohortFilterComponent)
    await app.register(savedRoutes(context))
    await app.register(readRoutes(context))
  }
}

function savedRoutes({ db }: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.put('/cohorts/:cohortId', {
      schema: {
        operationId: 'putCohort',
        tags,
        summary: 'Save a filter under an id, or replace the one that is there',
        description:
          'The id serves as the parameter `cohort` of every metric. A new id may not be the name of a cohort of the roster. A filter can name cohorts of the roster, but no saved ones.',
        params: SavedCohortParameter,
        body: NewCohort,
        response: { 200: SavedCohort, 201: SavedCohort, ...problemResponses(400, 401, 403, 409) }
      },
      config: { scopes: access.cohorts.write },
      // The filter is checked by its own parser, which says where in it the fault lies.
      validatorCompiler: lenientFilter,
      handler: async ({ principal, params, body }, reply) => {
        const filter = parseCohortFilter(body.filter, '/filter')
        const given = { id: params.cohortId, name: body.name ?? null, filter }
        const { cohort, created } = await putCohort(db, principal.tenantId, given)
        return reply.code(created ? 201 : 200).send(cohort)
      }
    })
    app.get('/cohorts/:cohortId', {
      schema: {
        operationId: 'getCohort',
        tags,
        summary: 'Read a saved filter',
        description:
          'As it was saved, with its name and when it was written. A cohort of the roster has no filter: 404.',
        params: SavedCohortParameter,
        response: { 200: SavedCohort, ...problemResponses(400, 401, 403, 404) }
      },
      config: { scopes: access.cohorts.readFilters },
      handler: async ({ principal, params: { cohortId } }) => {
        const cohort = (await findCohorts(db, principal.tenantId, [cohortId])).get(cohortId)
        if (cohort === undefined) throw new LrsError('not-found', `There is no saved cohort "${cohortId}"`)
        return cohort
      }
    })
    app.delete('/cohorts/:cohortId', {
      schema: {
        operationId: 'deleteCohort',
        tags,
        summary: 'Delete a saved filter',
        description: 'Metrics that name it are answered without learners from then on; nobody leaves the roster.',
        params: SavedCohortParameter,
        response: { 204: Type.Null(), ...problemResponses(400, 401, 403, 404) }
      },
      config: { scopes: access.cohorts.write },
      handler: async ({ principal, params: { cohortId } }, reply) => {
        const isKnown = await deleteCohort(db, principal.tenantId, cohortId)
        if (!isKnown) throw new LrsError('not-found', `There is no saved cohort "${cohortId}"`)
        return reply.code(204).send(null)
      }
    })
  }
}

function readRoutes({ db, config, now }: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.get('/cohorts', {
      schema: {
        operationId: 'listCohorts',
        tags,
        summary: 'List the saved filters and the cohorts that the roster names',
        description:
          'In the order of their ids. Filters, and the sizes of small groups, are shown to whoever may read the roster. With `line/read`, the roster’s cohorts are those of the own line, and so are their sizes.',
        querystring: CohortsQuery,
        response: { 200: CohortList, ...problemResponses(400, 401, 403) }
      },
      config: { scopes: access.cohorts.read },
      handler: async ({ principal, query: { cursor, limit = standardLimit } }) => {
        const { tenantId, scopes } = principal
        const asOf = today(principal, now)
        const after = cursor === undefined ? null : parseCohortCursor(cursor)
        const mayReadRoster = hasScope(scopes, access.people.read)
        const within = mayReadRoster ? null : reachOf(principal, 'aggregates').filter
        const { cohorts, hasMore } = await listCohorts(db, { tenantId, day: asOf, within, after, limit })
        const last = cohorts.at(-1)
        const next = hasMore && last !== undefined ? encode([last.id, last.kind]) : null
        // Whoever may not see everyone may see those whom the list is limited to by name, and so count them.
        const isCountable = mayReadRoster || within !== null
        const minGroupSize = isCountable ? 0 : resolveMinGroupSize(config.minGroupSize, undefined)
        return { asOf, cohorts: cohorts.map(cohort => toListed(cohort, { mayReadRoster, minGroupSize })), next }
      }
    })
    app.get('/cohorts/:cohortId/members', {
      schema: {
        operationId: 'listCohortMembers',
        tags,
        summary: 'List who belongs to a cohort on a day',
        description:
          'Those whom the roster names and employs on the day, in the order of their personIds. Tenure is reckoned by the end of the day.',
        params: CohortParameter,
        querystring: MembersQuery,
        response: { 200: MemberList, ...problemResponses(400, 401, 403, 404) }
      },
      config: { scopes: access.cohorts.readFilters },
      handler: async ({ principal, params: { cohortId }, query }) => {
        const { tenantId } = principal
        const { at = today(principal, now), cursor, limit = standardLimit } = query
        const after = cursor === undefined ? null : parseMemberCursor(cursor)
        const filter = await findFilter(db, tenantId, cohortId)
        if (filter === null) throw new LrsError('not-found', `There is no cohort "${cohortId}", saved or of the roster`)
        const asked = { tenantId, filter, day: at, nextDay: addDays(at, 1), after, limit }
        const { members, hasMore } = await findMembers(db, asked)
        const last = members.at(-1)
        return { at, members: [...members], next: hasMore && last !== undefined ? encode([last.personId]) : null }
      }
    })
  }
}

const lenientFilter: FastifySchemaCompiler<unknown> = route => {
  if (route.httpPart !== 'body') return TypeBoxValidatorCompiler(route as never)
  const { name } = NewCohort.properties
  const schema = Type.Object({ name, filter: Type.Unknown() }, { additionalProperties: false })
  return TypeBoxValidatorCompiler({ ...route, schema } as never)
}

function toListed(
  { id, kind, name, filter, size }: ListedCohort,
  { mayReadRoster, minGroupSize }: { readonly mayReadRoster: boolean; readonly minGroupSize: number }
) {
  const suppressed = size !== null && size > 0 && size < minGroupSize
  const shown = { id, kind, name, size: suppressed ? null : size, suppressed }
  return mayReadRoster && filter !== null ? { ...shown, filter } : shown
}

/** The local day of the tenant. */
function today({ timeZone }: Principal, now: () => Date): string {
  return DateTime.fromJSDate(now(), { zone: timeZone }).toFormat('yyyy-MM-dd')
}

function encode(place: readonly string[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

function parseCohortCursor(cursor: string): CohortPlace {
  const [id, kind] = parseCursor(cursor, 2)
  if (id !== undefined && (kind === 'roster' || kind === 'saved')) return { id, kind }
  throw wrongCursor()
}

function parseMemberCursor(cursor: string): string {
  const [personId] = parseCursor(cursor, 1)
  if (personId !== undefined) return personId
  throw wrongCursor()
}

function parseCursor(cursor: string, length: number): readonly string[] {
  const place = parseJson(Buffer.from(cursor, 'base64url').toString())
  const isPlace = Array.isArray(place) && place.length === length
  return isPlace && place.every(part => typeof part === 'string' && !part.includes('\0')) ? place : []
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function wrongCursor(): LrsError {
  return new LrsError('invalid-parameter', 'cursor is not the next of a page before', { pointer: '/cursor' })
}
