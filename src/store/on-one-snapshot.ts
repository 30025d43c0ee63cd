import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../database/schema.js'

/** Runs several queries on one snapshot of the database, so that their answers are about the same moment. */
export async function onOneSnapshot<Result>(
  db: Kysely<Database>,
  work: (trx: Transaction<Database>) => Promise<Result>
): Promise<Result> {
  return db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work)
}
