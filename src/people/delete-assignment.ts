import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'

/** Deletes an assignment, as if it had never been; says whether there was one. */
export async function deleteAssignment(db: Kysely<Database>, tenantId: number, assignmentId: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('assignment')
    .where('tenant_id', '=', tenantId)
    .where('assignment_id', '=', assignmentId)
    .executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}
