import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { raiseDataVersions } from '../store/data-version.js'
import { transact } from '../store/transact.js'

/** Deletes an assignment, as if it had never been; says whether there was one. */
export async function deleteAssignment(db: Kysely<Database>, tenantId: number, assignmentId: string): Promise<boolean> {
  return transact(db, async trx => {
    const { numDeletedRows } = await trx
      .deleteFrom('assignment')
      .where('tenant_id', '=', tenantId)
      .where('assignment_id', '=', assignmentId)
      .executeTakeFirstOrThrow()
    if (numDeletedRows > 0n) await raiseDataVersions(trx, [tenantId])
    return numDeletedRows > 0n
  })
}
