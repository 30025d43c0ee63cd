import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { answerMetric } from '../../metrics/answer.js'
import { catalogue } from '../../metrics/catalogue.js'
import { dimensionNames } from '../../metrics/dimension.js'
import type { Metric } from '../../metrics/metric.js'
import type { HttpContext } from '../context.js'
import { access } from '../scopes.js'
import { catalogueSchema } from './catalogue-schema.js'
import { askerOf, toMetricQuery } from './metric-query.js'
import { answerSchema, commonNames, querySchema } from './metrics-schema.js'
import { problemResponses } from './problem-schema.js'

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
      app.get(
        `/metrics/${metric.id}`,
        {
          schema: {
            operationId: `get${pascalCase(metric.id)}`,
            summary: metric.name,
            description: `${metric.question}\n\n${metric.definition}\n\nWants the scope \`metrics/read\`, or \`line/read\`, which speaks of the own line alone.`,
            tags: ['Metrics'],
            querystring: querySchema(metric),
            response: { 200: answerSchema(metric), ...problemResponses(400, 401, 403) }
          },
          config: { scopes: access.aggregates.read }
        },
        async request =>
          answerMetric(
            context.db,
            metric,
            toMetricQuery(metric, request.query, commonNames),
            askerOf(context, request.principal, 'aggregates')
          )
      )
    }
  }
}

function describe({ options, lagDays: _, counting: __, evidence, ...metric }: Metric) {
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
    dimensions: [...dimensionNames],
    evidence: [...evidence(standard).kinds],
    options: named
  }
}

function pascalCase(id: string): string {
  return id.replace(/(?:^|-)([a-z])/g, (_match, letter: string) => letter.toUpperCase())
}
