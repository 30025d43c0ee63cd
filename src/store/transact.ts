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

/** Ends a rehearsal. */
const rollBack = new Error('A rehearsal is over: what it did is rolled back')

/** Runs work as `transact` does, and rolls back what it did. */
export async function rehearse<Result>(
  db: Kysely<Database>,
  work: (trx: Transaction<Database>) => Promise<Result>
): Promise<Result> {
  const results: Result[] = []
  try {
    await transact(db, async trx => {
      results.push(await work(trx))
      throw rollBack
    })
  } catch (error) {
    if (error !== rollBack) throw error
  }
  // The work has come to its end, or its failure would have left by now.
  return results.at(-1) as Result
}

function isRetryable(error: unknown): boolean {
  return retryable.has(String((Object(error) as { readonly code?: unknown }).code))
}
