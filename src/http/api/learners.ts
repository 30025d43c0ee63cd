import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { guardFor } from '../../metrics/disclosure/guard.js'
import { type EvidencePlace, findEvidence } from '../../metrics/evidence.js'
import { findMetric } from '../../metrics/find-metric.js'
import { findLearnerValues } from '../../metrics/learner-values.js'
import { toMeta } from '../../metrics/meta.js'
import type { Metric } from '../../metrics/metric.js'
import { isSkip, readCursor, writeCursor } from '../../metrics/page.js'
import { type MetricQuery, type ResolvedMetricQuery, resolveQuery, toRequest } from '../../metrics/resolve-query.js'
import { isDay } from '../../metrics/window.js'
import { defaultPercentiles } from '../../scores/benchmark.js'
import { benchmarksOf } from '../../scores/benchmarks.js'
import { rankLearners } from '../../scores/rank-learners.js'
import type { HttpContext, Principal } from '../context.js'
import { access } from '../scopes.js'
import {
  BenchmarksAnswer,
  BenchmarksQuery,
  benchmarksNames,
  defaultEntries,
  EvidenceAnswer,
  EvidenceQuery,
  LearnersAnswer,
  LearnersQuery,
  learnersNames,
  MetricParameter
} from './learners-schema.js'
import { askerOf, toMetricQuery } from './metric-query.js'
import { problemResponses } from './problem-schema.js'
import { taggedAnswer, Unchanged } from './tagged-answer.js'

const tags = ['Metrics']

/** What stands behind a metric's number: each learner's own, how they are spread, and the events that were counted. */
export function learnerRoutes(context: HttpContext): FastifyPluginAsyncTypebox {
  const { db } = context
  return async app => {
    app.get('/metrics/:metricId/learners', {
      schema: {
        operationId: 'listMetricLearners',
        tags,
        summary: 'List the learners’ own values of a metric',
        description:
          'Each learner of the target population with their value, z-scores, percentile rank and rank among those who have the same role, or something else, in common. Wants the scope `people/read`.',
        params: MetricParameter,
        querystring: LearnersQuery,
        response: { 200: LearnersAnswer, 304: Unchanged, ...problemResponses(400, 401, 403, 404) }
      },
      config: { scopes: access.names.read },
      handler: async (request, reply) => {
        const { params, query, principal } = request
        const metric = findMetric(params.metricId)
        const { by = 'role', limit = defaultEntries, cursor } = query
        const asked = askedOf(metric, query, principal)
        const asker = askerOf(context, principal, 'names')
        const start = cursor === undefined ? { asOf: asker.asOf, place: 0 } : readCursor(cursor, asked, isSkip)
        const resolved = await resolveQuery(db, metric, queryBy(metric, query, learnersNames), {
          ...asker,
          asOf: start.asOf
        })
        const answer = await taggedAnswer(context, request, reply, { resolved, shown: 'names' }, async () => {
          const { learners, snapshot } = await findLearnerValues(db, metric, toRequest(resolved))
          const ranked = rankLearners(learners)
          const end = start.place + limit
          const nextCursor = end < ranked.length ? writeCursor({ asOf: start.asOf, place: end }, asked) : null
          const meta = { ...toMeta(metric, resolved, { snapshot, cells: [] }), nextCursor }
          const page = ranked.slice(start.place, end)
          return {
            answer: { metric: metric.id, period: periodOf(resolved), by, learners: page, meta },
            version: snapshot.version
          }
        })
        return answer ?? reply.code(304).send(null)
      }
    })

    app.get('/metrics/:metricId/evidence', {
      schema: {
        operationId: 'listMetricEvidence',
        tags,
        summary: 'List the events behind a metric’s numerator',
        description:
          'The statements that were counted: of the kinds that the metric counts, of the learners who add to its numerator, on the days that count. Wants the scope `people/read`.',
        params: MetricParameter,
        querystring: EvidenceQuery,
        response: { 200: EvidenceAnswer, ...problemResponses(400, 401, 403, 404) }
      },
      config: { scopes: access.names.read },
      handler: async ({ params, query, principal }) => {
        const metric = findMetric(params.metricId)
        const { limit = defaultEntries, cursor } = query
        const asked = askedOf(metric, query, principal)
        const asker = askerOf(context, principal, 'names')
        const start =
          cursor === undefined ? { asOf: asker.asOf, place: null } : readCursor(cursor, asked, isEvidencePlace)
        const { asOf, place: after } = start
        const resolved = await resolveQuery(db, metric, toMetricQuery(metric, query, learnersNames), { ...asker, asOf })
        const { events, next } = await findEvidence(db, metric, toRequest(resolved), { after, limit })
        return {
          metric: metric.id,
          events,
          nextCursor: next === null ? null : writeCursor({ asOf, place: next }, asked)
        }
      }
    })

    app.get('/benchmarks', {
      schema: {
        operationId: 'getBenchmarks',
        tags,
        summary: 'How the learners’ values of a metric are spread',
        description:
          'n, mean, standard deviation, median and percentiles of the learners’ own values, by role or something else that they have in common. Small groups are hidden. Wants the scope `metrics/read`.',
        querystring: BenchmarksQuery,
        response: { 200: BenchmarksAnswer, 304: Unchanged, ...problemResponses(400, 401, 403, 404) }
      },
      config: { scopes: access.aggregates.read },
      handler: async (request, reply) => {
        const { query, principal } = request
        const metric = findMetric(query.metric)
        const { by = 'role', percentiles } = query
        const asker = askerOf(context, principal, 'aggregates')
        const resolved = await resolveQuery(db, metric, queryBy(metric, query, benchmarksNames), asker)
        const answer = await taggedAnswer(context, request, reply, { resolved, shown: 'aggregates' }, async () => {
          const { learners, snapshot } = await findLearnerValues(db, metric, toRequest(resolved))
          const found = benchmarksOf(learners, {
            percentiles: percentiles?.split(',').map(Number) ?? defaultPercentiles,
            minGroupSize: resolved.minGroupSize,
            by,
            guard: await guardFor(db, resolved)
          })
          const meta = { ...toMeta(metric, resolved, { snapshot, cells: [] }), nextCursor: null }
          const benchmarks = found.map(toAnswer)
          return {
            answer: { metric: metric.id, period: periodOf(resolved), by, benchmarks, meta },
            version: snapshot.version
          }
        })
        return answer ?? reply.code(304).send(null)
      }
    })
  }
}

