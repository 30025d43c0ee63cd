import { type Kysely, sql } from 'kysely'
import { LRUCache } from 'lru-cache'
import { toMicroseconds } from '../database/instant-text.js'
import type { Database } from '../database/schema.js'
import { rememberErasures } from './erasure-fence.js'

/** What was asked lately, by tenant. One for each database, for tests open many. */
interface Asked {
  readonly byTenant: LRUCache<number, Promise<string>>
  /** The newest answer, whosever it was: the instant is the same for all tenants. */
  last: string | null
}

const asked = new WeakMap<object, Asked>()
const rememberedTenants = 10_000

/** How long an answer is given again: a question takes as long as a short page, and an older instant is right as well. */
const rememberedMs = 100

/**
 * The instant up to which every statement can be read: none that is still being written will get an earlier `stored`.
 * It is at most 100 ms older than it could be.
 *
 * A writer takes its transaction's id before its stamp. So each transaction that may still commit an earlier stamp is
 * in `pg_stat_activity` with an id, and began before its stamp; one without an id gets a stamp later than this query.
 *
 * What is remembered of the tenant's agents is brought up to the same instant: a statement that another process has
 * stored, since an erasure, under a new number of an agent is found by that number if it was stored before.
 *
 * @returns RFC 3339 in UTC, with microseconds.
 * @see xAPI 1.0.3 Communication 2.1.3, X-Experience-API-Consistent-Through
 */
export async function consistentThrough(db: Kysely<Database>, tenantId: number): Promise<string> {
  const { byTenant } = askedOf(db)
  const known = byTenant.get(tenantId)
  if (known !== undefined) return known
  // The promise, so that requests that come meanwhile wait for the same answer.
  const instant = ask(db, tenantId)
  byTenant.set(tenantId, instant)
  instant.catch(() => byTenant.delete(tenantId))
  return instant
}

/** The newest instant that this process has asked for, without asking; null before it has. */
export function lastConsistentThrough(db: Kysely<Database>): string | null {
  return askedOf(db).last
}

async function ask(db: Kysely<Database>, tenantId: number): Promise<string> {
  const { rows } = await sql<{ instant: string; erasures: number | null }>`
    select ${toMicroseconds(sql`least(statement_timestamp(), min(xact_start))`)}
      as instant, (select erasures from tenant where id = ${tenantId}) as erasures
    from pg_stat_activity
    where datname = current_database() and backend_xid is not null`.execute(db)
  for (const { erasures } of rows) rememberErasures(db, tenantId, erasures ?? 0)
  const instant = rows.map(row => row.instant).join()
  askedOf(db).last = instant
  return instant
}

function askedOf(db: Kysely<Database>): Asked {
  const known = asked.get(db)
  if (known !== undefined) return known
  const made: Asked = { byTenant: new LRUCache({ max: rememberedTenants, ttl: rememberedMs }), last: null }
  asked.set(db, made)
  return made
}
