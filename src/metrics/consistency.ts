import { type RawBuilder, sql } from 'kysely'

/** Where learner-days come from: `rollup`, kept by the worker, or `events`, counted anew. */
export type Source = 'rollup' | 'events'

export type Consistency = 'eventual' | 'strong'

/**
 * Where to take learner-days from. The rollups are cut in the tenant's own zone and lag by the queue, so another zone
 * or `consistency=strong` needs the events themselves.
 */
export function chooseSource(consistency: Consistency, timeZone: string, tenantTimeZone: string): Source {
  return consistency === 'strong' || timeZone !== tenantTimeZone ? 'events' : 'rollup'
}

/**
 * SQL for the ISO instant, cut to milliseconds, of the oldest queue row of the tenant that is due at `asOf`; null
 * when the rollups wait for nothing. It must be read in the same query as the rollups, to be of the same snapshot.
 */
export function oldestDue(tenantId: number, asOf: Date): RawBuilder<string | null> {
  return sql<string | null>`(
    select to_char(min(enqueued_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    from rollup_queue
    where tenant_id = ${tenantId} and due_at <= ${asOf.toISOString()}::timestamptz
  )`
}

/**
 * The instant up to which an answer is complete: every statement acknowledged before it is counted. That is `asOf`
 * when the events were counted, or when the rollups wait for nothing; otherwise when the oldest work was enqueued.
 */
export function consistentThrough(source: Source, asOf: Date, oldestDueAt: string | null): string {
  const asOfText = asOf.toISOString()
  if (source === 'events' || oldestDueAt === null) return asOfText
  return oldestDueAt < asOfText ? oldestDueAt : asOfText
}
