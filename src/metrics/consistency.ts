import { type RawBuilder, sql } from 'kysely'
import { toMilliseconds } from '../database/instant-text.js'
import type { DerivationReason } from '../database/schema.js'

/** Where learner-days come from: `rollup`, kept by the worker, or `events`, counted anew. */
export type Source = 'rollup' | 'events'

export type Consistency = 'eventual' | 'strong'

/** What decides where learner-days are taken from. */
export interface SourceChoice {
  readonly consistency: Consistency
  readonly timeZone: string
  readonly tenantTimeZone: string
  /** The only module that counts; null for all. */
  readonly module: string | null
}

/**
 * Where to take learner-days from. The rollups are cut in the tenant's own zone, add up all modules and lag by the
 * queue, so another zone, a module or `consistency=strong` needs the events themselves.
 */
export function chooseSource({ consistency, timeZone, tenantTimeZone, module }: SourceChoice): Source {
  return consistency === 'strong' || timeZone !== tenantTimeZone || module !== null ? 'events' : 'rollup'
}

/**
 * SQL for the ISO instant, cut to milliseconds, since when the oldest queue row of the tenant waits that is due at
 * `asOf`, or was due and failed; null when the rollups wait for nothing. A row for a future event waits since its time
 * came, unless it has failed, which overwrites that time: then since it was enqueued. It must be read in the same query
 * as the rollups, to be of the same snapshot.
 */
export function oldestDue(tenantId: number, asOf: Date): RawBuilder<string | null> {
  // Two queries, for each has an index that ends in its order.
  const untried = sql`
    select min(greatest(enqueued_at, due_at)) from rollup_queue
    where tenant_id = ${tenantId} and attempts = 0 and due_at <= ${asOf.toISOString()}::timestamptz`
  const failed = sql`select min(enqueued_at) from rollup_queue where tenant_id = ${tenantId} and attempts > 0`
  return sql<string | null>`(select ${toMilliseconds(sql`least((${untried}), (${failed}))`)})`
}

/** SQL for how many queue rows of the tenant failed so often that they are tried no more. */
export function parkedRows(tenantId: number): RawBuilder<number> {
  return sql<number>`(
    select count(*) from rollup_queue where tenant_id = ${tenantId} and attempts > 0 and parked_at is not null
  )`
}

/** A derivation of a tenant's events that has been asked for and is not done. */
export interface OpenDerivation {
  readonly reason: DerivationReason
  /** ISO instant. */
  readonly requestedAt: string
  /** How much of it is done, 0 to 99. */
  readonly percent: number
}

/**
 * SQL for the tenant's oldest derivation that is open, null for none. It must be read in the same query as the events
 * and the rollups, to be of the same snapshot.
 */
export function openDerivation(tenantId: number): RawBuilder<OpenDerivation | null> {
  return sql<OpenDerivation | null>`(
    select json_build_object('reason', reason,
      'requestedAt', ${toMilliseconds(sql`requested_at`)},
      'percent', case when phase = 'events' then least(99, 100 * derived / greatest(total, 1)) else 99 end)
    from derivation
    where tenant_id = ${tenantId} and phase <> 'done'
    order by id limit 1
  )`
}

/**
 * The instant up to which an answer is complete: every statement, and every change of the mapping or the time zone,
 * that was acknowledged before it is counted. That is `asOf` when the events were counted, or when the rollups wait for
 * nothing; otherwise when the oldest work that waits was enqueued or became due. While a derivation is open it is not later than its request.
 */
export function consistentThrough(
  source: Source,
  asOf: Date,
  waiting: { readonly oldestDue: string | null; readonly derivation: OpenDerivation | null }
): string {
  const oldestDue = source === 'events' ? null : waiting.oldestDue
  const instants = [asOf.toISOString(), oldestDue, waiting.derivation?.requestedAt ?? null]
  return instants.flatMap(instant => instant ?? []).reduce((least, instant) => (instant < least ? instant : least))
}
