import { type Kysely, sql } from 'kysely'
import { toMilliseconds } from '../database/instant-text.js'
import type { Database } from '../database/schema.js'
import { raiseDataVersions } from '../store/data-version.js'
import { transact } from '../store/transact.js'
import type { PilotDefinition } from './pilot.js'
import { parsePilotDefinition } from './pilot-decision.js'

/** A pilot: whom it is meant for, when, and what it is judged by. */
export interface Pilot {
  readonly id: string
  /** For people to read; null where none was given. */
  readonly name: string | null
  /** Saved filters and cohorts that the roster names, as the parameter `cohort` of a metric has them. */
  readonly cohort: string
  /** First local day. */
  readonly startsOn: string
  readonly lengthWeeks: number
  /** Its version is raised whenever it changes. */
  readonly definition: PilotDefinition
  readonly createdAt: string
  readonly updatedAt: string
}

/** A pilot to be saved; the version of its definition is of no account. */
export type NewPilot = Omit<Pilot, 'createdAt' | 'updatedAt'>

const columns = sql`id, name, cohort, starts_on::text as "startsOn", length_weeks as "lengthWeeks", definition,
  ${toMilliseconds(sql`created_at`)} as "createdAt", ${toMilliseconds(sql`updated_at`)} as "updatedAt"`

/** Saves a pilot under an id, or replaces the one that is there. */
export async function putPilot(
  db: Kysely<Database>,
  tenantId: number,
  { id, name, cohort, startsOn, lengthWeeks, definition }: NewPilot
): Promise<{ readonly pilot: Pilot; readonly created: boolean }> {
  const text = JSON.stringify({ ...definition, version: 1 })
  const { created, ...pilot } = await transact(db, async trx => {
    const { rows } = await sql<Pilot & { readonly created: boolean }>`
      insert into pilot (tenant_id, id, name, cohort, starts_on, length_weeks, definition)
      values (${tenantId}, ${id}, ${name}, ${cohort}, ${startsOn}::date, ${lengthWeeks}, ${text}::jsonb)
      on conflict (tenant_id, id) do update set
        name = excluded.name, cohort = excluded.cohort, starts_on = excluded.starts_on,
        length_weeks = excluded.length_weeks, updated_at = clock_timestamp(),
        definition = case when pilot.definition - 'version' = excluded.definition - 'version' then pilot.definition
          else jsonb_set(excluded.definition, '{version}', to_jsonb((pilot.definition->>'version')::integer + 1)) end
      returning ${columns}, xmax = 0 as created`.execute(trx)
    await raiseDataVersions(trx, [tenantId])
    return rows[0] as (typeof rows)[number]
  })
  return { pilot: parsed(pilot), created }
}

/** Finds a pilot; null for none. */
export async function findPilot(db: Kysely<Database>, tenantId: number, id: string): Promise<Pilot | null> {
  const { rows } = await sql<Pilot>`
    select ${columns} from pilot where tenant_id = ${tenantId} and id = ${id}`.execute(db)
  return rows[0] === undefined ? null : parsed(rows[0])
}

/** Lists pilots behind an id, null for the first page, in the order of their ids as code points go. */
export async function listPilots(
  db: Kysely<Database>,
  tenantId: number,
  { after, limit }: { readonly after: string | null; readonly limit: number }
): Promise<{ readonly pilots: readonly Pilot[]; readonly hasMore: boolean }> {
  const { rows } = await sql<Pilot>`
    select ${columns} from pilot
    where tenant_id = ${tenantId} and (${after}::text is null or id collate "C" > ${after}::text)
    order by id collate "C" limit ${limit + 1}`.execute(db)
  return { pilots: rows.slice(0, limit).map(parsed), hasMore: rows.length > limit }
}

/** Deletes a pilot; says whether there was one. What it was judged by goes with it; the record does not. */
export async function deletePilot(db: Kysely<Database>, tenantId: number, id: string): Promise<boolean> {
  return transact(db, async trx => {
    const { numDeletedRows } = await trx
      .deleteFrom('pilot')
      .where('tenant_id', '=', tenantId)
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    if (numDeletedRows > 0n) await raiseDataVersions(trx, [tenantId])
    return numDeletedRows > 0n
  })
}

/** In the order of the definition's own fields, which `jsonb` doesn't keep. */
function parsed(pilot: Pilot): Pilot {
  return { ...pilot, definition: parsePilotDefinition(pilot.definition) }
}