/** A query whose learners are told apart by whom they are compared with. */
function queryBy(
  metric: Metric,
  query: Readonly<Record<string, unknown>> & { readonly by?: string },
  known: readonly string[]
): MetricQuery {
  const { by = 'role' } = query
  return { ...toMetricQuery(metric, query, known), ...(by === 'none' ? {} : { breakdown: by }) }
}

function periodOf({ window }: ResolvedMetricQuery) {
  return { from: window.from, to: window.to }
}

/** What the pages of one answer have in common. */
function askedOf({ id }: Metric, query: object, { tenantId }: Principal): unknown {
  const kept = Object.entries(query).filter(([name]) => name !== 'cursor' && name !== 'limit')
  return [id, tenantId, kept]
}

function toAnswer({ group, benchmark, suppressed }: ReturnType<typeof benchmarksOf>[number]) {
  if (benchmark === null) {
    return { group, n: null, missing: null, mean: null, sd: null, median: null, percentiles: {}, suppressed }
  }
  const { n, missing, mean, sd, median, ...percentiles } = benchmark
  return { group, n, missing, mean, sd, median, percentiles, suppressed }
}

function isEvidencePlace(place: unknown): place is EvidencePlace {
  const { timestamp, seq } = { ...(place as EvidencePlace | null) }
  return typeof timestamp === 'string' && isInstant(timestamp) && Number.isSafeInteger(seq)
}

function isInstant(text: string): boolean {
  return isDay(text.slice(0, 10)) && !Number.isNaN(Date.parse(text))
}
