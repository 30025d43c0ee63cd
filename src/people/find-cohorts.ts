import { type Kysely, sql } from 'kysely'
import { toMilliseconds } from '../database/instant-text.js'
import type { Database } from '../database/schema.js'
import type { CohortFilter } from './cohort-filter.js'

/** A filter under a name. */
export interface SavedCohort {
  readonly id: string
  /** For people to read; null where none was given. */
  readonly name: string | null
  readonly filter: CohortFilter
  readonly createdAt: string
  readonly updatedAt: string
}

/** Finds the saved filters that have one of these ids. */
export async function findCohorts(
  db: Kysely<Database>,
  tenantId: number,
  ids: readonly string[]
): Promise<ReadonlyMap<string, SavedCohort>> {
  const rows = await db
    .selectFrom('cohort')
    .select([
      'id',
      'name',
      'filter',
      toMilliseconds(sql`created_at`).as('createdAt'),
      toMilliseconds(sql`updated_at`).as('updatedAt')
    ])
    .where('tenant_id', '=', tenantId)
    .where('id', 'in', ids)
    .execute()
  // It was parsed before it was saved.
  return new Map(rows.map(row => [row.id, { ...row, filter: row.filter as CohortFilter }]))
}

/** What a cohort's name means: the saved filter of this id, else the roster's cohort; null where there is neither. */
export async function findFilter(db: Kysely<Database>, tenantId: number, name: string): Promise<CohortFilter | null> {
  const { rows } = await sql<{ filter: CohortFilter | null; is_named: boolean }>`
    select (select filter from cohort where tenant_id = ${tenantId} and id = ${name}) as filter,
      exists (select from roster where tenant_id = ${tenantId} and cohorts @> array[${name}]::text[]) as is_named`.execute(
    db
  )
  const [row] = rows
  return row?.filter ?? (row?.is_named ? { cohort: [name] } : null)
}
