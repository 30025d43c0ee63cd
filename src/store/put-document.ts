import { createHash } from 'node:crypto'
import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import {
  atAddress,
  type ContextNumbers,
  type DocumentAddress,
  digestOf,
  internContext,
  type StoredDocument
} from './document.js'
import { holdAgents, withLiveNumbers } from './erasure-fence.js'
import { transact } from './transact.js'

/** What a document becomes. */
export interface NewDocument {
  readonly contentType: string
  readonly content: Buffer
}

/**
 * Writes a document: what it becomes is decided from what it is, with its row locked, in one transaction.
 *
 * @param decide gets the document as it is, or null, and returns the new one; what it throws leaves all as it was. It
 * may be called again, with another document, when two writers make the same one at once.
 */
export async function putDocument(
  db: Kysely<Database>,
  address: DocumentAddress,
  decide: (existing: StoredDocument | null) => NewDocument
): Promise<void> {
  await withLiveNumbers(db, address.tenantId, async () => {
    const numbers = await internContext(db, address)
    if (numbers === null) throw new RangeError('an interned word has no number')
    await transact(db, async trx => {
      if (numbers.agentId !== null) await holdAgents(trx, address.tenantId, [numbers.agentId])
      while (!(await writeOnce(trx, address, numbers, decide))) {
        // Another writer made the document between our look and our insert; now it is there to be locked.
      }
    })
  })
}

async function writeOnce(
  trx: Transaction<Database>,
  address: DocumentAddress,
  numbers: ContextNumbers,
  decide: (existing: StoredDocument | null) => NewDocument
): Promise<boolean> {
  const existing = await lockDocument(trx, address, numbers)
  const { contentType, content } = decide(existing)
  const etag = createHash('sha1').update(content).digest('hex')
  if (existing !== null) {
    await sql`
      update document set content_type = ${contentType}, content = ${content}, etag = ${etag}, updated = clock_timestamp()
      where ${atAddress(address, numbers)}`.execute(trx)
    return true
  }
  const { tenantId, resource, registration, documentId } = address
  const made = await sql`
    insert into document (tenant_id, resource, activity_id, agent_id, registration, document_id, digest, content_type,
      content, etag, updated)
    values (${tenantId}, ${resource}, ${numbers.activityId}, ${numbers.agentId}, ${registration}, ${documentId},
      ${digestOf(documentId)}, ${contentType}, ${content}, ${etag}, clock_timestamp())
    on conflict (tenant_id, resource, agent_id, activity_id, registration, digest) do nothing
    returning seq`.execute(trx)
  return made.rows.length === 1
}

async function lockDocument(
  trx: Transaction<Database>,
  address: DocumentAddress,
  numbers: ContextNumbers
): Promise<StoredDocument | null> {
  const { rows } = await sql<StoredDocument>`
    select content_type as "contentType", content, etag, updated from document
    where ${atAddress(address, numbers)} for update`.execute(trx)
  return rows[0] ?? null
}
