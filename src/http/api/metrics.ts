import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { answerMetric, type MetricQuery } from '../../metrics/answer.js'
import { catalogue } from '../../metrics/catalogue.js'
import type { Metric, MetricOptions } from '../../metrics/metric.js'
import type { HttpContext } from '../context.js'
import { reachOf } from '../reach.js'
import { access } from '../scopes.js'
import { answerSchema, catalogueSchema, querySchema } from './metrics-schema.js'
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
          answerMetric(context.db, metric, toQuery(metric, request.query), {
            tenantId: request.principal.tenantId,
            timeZone: request.principal.timeZone,
            minGroupSize: context.config.minGroupSize,
            asOf: context.now(),
            within: reachOf(request.principal, 'aggregates').filter
          })
      )
    }
  }
}

function describe({ options, ...metric }: Metric) {
  const named = Object.entries(options).map(([name, { description, values, default: standard }]) => ({
    name,
    description,
    values: [...values],
    default: standard
  }))
  return { ...metric, options: named }
}

/** Parts the metric's own options from the parameters that every metric knows. */
function toQuery(metric: Metric, parameters: MetricQuery): MetricQuery {
  const isOption = (name: string) => Object.hasOwn(metric.options, name)
  const entries = Object.entries(parameters)
  const options: MetricOptions = Object.fromEntries(entries.filter(([name]) => isOption(name)))
  return { ...Object.fromEntries(entries.filter(([name]) => !isOption(name))), options }
}

function pascalCase(id: string): string {
  return id.replace(/(?:^|-)([a-z])/g, (_match, letter: string) => letter.toUpperCase())
}
