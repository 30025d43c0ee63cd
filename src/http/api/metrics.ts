import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { completeAnswer, prepareAnswer } from '../../metrics/answer.js'
import { catalogue } from '../../metrics/catalogue.js'
import { dimensionNames } from '../../metrics/dimension.js'
import type { Metric } from '../../metrics/metric.js'
import type { HttpContext } from '../context.js'
import { access } from '../scopes.js'
import { answerCsv } from './answer-csv.js'
import { catalogueSchema } from './catalogue-schema.js'
import { bothForms, sendForm } from './csv.js'
import { askerOf, toMetricQuery } from './metric-query.js'
import { answerSchema, commonNames, exampleAnswer, querySchema } from './metrics-schema.js'
import { problemResponses } from './problem-schema.js'
import { taggedAnswer, Unchanged } from './tagged-answer.js'

/** The metrics: `GET /metrics` lists them, `GET /metrics/{id}` answers one; a line in the catalogue makes a route. */
export function metricRoutes(context: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.get(
      '/metrics',
      {
        schema: {
          operationId: 'listMetrics',
          summary: 'List the metrics',
          description:
            'Every metric with its definition, unit, thresholds and options, in words and as data. Wants one of the scopes `metrics/read`, `people/read`, `line/read` and `self/read`.',
          tags: ['Metrics'],
          response: { 200: catalogueSchema, ...problemResponses(401, 403) }
        },
        config: { scopes: access.catalogue.read }
      },
      async () => ({ metrics: catalogue.map(describe) })
    )

    for (const metric of catalogue) {
      const example = exampleAnswer(metric)
      app.get(
        `/metrics/${metric.id}`,
        {
          schema: {
            operationId: `get${pascalCase(metric.id)}`,
            summary: metric.name,
            description: `${metric.question}\n\n${metric.definition}\n\nWants the scope \`metrics/read\`, or \`line/read\`, which speaks of the own line alone.`,
            tags: ['Metrics'],
            querystring: querySchema(metric),
            response: {
              200: bothForms(answerSchema(metric), { json: example, csv: answerCsv(example) }),
              304: Unchanged,
              ...problemResponses(400, 401, 403)
            }
          },
          config: { scopes: access.aggregates.read }
        },
        async (request, reply) => {
          const asker = askerOf(context, request.principal, 'aggregates')
          const prepared = await prepareAnswer(
            context.db,
            metric,
            toMetricQuery(metric, request.query, commonNames),
            asker
          )
          const tagged = { resolved: prepared.resolved, shown: 'aggregates' } as const
          const answer = await taggedAnswer(context, request, reply, tagged, () => completeAnswer(context.db, prepared))
          return answer === null ? reply.code(304).send(null) : sendForm(request, reply, answer, answerCsv)
        }
      )
    }
  }
}

function describe({ options, lagDays: _, counting: __, evidence, deedDimensions, ...metric }: Metric) {
  const named = Object.entries(options).map(([name, { description, values, default: standard }]) => ({
    name,
    description,
    values: [...values],
    default: standard
  }))
  const standard = Object.fromEntries(Object.entries(options).map(([name, option]) => [name, option.default]))
  return {
    ...metric,
    thresholds: metric.thresholds,
    dimensions: [...dimensionNames, ...(deedDimensions ?? [])],
    evidence: [...evidence(standard).kinds],
    options: named
  }
}

function pascalCase(id: string): string {
  return id.replace(/(?:^|-)([a-z])/g, (_match, letter: string) => letter.toUpperCase())
}
