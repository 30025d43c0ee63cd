import { isDeepStrictEqual } from 'node:util'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import { raiseDataVersions } from '../store/data-version.js'
import { transact } from '../store/transact.js'
import { findDefinition, type SavedDefinition } from './find-definition.js'
import type { ScoreDescription } from './score.js'

/** A definition that is to be in force. */
export interface NewDefinition {
  readonly score: ScoreDescription
  /** What differs from the program's own; a `version` in it is of no account. */
  readonly given: object
  /** Who writes it: a credential's key. */
  readonly createdBy: string
}

/**
 * Puts a definition of a score in force as a new version; older ones stay as they were. The same as the one in force
 * makes no new version.
 *
 * @throws {LrsError} `invalid-parameter` for what the score's `parse` refuses
 */
export async function putDefinition(
  db: Kysely<Database>,
  tenantId: number,
  { score, given, createdBy }: NewDefinition
): Promise<SavedDefinition> {
  return transact(db, async trx => {
    // One after the other, so that no version is given twice.
    await trx.selectFrom('tenant').select('id').where('id', '=', tenantId).forNoKeyUpdate().execute()
    const current = await findDefinition(trx, tenantId, score)
    const inForce = score.parse({ ...given, version: current.version })
    if (isDeepStrictEqual(inForce, score.parse(current.definition))) return current
    const version = current.version + 1
    const definition = score.parse({ ...given, version })
    await sql`
      insert into score_definition (tenant_id, score, version, definition, created_by)
      values (${tenantId}, ${score.id}, ${version}, ${JSON.stringify(definition)}::jsonb, ${createdBy})`.execute(trx)
    const saved = await findDefinition(trx, tenantId, score, version)
    await raiseDataVersions(trx, [tenantId])
    return saved
  })
}
