import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { raiseDataVersions } from '../store/data-version.js'
import type { Tenant } from '../store/tenant.js'
import { transact } from '../store/transact.js'
import { requestDerivation } from './derivations.js'

/** A tenant, and the number of the derivation that cuts its days anew; null where its zone was that already. */
export interface TenantInZone {
  readonly tenant: Tenant
  readonly derivationId: number | null
}

/**
 * Sets the time zone in which a tenant's local days are cut, and asks for a derivation of all its events.
 *
 * @param zone who sets it, and an IANA name, which the caller has checked.
 * @returns null where there is no tenant of that name.
 */
export async function setTimeZone(
  db: Kysely<Database>,
  name: string,
  { timeZone, setBy }: { readonly timeZone: string; readonly setBy: string }
): Promise<TenantInZone | null> {
  return transact(db, async trx => {
    const found = await trx
      .selectFrom('tenant')
      .select(['id', 'time_zone as timeZone'])
      .where('name', '=', name)
      .forNoKeyUpdate()
      .executeTakeFirst()
    if (found === undefined) return null
    const tenant = { id: found.id, name, timeZone }
    if (found.timeZone === timeZone) return { tenant, derivationId: null }
    await trx.updateTable('tenant').set({ time_zone: timeZone }).where('id', '=', found.id).execute()
    const request = { tenantId: found.id, reason: 'time-zone', verbIds: null, requestedBy: setBy } as const
    const derivationId = await requestDerivation(trx, request)
    await raiseDataVersions(trx, [found.id])
    return { tenant, derivationId }
  })
}
