import { type Kysely, sql, type Transaction } from 'kysely'
import { toMilliseconds } from '../database/instant-text.js'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { raiseRosterVersion } from '../store/data-version.js'
import { transact } from '../store/transact.js'
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
  given: NewCohort
): Promise<{ readonly cohort: SavedCohort; readonly created: boolean }> {
  const saved = await transact(db, async trx => {
    const row = await save(trx, tenantId, given)
    if (row !== undefined) await raiseRosterVersion(trx, tenantId)
    return row
  })
  if (saved === undefined) {
    const message = `The roster has a cohort "${given.id}" of its own; save the filter under another id`
    throw new LrsError('cohort-conflict', message, { pointer: '/cohortId' })
  }
  const { created, ...instants } = saved
  return { cohort: { ...given, ...instants }, created }
}

/** A filter as it is to be saved. */
interface NewCohort {
  readonly id: string
  readonly name: string | null
  readonly filter: CohortFilter
}

interface SavedRow {
  readonly createdAt: string
  readonly updatedAt: string
  readonly created: boolean
}

async function save(
  trx: Transaction<Database>,
  tenantId: number,
  { id, name, filter }: NewCohort
): Promise<SavedRow | undefined> {
  const { rows } = await sql<SavedRow>`
    insert into cohort (tenant_id, id, name, filter)
    select ${tenantId}, ${id}, ${name}, ${JSON.stringify(filter)}::jsonb
    where exists (select from cohort where tenant_id = ${tenantId} and id = ${id})
      or not exists (select from roster where tenant_id = ${tenantId} and cohorts @> array[${id}]::text[])
    on conflict (tenant_id, id) do update
      set name = excluded.name, filter = excluded.filter, updated_at = clock_timestamp()
    returning ${toMilliseconds(sql`cohort.created_at`)} as "createdAt",
      ${toMilliseconds(sql`cohort.updated_at`)} as "updatedAt", xmax = 0 as created`.execute(trx)
  return rows[0]
}
