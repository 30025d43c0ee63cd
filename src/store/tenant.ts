import { type Kysely, sql } from 'kysely'
import { toMilliseconds } from '../database/instant-text.js'
import type { Database } from '../database/schema.js'

/** One customer of the service: nothing of one tenant is ever seen by another. */
export interface Tenant {
  readonly id: number
  readonly name: string
  /** IANA zone in which the tenant's local days are cut. */
  readonly timeZone: string
}

/** A tenant as it is listed. */
export interface ListedTenant extends Tenant {
  /** RFC 3339 in UTC. */
  readonly createdAt: string
}

/** Finds a tenant by its name, or makes it; the zone of one that exists stays as it is. */
export async function ensureTenant(db: Kysely<Database>, name: string, timeZone: string): Promise<Tenant> {
  await createTenant(db, name, timeZone)
  return selectTenant(db).where('name', '=', name).executeTakeFirstOrThrow()
}

/** Makes a tenant; null where there is one of that name already. */
export async function createTenant(db: Kysely<Database>, name: string, timeZone: string): Promise<Tenant | null> {
  const made = await db
    .insertInto('tenant')
    .values({ name, time_zone: timeZone })
    .onConflict(conflict => conflict.column('name').doNothing())
    .returning(['id', 'name', 'time_zone as timeZone'])
    .executeTakeFirst()
  return made ?? null
}

/** Finds a tenant by its name, or null. */
export async function findTenant(db: Kysely<Database>, name: string): Promise<Tenant | null> {
  return (await selectTenant(db).where('name', '=', name).executeTakeFirst()) ?? null
}

/** Lists every tenant, oldest first. */
export async function listTenants(db: Kysely<Database>): Promise<readonly ListedTenant[]> {
  const createdAt = toMilliseconds(sql`created_at`)
  return selectTenant(db).select(createdAt.as('createdAt')).orderBy('id').execute()
}

function selectTenant(db: Kysely<Database>) {
  return db.selectFrom('tenant').select(['id', 'name', 'time_zone as timeZone'])
}
