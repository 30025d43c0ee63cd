import { type Kysely, sql } from 'kysely'
import { toMilliseconds } from '../database/instant-text.js'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import type { ScoreDescription } from './score.js'

/** A version of a score's definition. */
export interface SavedDefinition {
  readonly version: number
  /** With its version; as the score's `parse` takes it. */
  readonly definition: object
  /** The credential's key; null of version 1, the program's own. */
  readonly createdBy: string | null
  /** RFC 3339 in UTC; null of version 1. */
  readonly createdAt: string | null
}

/** The program's own definition of a score, which is version 1 of every tenant's. */
export function standardDefinition({ standard }: Pick<ScoreDescription, 'standard'>): SavedDefinition {
  return { version: 1, definition: standard, createdBy: null, createdAt: null }
}

/**
 * Finds the definition of a score that is in force, or one version of it.
 *
 * @throws {LrsError} `not-found` where the tenant has no such version
 */
export async function findDefinition(
  db: Kysely<Database>,
  tenantId: number,
  score: ScoreDescription,
  version?: number
): Promise<SavedDefinition> {
  if (version === 1) return standardDefinition(score)
  const row = await db
    .selectFrom('score_definition')
    .select(['version', 'definition', 'created_by as createdBy', toMilliseconds(sql`created_at`).as('createdAt')])
    .where('tenant_id', '=', tenantId)
    .where('score', '=', score.id)
    .where(
      'version',
      '=',
      version ??
        sql<number>`(
      select max(version) from score_definition where tenant_id = ${tenantId} and score = ${score.id})`
    )
    .executeTakeFirst()
  // It was parsed before it was saved.
  if (row !== undefined) return { ...row, definition: row.definition as object }
  if (version === undefined) return standardDefinition(score)
  throw new LrsError('not-found', `The definition of ${score.id} has no version ${version}`, {
    pointer: '/definitionVersion'
  })
}

/** Finds the definitions in force of all scores that a tenant has changed, by the scores' ids. */
export async function findDefinitions(
  db: Kysely<Database>,
  tenantId: number
): Promise<ReadonlyMap<string, SavedDefinition>> {
  const rows = await db
    .selectFrom('score_definition')
    .distinctOn('score')
    .select(['score', 'version', 'definition', 'created_by as createdBy'])
    .select(toMilliseconds(sql`created_at`).as('createdAt'))
    .where('tenant_id', '=', tenantId)
    .orderBy('score')
    .orderBy('version', 'desc')
    .execute()
  return new Map(rows.map(({ score, ...row }) => [score, { ...row, definition: row.definition as object }]))
}
