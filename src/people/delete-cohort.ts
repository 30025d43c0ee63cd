import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { raiseRosterVersion } from '../store/data-version.js'
import { transact } from '../store/transact.js'

/** Deletes a saved filter; says whether there was one. The roster's own cohorts are not touched. */
export async function deleteCohort(db: Kysely<Database>, tenantId: number, id: string): Promise<boolean> {
  return transact(db, async trx => {
    const { numDeletedRows } = await trx
      .deleteFrom('cohort')
      .where('tenant_id', '=', tenantId)
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    if (numDeletedRows > 0n) await raiseRosterVersion(trx, tenantId)
    return numDeletedRows > 0n
  })
}
