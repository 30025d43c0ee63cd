import type { FastifyReply, FastifyRequest } from 'fastify'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { WorkerCounts } from '../rollup/worker.js'
import type { HttpContext } from './context.js'

/** What this process has measured of itself, for Prometheus. */
export interface Measures {
  readonly registry: Registry
  /** Notes an answer: its method, the route's template, the class of its status, and how long it took. */
  readonly noteAnswer: (request: FastifyRequest, reply: FastifyReply) => void
  /** Notes a transaction of statements: how many it stored, for how many requests. */
  readonly noteCommit: (statements: number, requests: number) => void
}

/** Around what single statements and pages take on a small machine: bench/RESULTS.md. */
const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const sizeBuckets = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]

/** What is counted elsewhere. */
type Measured = Pick<HttpContext, 'workerCounts' | 'poolCounts' | 'memory'>

/** Makes the measures of a process; nothing in them names a tenant, a person or an address. */
export function makeMeasures({ workerCounts, poolCounts, memory }: Measured): Measures {
  const registry = new Registry()
  const registers = [registry]
  const answers = new Histogram({
    name: 'momentum_http_request_duration_seconds',
    help: 'How long answers took, by method, route and class of status',
    labelNames: ['method', 'route', 'status'],
    buckets: secondsBuckets,
    registers
  })
  const histogram = (name: string, help: string) => new Histogram({ name, help, buckets: sizeBuckets, registers })
  const statements = histogram('momentum_commit_statements', 'Statements that one transaction stored')
  const requests = histogram('momentum_commit_requests', 'Requests whose statements one transaction stored')
  countWork(registry, workerCounts)
  countConnections(registry, poolCounts)
  countAnswers(registry, memory)
  return {
    registry,
    noteAnswer: ({ method, routeOptions }, { statusCode, elapsedTime }) => {
      // A path without a route is anybody's invention, of which there is no end.
      const route = routeOptions.url ?? 'none'
      answers.observe({ method, route, status: `${Math.floor(statusCode / 100)}xx` }, elapsedTime / 1000)
    },
    noteCommit: (stored, merged) => {
      statements.observe(stored)
      requests.observe(merged)
    }
  }
}

function countWork(registry: Registry, workerCounts: HttpContext['workerCounts']): void {
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
}

function countConnections(registry: Registry, poolCounts: HttpContext['poolCounts']): void {
  new Gauge({
    name: 'momentum_pool_connections',
    help: 'Connections to PostgreSQL that this process has open, and requests that wait for one',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const { total, idle, waiting } = poolCounts()
      this.set({ state: 'idle' }, idle)
      this.set({ state: 'busy' }, total - idle)
      this.set({ state: 'waiting' }, waiting)
    }
  })
}

function countAnswers(registry: Registry, memory: HttpContext['memory']): void {
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
}
