import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/schema.js'

/** How much waits to be recomputed, over all tenants. */
export interface QueueState {
  /** Rows that are due, or were and failed; without what waits for its time to come. */
  readonly rows: number
  /** For how long the oldest of them has been due; 0 where there is none. */
  readonly lagSeconds: number
  /** Those that failed so often that they are tried no more. */
  readonly parked: number
}

/** Reads the state of the queue. */
export async function findQueueState(db: Kysely<Database>): Promise<QueueState> {
  const { rows } = await sql<QueueState>`
    select count(*) as rows, count(*) filter (where parked_at is not null) as parked,
      coalesce(extract(epoch from clock_timestamp()
        - min(case when attempts > 0 then enqueued_at else greatest(enqueued_at, due_at) end)), 0)::float8 as "lagSeconds"
    from rollup_queue where due_at <= clock_timestamp() or attempts > 0`.execute(db)
  return rows[0] ?? { rows: 0, lagSeconds: 0, parked: 0 }
}
