import { setTimeout } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { processQueue } from './process-queue.js'

/** A worker that keeps the derived tables. */
export interface Worker {
  /** Says that rows were enqueued, so that the worker looks at once. */
  readonly wake: () => void
  /** Finishes the batch in hand and stops. */
  readonly stop: () => Promise<void>
}

/** How a worker is run. */
export interface WorkerOptions {
  /** Rows of the queue in one transaction at most. */
  readonly batchSize: number
  /** How long it rests before it looks for what other processes enqueued, or for what has become due. */
  readonly idleMs: number
  /** Hears of a batch that failed; it is tried again after a rest. */
  readonly onError: (error: unknown) => void
}

/** Starts a worker in this process. */
export function startWorker(db: Kysely<Database>, options: WorkerOptions): Worker {
  let stopping = false
  let awake = new AbortController()
  const wake = () => awake.abort()

  const rest = async () => {
    await setTimeout(options.idleMs, undefined, { signal: awake.signal }).catch(() => undefined)
    awake = new AbortController()
  }
  const run = async () => {
    while (!stopping) {
      const taken = await processQueue(db, options.batchSize).catch(error => {
        options.onError(error)
        return 0
      })
      if (taken === 0 && !stopping) await rest()
    }
  }

  const running = run()
  return {
    wake,
    stop: async () => {
      stopping = true
      wake()
      await running
    }
  }
}
