import { type Kysely, sql } from 'kysely'
import { LRUCache } from 'lru-cache'
import { toMilliseconds } from '../database/instant-text.js'
import type { Database } from '../database/schema.js'
import { type EventMapping, makeMapping } from './mapping.js'
import type { MappingRule } from './mapping-rule.js'

/** A version of a tenant's mapping as it is listed. */
export interface ListedMapping {
  readonly version: number
  /** How many rules the tenant wrote. */
  readonly rules: number
  /** The credential's key. */
  readonly createdBy: string
  /** RFC 3339 in UTC. */
  readonly createdAt: string
}

const pageLength = 100

/**
 * The mappings last seen in force, one cache for each database. An entry may be old: whoever writes events by it has
 * `insertEvents` compare its version with the newest.
 */
const caches = new WeakMap<object, LRUCache<number, EventMapping>>()
const cachedTenants = 1000

/** Finds the mapping in force: the tenant's newest, or the program's own where there is none. */
export async function findMapping(db: Kysely<Database>, tenantId: number): Promise<EventMapping> {
  const row = await db
    .selectFrom('event_mapping')
    .select(['version', 'rules'])
    .where('tenant_id', '=', tenantId)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst()
  return makeMapping(row?.version ?? 0, (row?.rules ?? []) as readonly MappingRule[])
}

/** Finds one version of a tenant's mapping, upon the defaults of this program; 0 is these alone. Null for none. */
export async function findMappingVersion(
  db: Kysely<Database>,
  tenantId: number,
  version: number
): Promise<EventMapping | null> {
  if (version === 0) return makeMapping(0, [])
  const row = await db
    .selectFrom('event_mapping')
    .select('rules')
    .where('tenant_id', '=', tenantId)
    .where('version', '=', version)
    .executeTakeFirst()
  return row === undefined ? null : makeMapping(version, row.rules as readonly MappingRule[])
}

/** Lists the versions of a tenant's mapping, the newest first, at most a hundred of those before a version. */
export async function listMappings(
  db: Kysely<Database>,
  tenantId: number,
  before: number | null
): Promise<readonly ListedMapping[]> {
  const { rows } = await sql<ListedMapping>`
    select version, jsonb_array_length(rules) as rules, created_by as "createdBy",
      ${toMilliseconds(sql`created_at`)} as "createdAt"
    from event_mapping
    where tenant_id = ${tenantId} and (${before}::integer is null or version < ${before}::integer)
    order by version desc limit ${pageLength}`.execute(db)
  return rows
}

/** The mapping last seen in force; looks for the newest only where none was seen, or where it must be newer. */
export async function rememberedMapping(
  db: Kysely<Database>,
  tenantId: number,
  mustLook = false
): Promise<EventMapping> {
  const cache = caches.get(db) ?? new LRUCache<number, EventMapping>({ max: cachedTenants })
  caches.set(db, cache)
  const known = mustLook ? undefined : cache.get(tenantId)
  if (known !== undefined) return known
  const found = await findMapping(db, tenantId)
  cache.set(tenantId, found)
  return found
}
