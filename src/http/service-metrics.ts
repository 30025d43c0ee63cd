import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Counter, Gauge, Registry } from 'prom-client'
import { Type } from 'typebox'
import { findQueueState } from '../rollup/queue-state.js'
import type { WorkerCounts } from '../rollup/worker.js'
import type { HttpContext } from './context.js'

/**
 * The service's own metrics for Prometheus, open to everybody like the health checks: they count over all tenants and
 * name none, nor any person.
 */
export function serviceMetricRoutes(context: HttpContext): FastifyPluginAsyncTypebox {
  const { registry, refresh } = makeRegistry(context)
  return async app => {
    app.get('/metrics', {
      schema: {
        operationId: 'getServiceMetrics',
        tags: ['health'],
        summary: "The service's own metrics, for Prometheus",
        description:
          'Length and lag of the queue that rollups follow, over all tenants, and what the worker of this process, or with WORKERS those of all, have done. No person and no tenant is named.',
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

function makeRegistry({ db, memory, workerCounts }: HttpContext) {
  const registry = new Registry()
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] })
  const rows = gauge('momentum_rollup_queue_rows', 'Rows of the queue that are due to be recomputed')
  const lag = gauge('momentum_rollup_lag_seconds', 'For how long the oldest of them has been due')
  const parked = gauge('momentum_rollup_parked_rows', 'Rows that failed so often that they are tried no more')
  const count = (name: string, help: string, read: (counts: WorkerCounts) => number) =>
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset()
        this.inc(read(workerCounts()))
      }
    })
  count('momentum_worker_batches_total', 'Batches that this process has worked on', counts => counts.batches)
  count('momentum_worker_rows_total', 'Rows of the queue that this process has done', counts => counts.rows)
  count('momentum_worker_errors_total', 'Batches and single rows that failed in this process', counts => counts.errors)
  new Counter({
    name: 'momentum_counts_total',
    help: 'How often numbers of metrics were counted, or were remembered of the same data',
    labelNames: ['from'],
    registers: [registry],
    collect() {
      this.reset()
      this.inc({ from: 'database' }, memory?.counts.counted ?? 0)
      this.inc({ from: 'memory' }, memory?.counts.remembered ?? 0)
    }
  })
  const refresh = async () => {
    const state = await findQueueState(db)
    rows.set(state.rows)
    lag.set(state.lagSeconds)
    parked.set(state.parked)
  }
  return { registry, refresh }
}
