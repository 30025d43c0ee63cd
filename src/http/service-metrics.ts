import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Gauge, type Registry } from 'prom-client'
import { Type } from 'typebox'
import { findQueueState } from '../rollup/queue-state.js'
import type { HttpContext } from './context.js'
import type { Measures } from './measures.js'

/**
 * The service's own metrics for Prometheus, open to everybody like the health checks: they count over all tenants and
 * name none, nor any person.
 */
export function serviceMetricRoutes(context: HttpContext, { registry }: Measures): FastifyPluginAsyncTypebox {
  const refresh = queueGauges(context, [registry])
  return async app => {
    app.get('/metrics', {
      schema: {
        operationId: 'getServiceMetrics',
        tags: ['health'],
        summary: "The service's own metrics, for Prometheus",
        description:
          'How long answers take by method, route and class of status; statements and requests of a transaction; length and lag of the queue that rollups follow, over all tenants; what the worker of this process, or with WORKERS those of all, have done; and its connections to PostgreSQL. No person and no tenant is named.',
        security: [],
        produces: ['text/plain'],
        response: {
          200: Type.String({
            description: "Prometheus' text format.",
            examples: ['# TYPE momentum_rollup_queue_rows gauge\nmomentum_rollup_queue_rows 0\n']
          })
        }
      },
      handler: async (_request, reply) => {
        await refresh()
        return reply.type(registry.contentType).send(await registry.metrics())
      }
    })
  }
}

function queueGauges({ db }: HttpContext, registers: [Registry]): () => Promise<void> {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers })
  const rows = gauge('momentum_rollup_queue_rows', 'Rows of the queue that are due to be recomputed')
  const lag = gauge('momentum_rollup_lag_seconds', 'For how long the oldest of them has been due')
  const parked = gauge('momentum_rollup_parked_rows', 'Rows that failed so often that they are tried no more')
  return async () => {
    const state = await findQueueState(db)
    rows.set(state.rows)
    lag.set(state.lagSeconds)
    parked.set(state.parked)
  }
}
