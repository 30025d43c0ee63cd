import { type Kysely, sql } from 'kysely'
import { toMicroseconds } from '../database/instant-text.js'
import type { Database } from '../database/schema.js'
import { truncateFraction } from '../xapi/timestamp.js'
import {
  atAddress,
  type DocumentAddress,
  type DocumentContext,
  findContext,
  inContext,
  type StoredDocument
} from './document.js'

/** Finds one document, or null. */
export async function findDocument(db: Kysely<Database>, address: DocumentAddress): Promise<StoredDocument | null> {
  const numbers = await findContext(db, address)
  if (numbers === null) return null
  const { rows } = await sql<StoredDocument>`
    select content_type as "contentType", content, etag,
      ${toMicroseconds(sql`updated`)} as updated
    from document where ${atAddress(address, numbers)}`.execute(db)
  return rows[0] ?? null
}

/** The ids of a context's documents, and when the newest of them was written; null when there is none. */
export interface DocumentIds {
  readonly ids: readonly string[]
  readonly updated: string | null
}

/**
 * Finds the ids of a context's documents, of every registration unless it names one.
 *
 * @param since only those written after this instant (RFC 3339, UTC), or null.
 */
export async function findDocumentIds(
  db: Kysely<Database>,
  context: DocumentContext,
  since: string | null
): Promise<DocumentIds> {
  const numbers = await findContext(db, context)
  if (numbers === null) return { ids: [], updated: null }
  // `updated` has six fraction digits: rounding the instant up would hide what was written just after it.
  const after = since === null ? null : truncateFraction(since, 6)
  const { rows } = await sql<{ id: string; updated: string }>`
    select document_id as id, ${toMicroseconds(sql`updated`)} as updated
    from document
    where ${inContext(context, numbers)} and (${context.registration}::uuid is null or registration = ${context.registration}::uuid)
      and (${after}::timestamptz is null or updated > ${after}::timestamptz)
    order by updated desc, seq desc`.execute(db)
  return { ids: [...new Set(rows.map(row => row.id))], updated: rows[0]?.updated ?? null }
}
