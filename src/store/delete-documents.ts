import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import { atAddress, type DocumentAddress, type DocumentContext, findContext, inContext } from './document.js'
import { transact } from './transact.js'

/**
 * Deletes one document, with its row locked while it is decided.
 *
 * @param allow gets the tag of the document as it is, or null; what it throws leaves the document as it was.
 */
export async function deleteDocument(
  db: Kysely<Database>,
  address: DocumentAddress,
  allow: (etag: string | null) => void
): Promise<void> {
  const numbers = await findContext(db, address)
  if (numbers === null) return allow(null)
  await transact(db, async trx => {
    const { rows } = await sql<{ etag: string }>`
      select etag from document where ${atAddress(address, numbers)} for update`.execute(trx)
    const etag = rows[0]?.etag ?? null
    allow(etag)
    // One that another writer makes after our look was not decided on.
    if (etag === null) return
    await sql`delete from document where ${atAddress(address, numbers)}`.execute(trx)
  })
}

/** Deletes all documents of a context, of every registration unless it names one. */
export async function deleteDocuments(db: Kysely<Database>, context: DocumentContext): Promise<void> {
  const numbers = await findContext(db, context)
  if (numbers === null) return
  await sql`
    delete from document
    where ${inContext(context, numbers)}
      and (${context.registration}::uuid is null or registration = ${context.registration}::uuid)`.execute(db)
}
