import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { withoutAuthority } from '../xapi/erase.js'

/**
 * Puts the erased agent in the place of an authority, in at most so many statements; the tenant's gate must be held
 * alone.
 *
 * The authority is the store's to set, and no part of what makes two statements the same.
 *
 * @param toId the number of the erased agent.
 * @returns how many there were.
 * @see xAPI 1.0.3 Data 2.3.1 and 2.4.9
 */
export async function replaceAuthority(
  trx: Transaction<Database>,
  tenantId: number,
  fromIds: readonly number[],
  { toId, limit }: { readonly toId: number; readonly limit: number }
): Promise<number> {
  const { rows } = await sql<{ seq: number; text: string }>`
    select seq, text from statement
    where tenant_id = ${tenantId} and authority_id = any(${fromIds}::integer[]) limit ${limit}`.execute(trx)
  if (rows.length === 0) return 0
  await sql`
    update statement set text = given.text, authority_id = ${toId}
    from unnest(
      ${rows.map(({ seq }) => seq)}::bigint[],
      ${rows.map(({ text }) => withoutAuthority(text))}::text[]) as given(seq, text)
    where tenant_id = ${tenantId} and statement.seq = given.seq`.execute(trx)
  return rows.length
}

/** Puts the erased agent's number where statements that refer to others have the authority from those. */
export async function replaceReferredAuthority(
  trx: Transaction<Database>,
  tenantId: number,
  fromIds: readonly number[],
  toId: number
): Promise<void> {
  await sql`
    update statement_reference set authority_id = ${toId}
    where tenant_id = ${tenantId} and authority_id = any(${fromIds}::integer[])`.execute(trx)
}
