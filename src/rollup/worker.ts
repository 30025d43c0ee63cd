import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { type Background, type BackgroundOptions, startBackground } from './background.js'
import type { FailedRow } from './failed-rows.js'
import { processQueue } from './process-queue.js'

/** A worker that keeps the derived tables. */
export interface Worker extends Background {
  /** What it has done since it was started. */
  readonly counts: () => WorkerCounts
}

/** What a worker has done. */
export interface WorkerCounts {
  /** Batches in which something was due. */
  readonly batches: number
  /** Rows of the queue that were done or put off. */
  readonly rows: number
  /** Failures: batches that no row was at fault of, and rows that failed alone. */
  readonly errors: number
}

/** How a worker is run. */
export interface WorkerOptions extends Omit<BackgroundOptions, 'work'> {
  /** Rows of the queue in one transaction at most. */
  readonly batchSize: number
  /** Hears of a row that failed alone, and is put off or parked. */
  readonly onFailedRow: (row: FailedRow) => void
}

/** Starts a worker in this process, which keeps the derived tables. */
export function startWorker(db: Kysely<Database>, { batchSize, idleMs, onError, onFailedRow }: WorkerOptions): Worker {
  let counts: WorkerCounts = { batches: 0, rows: 0, errors: 0 }
  const countError = () => {
    counts = { ...counts, errors: counts.errors + 1 }
  }
  const background = startBackground({
    work: async () => {
      const rows = await processQueue(db, batchSize, row => {
        countError()
        onFailedRow(row)
      })
      if (rows > 0) counts = { ...counts, batches: counts.batches + 1, rows: counts.rows + rows }
      return rows
    },
    idleMs,
    onError: error => {
      countError()
      onError(error)
    }
  })
  return { ...background, counts: () => counts }
}
