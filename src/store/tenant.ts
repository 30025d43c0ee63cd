import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'

/** One customer of the service: nothing of one tenant is ever seen by another. */
export interface Tenant {
  readonly id: number
  readonly name: string
  /** IANA zone in which the tenant's local days are cut. */
  readonly timeZone: string
}

/** Finds a tenant by its name, or makes it; the zone of one that exists stays as it is. */
export async function ensureTenant(db: Kysely<Database>, name: string, timeZone: string): Promise<Tenant> {
  await db
    .insertInto('tenant')
    .values({ name, time_zone: timeZone })
    .onConflict(conflict => conflict.column('name').doNothing())
    .execute()
  return db
    .selectFrom('tenant')
    .select(['id', 'name', 'time_zone as timeZone'])
    .where('name', '=', name)
    .executeTakeFirstOrThrow()
}
