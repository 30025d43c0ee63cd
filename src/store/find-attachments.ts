import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/schema.js'

/** Data that came with a statement. */
export interface StoredAttachment {
  readonly statementId: string
  /** Hexadecimal, in lower case. */
  readonly sha2: string
  /** Octets. */
  readonly length: number
}

/** Finds which attachments came with statements, by the statements' ids, in no particular order. */
export async function findAttachments(
  db: Kysely<Database>,
  tenantId: number,
  statementIds: readonly string[]
): Promise<readonly StoredAttachment[]> {
  const { rows } = await sql<StoredAttachment>`
    select statement.id as "statementId", encode(attachment.sha2, 'hex') as sha2, attachment.length
    from statement
    join statement_attachment as owned on owned.tenant_id = statement.tenant_id and owned.statement_seq = statement.seq
    join attachment on attachment.tenant_id = owned.tenant_id and attachment.sha2 = owned.sha2
    where statement.tenant_id = ${tenantId} and statement.id = any(${statementIds}::uuid[])`.execute(db)
  return rows
}

/**
 * Reads an attachment's data piece by piece, each by a query of its own: no connection waits for a slow reader, and no
 * more than a piece is in memory.
 *
 * @throws {RangeError} when data are missing, because the attachment was deleted meanwhile.
 */
export async function* readAttachment(
  db: Kysely<Database>,
  tenantId: number,
  { sha2, length }: Pick<StoredAttachment, 'sha2' | 'length'>
): AsyncGenerator<Buffer> {
  let done = 0
  for (let position = 0; done < length; position++) {
    const chunk = await db
      .selectFrom('attachment_chunk')
      .select('content')
      .where('tenant_id', '=', tenantId)
      .where('sha2', '=', Buffer.from(sha2, 'hex'))
      .where('position', '=', position)
      .executeTakeFirst()
    if (chunk === undefined) throw new RangeError(`the attachment ${sha2} ends after ${done} of ${length} bytes`)
    done += chunk.content.length
    yield chunk.content
  }
}
