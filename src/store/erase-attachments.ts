import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'

/** How many attachments went, and how many octets they had. */
export interface ErasedAttachments {
  readonly attachments: number
  readonly attachmentBytes: number
}

/** Takes the attachments from statements, and deletes the data that no other statement came with. */
export async function eraseAttachments(
  trx: Transaction<Database>,
  tenantId: number,
  seqs: readonly number[]
): Promise<ErasedAttachments> {
  const { rows: links } = await sql<{ sha2: Buffer }>`
    delete from statement_attachment where tenant_id = ${tenantId} and statement_seq = any(${seqs}::bigint[])
    returning sha2`.execute(trx)
  if (links.length === 0) return { attachments: 0, attachmentBytes: 0 }
  // A statement of its own, which sees that the rows above are gone.
  const { rows } = await sql<{ length: number }>`
    delete from attachment
    where tenant_id = ${tenantId} and sha2 = any(${links.map(({ sha2 }) => sha2)}::bytea[])
      and not exists (select from statement_attachment as owned
        where owned.tenant_id = attachment.tenant_id and owned.sha2 = attachment.sha2)
    returning length`.execute(trx)
  return { attachments: rows.length, attachmentBytes: rows.reduce((sum, { length }) => sum + length, 0) }
}
