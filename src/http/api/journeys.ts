import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { prepareFunnel } from '../../metrics/journeys/funnel.js'
import type { PreparedJourney } from '../../metrics/journeys/journey.js'
import { prepareLifecycle } from '../../metrics/journeys/lifecycle.js'
import { prepareRetention } from '../../metrics/journeys/retention.js'
import { prepareSequence } from '../../metrics/journeys/sequence.js'
import type { MetricAsker } from '../../metrics/resolve-query.js'
import type { HttpContext } from '../context.js'
import { access } from '../scopes.js'
import { sendForm } from './csv.js'
import { lifecycleCsv, retentionCsv, stepsCsv } from './journeys-csv.js'
import {
  FunnelParameters,
  funnelAnswer,
  LifecycleParameters,
  lifecycleAnswer,
  RetentionParameters,
  retentionAnswer,
  SequenceParameters,
  sequenceAnswer
} from './journeys-schema.js'
import { askerOf } from './metric-query.js'
import { problemResponses } from './problem-schema.js'
import { taggedAnswer, Unchanged } from './tagged-answer.js'

const readers = { scopes: access.aggregates.read }
const problems = problemResponses(400, 401, 403)

/** The ways of learners: from step to step, back again, and from state to state. */
export function journeyRoutes(context: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.get('/funnels', {
      schema: {
        operationId: 'getFunnel',
        tags: ['Metrics'],
        summary: 'Funnel',
        description:
          'How many learners of the target population came how far from step to step, and how long it took them. Wants the scope `metrics/read`, or `line/read`, which speaks of the own line alone.',
        querystring: FunnelParameters,
        response: { 200: funnelAnswer, 304: Unchanged, ...problems }
      },
      config: readers,
      handler: async (request, reply) =>
        answer(context, request, reply, {
          prepare: asker => prepareFunnel(context.db, request.query, asker),
          asCsv: stepsCsv
        })
    })
    app.get('/sequences', {
      schema: {
        operationId: 'getSequence',
        tags: ['Metrics'],
        summary: 'Sequence',
        description:
          "How many learners of the target population opened at least twice, practised, got feedback from a peer and then a manager's check. Wants the scope `metrics/read`, or `line/read`, which speaks of the own line alone.",
        querystring: SequenceParameters,
        response: { 200: sequenceAnswer, 304: Unchanged, ...problems }
      },
      config: readers,
      handler: async (request, reply) =>
        answer(context, request, reply, {
          prepare: asker => prepareSequence(context.db, request.query, asker),
          asCsv: stepsCsv
        })
    })
    app.get('/retention', {
      schema: {
        operationId: 'getRetention',
        tags: ['Metrics'],
        summary: 'Retention',
        description:
          'How many of those who became active in each unit of the window were active in the units after it, and where most were lost. Wants the scope `metrics/read`, or `line/read`, which speaks of the own line alone.',
        querystring: RetentionParameters,
        response: { 200: retentionAnswer, 304: Unchanged, ...problems }
      },
      config: readers,
      handler: async (request, reply) =>
        answer(context, request, reply, {
          prepare: asker => prepareRetention(context.db, request.query, asker),
          asCsv: retentionCsv
        })
    })
    app.get('/lifecycle', {
      schema: {
        operationId: 'getLifecycle',
        tags: ['Metrics'],
        summary: 'Lifecycle',
        description:
          'How many learners of each period are new, returning, resurrecting or dormant. Wants the scope `metrics/read`, or `line/read`, which speaks of the own line alone.',
        querystring: LifecycleParameters,
        response: { 200: lifecycleAnswer, 304: Unchanged, ...problems }
      },
      config: readers,
      handler: async (request, reply) =>
        answer(context, request, reply, {
          prepare: asker => prepareLifecycle(context.db, request.query, asker),
          asCsv: lifecycleCsv
        })
    })
  }
}

/** How a journey is prepared, and written as a table. */
interface Journey<Answer> {
  readonly prepare: (asker: MetricAsker) => Promise<PreparedJourney<Answer>>
  readonly asCsv: (answer: Answer) => string
}

/** Sends the answer in the form that is wanted, or says that the reader has it already. */
async function answer<Answer>(
  context: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { prepare, asCsv }: Journey<Answer>
) {
  const { request: resolved, complete } = await prepare(askerOf(context, request.principal, 'aggregates'))
  const given = await taggedAnswer(context, request, reply, { resolved, shown: 'aggregates' }, complete)
  return given === null ? reply.code(304).send(null) : sendForm(request, reply, given, asCsv)
}
