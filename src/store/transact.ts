import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../database/schema.js'

/** Serialisation failure and deadlock: PostgreSQL rolled the transaction back and asks for another try. */
const retryable = new Set(['40001', '40P01'])
const attempts = 5

/**
 * Runs work in one transaction, and again from the start when PostgreSQL gave it up for a deadlock or a serialisation
 * failure, five times at most.
 *
 * The work may run more than once, so it must do nothing that can't be rolled back.
 */
export async function transact<Result>(
  db: Kysely<Database>,
  work: (trx: Transaction<Database>) => Promise<Result>
): Promise<Result> {
  for (let attempt = 1; attempt < attempts; attempt++) {
    try {
      return await db.transaction().execute(work)
    } catch (error) {
      if (!isRetryable(error)) throw error
    }
  }
  return db.transaction().execute(work)
}

function isRetryable(error: unknown): boolean {
  return retryable.has(String((Object(error) as { readonly code?: unknown }).code))
}
