import { type Kysely, sql } from 'kysely'
import { toMilliseconds } from '../database/instant-text.js'
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
  const { rows } = await sql<{ createdAt: string; updatedAt: string; created: boolean }>`
    insert into cohort (tenant_id, id, name, filter)
    select ${tenantId}, ${id}, ${name}, ${JSON.stringify(filter)}::jsonb
    where exists (select from cohort where tenant_id = ${tenantId} and id = ${id})
      or not exists (select from roster where tenant_id = ${tenantId} and cohorts @> array[${id}]::text[])
    on conflict (tenant_id, id) do update
      set name = excluded.name, filter = excluded.filter, updated_at = clock_timestamp()
    returning ${toMilliseconds(sql`cohort.created_at`)} as "createdAt",
      ${toMilliseconds(sql`cohort.updated_at`)} as "updatedAt", xmax = 0 as created`.execute(db)
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
  const { createdAt, updatedAt, created } = row
  return { cohort: { id, name, filter, createdAt, updatedAt }, created }
}
