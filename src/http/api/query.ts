import { type FastifyPluginAsyncTypebox, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import type { FastifySchemaCompiler } from 'fastify'
import { LrsError } from '../../errors.js'
import { answerMetric } from '../../metrics/answer.js'
import type { Answer } from '../../metrics/cell.js'
import { findMetric } from '../../metrics/find-metric.js'
import { maxPageCells } from '../../metrics/page.js'
import type { MetricAsker } from '../../metrics/resolve-query.js'
import { type CohortFilter, parseCohortFilter } from '../../people/cohort-filter.js'
import type { HttpContext, Principal } from '../context.js'
import { access, hasScope } from '../scopes.js'
import { askerOf } from './metric-query.js'
import { problemResponses } from './problem-schema.js'
import { MetricsAnswers, MetricsQuery } from './query-schema.js'

/** Several metrics at once, over any choice of learners. */
export function queryRoutes(context: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.post('/query', {
      schema: {
        operationId: 'queryMetrics',
        tags: ['Metrics'],
        summary: 'Ask several metrics at once',
        description: `For one window, one choice of learners and up to two breakdowns, all from one snapshot; nothing is stored. An answer has at most ${maxPageCells} cells. Wants the scope \`metrics/read\`; a \`filter\` wants \`people/read\` as well, because who may choose people freely can take one group from another until one person is left. Saved cohorts serve everybody.`,
        body: MetricsQuery,
        response: { 200: MetricsAnswers, ...problemResponses(400, 401, 403, 404) }
      },
      config: { scopes: access.aggregates.read },
      // The filter is checked by its own parser, which says where in it the fault lies.
      validatorCompiler: withLooseFilter,
      handler: async ({ body: { metrics, breakdown, filter: given, ...query }, principal }) => {
        const asker = askerOf(context, principal, 'aggregates')
        const filter = given === undefined ? undefined : checkFilter(given, principal, asker)
        const asked = { ...query, filter, breakdown: breakdown?.join(','), limit: maxPageCells }
        const answers = await context.db
          .transaction()
          .setIsolationLevel('repeatable read')
          .setAccessMode('read only')
          .execute(async trx => {
            const done: Answer[] = []
            // One after another: a transaction has one connection.
            for (const { id, options = {} } of metrics) {
              done.push(await answerMetric(trx, findMetric(id), { ...asked, options }, asker))
            }
            return done
          })
        checkLength(answers)
        return { answers }
      }
    })
  }
}

const withLooseFilter: FastifySchemaCompiler<unknown> = route => {
  if (route.httpPart !== 'body') return TypeBoxValidatorCompiler(route as never)
  const properties = { ...MetricsQuery.properties, filter: {} }
  return TypeBoxValidatorCompiler({ ...route, schema: { ...MetricsQuery, properties } } as never)
}

/** Who sees only their own line sees it by name, and so may choose freely among it. */
function checkFilter(given: unknown, principal: Principal, { within }: MetricAsker): CohortFilter {
  if (within !== null || hasScope(principal.scopes, access.people.read)) return parseCohortFilter(given, '/filter')
  throw new LrsError(
    'forbidden',
    `The credential "${principal.key}" lacks the scope people/read, which a filter wants; a saved cohort does not`
  )
}

function checkLength(answers: readonly Answer[]): void {
  const long = answers.find(({ meta }) => meta.nextCursor !== null)
  if (long === undefined) return
  throw new LrsError(
    'invalid-parameter',
    `${long.metric} has more than ${maxPageCells} cells: ask for fewer periods or dimensions, or page through GET /metrics/${long.metric}`,
    { pointer: '/breakdown' }
  )
}
