import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { type Background, type BackgroundOptions, startBackground } from './background.js'
import { processQueue } from './process-queue.js'

/** How a worker is run. */
export interface WorkerOptions extends Omit<BackgroundOptions, 'work'> {
  /** Rows of the queue in one transaction at most. */
  readonly batchSize: number
}

/** Starts a worker in this process, which keeps the derived tables. */
export function startWorker(db: Kysely<Database>, { batchSize, ...options }: WorkerOptions): Background {
  return startBackground({ ...options, work: () => processQueue(db, batchSize) })
}
