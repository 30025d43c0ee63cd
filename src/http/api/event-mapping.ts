import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { LrsError } from '../../errors.js'
import { listDerivations } from '../../events/derivations.js'
import { findMapping, findMappingVersion, listMappings } from '../../events/find-mapping.js'
import { conditionOf, type EventMapping, makeMapping } from '../../events/mapping.js'
import type { MappingRule } from '../../events/mapping-rule.js'
import { previewMapping } from '../../events/preview-mapping.js'
import { putMapping } from '../../events/put-mapping.js'
import { isIri } from '../../xapi/formats.js'
import { isNamed, parseEntityTags } from '../../xapi/precondition.js'
import { VOIDED } from '../../xapi/statement.js'
import type { HttpContext } from '../context.js'
import { access } from '../scopes.js'
import {
  DerivationList,
  Mapping,
  MappingList,
  MappingOutcome,
  NewMappingBody,
  PutQuery,
  VersionQuery,
  VersionsQuery
} from './event-mapping-schema.js'
import { problemResponses } from './problem-schema.js'

const tags = ['events']

// A dry run read 50,000 statements of 800 bytes in 3.9 s on 2 busy cores, so that its time is mostly up before.
const maxPreviewed = 250_000

/** What statements mean: the mapping of the caller's tenant, and the derivations that a change brings about. */
export function eventMappingRoutes(context: HttpContext): FastifyPluginAsyncTypebox {
  const { db, now } = context
  return async app => {
    app.get('/event-mapping', {
      schema: {
        operationId: 'getEventMapping',
        tags,
        summary: 'Read the event mapping',
        description: 'The mapping in force, or one of its versions: which statements stand for which learning events.',
        querystring: VersionQuery,
        response: { 200: Mapping, ...problemResponses(400, 401, 403, 404) }
      },
      config: { scopes: access.eventMapping.read },
      handler: async ({ principal: { tenantId }, query: { version } }, reply) => {
        const found =
          version === undefined ? await findMapping(db, tenantId) : await findMappingVersion(db, tenantId, version)
        if (found === null) throw new LrsError('not-found', `The mapping has no version ${version}`)
        return reply.header('ETag', tagOf(found.version)).send(toBody(found))
      }
    })
    app.get('/event-mapping/versions', {
      schema: {
        operationId: 'listEventMappings',
        tags,
        summary: 'List the versions of the event mapping, a hundred at a time',
        description: 'Who put each version, and when. `version` of the mapping itself shows its rules.',
        querystring: VersionsQuery,
        response: { 200: MappingList, ...problemResponses(400, 401, 403) }
      },
      config: { scopes: access.eventMapping.read },
      handler: async ({ principal, query }) => ({
        versions: await listMappings(db, principal.tenantId, query.before ?? null)
      })
    })
    app.get('/derivations', {
      schema: {
        operationId: 'listDerivations',
        tags,
        summary: 'List the derivations of events from stored statements, the newest hundred',
        description: 'A changed mapping or time zone, and a rebuild, derive events anew in the background.',
        response: { 200: DerivationList, ...problemResponses(401, 403) }
      },
      config: { scopes: access.eventMapping.read },
      handler: async ({ principal }) => ({ derivations: await listDerivations(db, principal.tenantId) })
    })
    app.put('/event-mapping', {
      schema: {
        operationId: 'putEventMapping',
        tags,
        summary: 'Put an event mapping in force, or see what it would change',
        description:
          'Replaces the rules of the tenant by a new version; stored statements follow in the background. With `If-Match` and the ETag of a version it is refused where another version is in force. With `dryRun=true` nothing changes, and the answer says which stored statements would change their kind.',
        querystring: PutQuery,
        body: NewMappingBody,
        response: { 200: MappingOutcome, ...problemResponses(400, 401, 403, 412) }
      },
      config: { scopes: access.eventMapping.write },
      handler: async (request, reply) => {
        const { rules } = request.body
        checkRules(rules)
        const { tenantId, key: createdBy } = request.principal
        const checkCurrent = checkMatch(request)
        if (request.query.dryRun === true) {
          const before = await findMapping(db, tenantId)
          checkCurrent(before.version)
          const end = now().getTime() + context.config.requestTimeoutMs / 2
          const after = makeMapping(before.version, rules)
          const isLate = () => now().getTime() > end
          const dryRun = await previewMapping(db, tenantId, { before, after, maxStatements: maxPreviewed, isLate })
          return reply.header('ETag', tagOf(before.version)).send({ ...toBody(before), dryRun })
        }
        const { mapping, derivationId } = await putMapping(db, tenantId, { rules, createdBy, checkCurrent })
        return reply.header('ETag', tagOf(mapping.version)).send({ ...toBody(mapping), derivationId })
      }
    })
  }
}

function toBody({ version, tenantRules, rules }: EventMapping) {
  return { version, rules: tenantRules, effectiveRules: rules }
}

function tagOf(version: number): string {
  return `"${version}"`
}

function checkMatch({ headers }: FastifyRequest): (version: number) => void {
  const tags = parseEntityTags(headers['if-match'])
  return version => {
    if (tags === null || isNamed(tags, String(version))) return
    throw new LrsError(
      'precondition-failed',
      `Version ${version} of the mapping is in force, which If-Match does not name`
    )
  }
}

/** What the schema can't say: IRIs, no rule twice, and that voiding is no deed. */
function checkRules(rules: readonly MappingRule[]): void {
  const conditions = new Set<string>()
  for (const [index, rule] of rules.entries()) {
    const refuse = (part: string, message: string) => {
      throw new LrsError('invalid-body', `Rule ${index}: ${message}`, { pointer: `/rules/${index}${part}` })
    }
    for (const part of ['verb', 'activityType', 'category'] as const) {
      if (!isIri(rule[part] ?? 'urn:absent')) refuse(`/${part}`, `${JSON.stringify(rule[part])} is not an IRI`)
    }
    if (rule.verb === VOIDED) refuse('/verb', 'a statement that voids another never stands for a learning event')
    const condition = conditionOf(rule)
    if (conditions.has(condition)) refuse('', 'an earlier rule has the same verb, activity type and category')
    conditions.add(condition)
  }
}
