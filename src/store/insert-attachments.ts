import { sql, type Transaction } from 'kysely'
import type { AttachmentChunkTable, Database } from '../database/schema.js'

/** Data of an attachment to be stored. */
export interface NewAttachment {
  /** The hash that they were sent under, in hexadecimal. */
  readonly sha2: string
  /** Octets. */
  readonly length: number
  /** Reads them from the start, in pieces of this many bytes, the last one shorter. */
  readonly read: (pieceBytes: number) => AsyncIterable<Buffer>
}

/** What a new statement calls its attachments. */
export interface AttachmentOwner {
  readonly seq: number
  /** Hexadecimal hashes; those without data are passed over. */
  readonly sha2: readonly string[]
}

/** Of 200 MB, pieces of 64 kB are read a third slower than these, and those of 1 MB no faster; writing takes the same. */
const chunkBytes = 262_144

/** What one statement brings to the database at most, in bytes and in rows. */
const batchBytes = 1_048_576
const batchRows = 1000

/**
 * Stores the data that new statements came with, once in a tenant, and whose they are.
 *
 * Data that no new statement names are not stored. They go to the database in pieces, so that memory holds a megabyte
 * of them however large they are.
 */
export async function insertAttachments(
  trx: Transaction<Database>,
  tenantId: number,
  owners: readonly AttachmentOwner[],
  attachments: readonly NewAttachment[]
): Promise<void> {
  const received = new Map(attachments.map(attachment => [attachment.sha2, attachment]))
  const links = owners.flatMap(({ seq, sha2 }) =>
    [...new Set(sha2)].filter(hash => received.has(hash)).map(hash => ({ seq, sha2: hash }))
  )
  const named = new Set(links.map(link => link.sha2))
  if (named.size === 0) return
  const unknown = await insertUnknown(
    trx,
    tenantId,
    [...received.values()].filter(({ sha2 }) => named.has(sha2))
  )
  await insertChunks(trx, tenantId, unknown)
  await sql`
    insert into statement_attachment (tenant_id, statement_seq, sha2)
    select ${tenantId}::integer, seq, sha2
    from unnest(${links.map(link => link.seq)}::bigint[], ${links.map(link => bytesOf(link.sha2))}::bytea[])
      as given(seq, sha2)`.execute(trx)
}

/** Those that the tenant did not have. */
async function insertUnknown(
  trx: Transaction<Database>,
  tenantId: number,
  attachments: readonly NewAttachment[]
): Promise<readonly NewAttachment[]> {
  // In the order of the hashes: two requests with the same attachments wait for each other, but not in a circle.
  const { rows } = await sql<{ sha2: Buffer }>`
    insert into attachment (tenant_id, sha2, length)
    select ${tenantId}::integer, sha2, length
    from unnest(${attachments.map(({ sha2 }) => bytesOf(sha2))}::bytea[],
      ${attachments.map(({ length }) => length)}::bigint[]) as given(sha2, length)
    order by sha2
    on conflict do nothing
    returning sha2`.execute(trx)
  const inserted = new Set(rows.map(({ sha2 }) => sha2.toString('hex')))
  return attachments.filter(({ sha2 }) => inserted.has(sha2))
}

async function insertChunks(
  trx: Transaction<Database>,
  tenantId: number,
  attachments: readonly NewAttachment[]
): Promise<void> {
  let batch: AttachmentChunkTable[] = []
  let bytes = 0
  const flush = async () => {
    if (batch.length > 0) await trx.insertInto('attachment_chunk').values(batch).execute()
    batch = []
    bytes = 0
  }
  for (const { sha2, read } of attachments) {
    let position = 0
    for await (const content of read(chunkBytes)) {
      batch.push({ tenant_id: tenantId, sha2: bytesOf(sha2), position: position++, content })
      bytes += content.length
      if (bytes >= batchBytes || batch.length === batchRows) await flush()
    }
  }
  await flush()
}

function bytesOf(sha2: string): Buffer {
  return Buffer.from(sha2, 'hex')
}
