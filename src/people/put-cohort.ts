import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import type { CohortFilter } from './cohort-filter.js'
import type { SavedCohort } from './find-cohorts.js'

/**
 * Saves a filter under an id, or replaces the one that is there.
 *
 * @throws {LrsError} `cohort-conflict` when the id is new and the roster has a cohort of that name: what a query means
 * by the name would change.
 */
export async function putCohort(
  db: Kysely<Database>,
  tenantId: number,
  { id, name, filter }: { readonly id: string; readonly name: string | null; readonly filter: CohortFilter }
): Promise<{ readonly cohort: SavedCohort; readonly created: boolean }> {
  const { rows } = await sql<{ created_at: string; updated_at: string; created: boolean }>`
    insert into cohort (tenant_id, id, name, filter)
    select ${tenantId}, ${id}, ${name}, ${JSON.stringify(filter)}::jsonb
    where exists (select from cohort where tenant_id = ${tenantId} and id = ${id})
      or not exists (select from roster where tenant_id = ${tenantId} and cohorts @> array[${id}]::text[])
    on conflict (tenant_id, id) do update
      set name = excluded.name, filter = excluded.filter, updated_at = clock_timestamp()
    returning created_at, updated_at, xmax = 0 as created`.execute(db)
  const [row] = rows
  if (row === undefined) {
    throw new LrsError(
      'cohort-conflict',
      `The roster has a cohort "${id}" of its own; save the filter under another id`,
      {
        pointer: '/cohortId'
      }
    )
  }
  const { created_at: createdAt, updated_at: updatedAt, created } = row
  return { cohort: { id, name, filter, createdAt, updatedAt }, created }
}
