import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'

/** Deletes a saved filter; says whether there was one. The roster's own cohorts are not touched. */
export async function deleteCohort(db: Kysely<Database>, tenantId: number, id: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('cohort')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}
