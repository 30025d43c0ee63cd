import { setImmediate } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../../database/schema.js'
import { joinLearner } from '../../people/target-population.js'
import { rosterVersion } from '../../store/data-version.js'
import { beginColumns, type RosterRead } from './columns.js'
import type { Roster } from './roster.js'

/** So many rows are made into columns before others have their turn: some 5 ms. */
const sliceRows = 4000

/**
 * Reads a tenant's roster of all times in one round trip, with the version that it is of. While 20,000 rows are made into
 * columns, other requests have their turn.
 */
export async function findRoster(db: Kysely<Database>, tenantId: number): Promise<Roster> {
  const read = await readRows(db, tenantId)
  const filling = beginColumns(read)
  for (let from = 0; from < read.learners.length; from += sliceRows) {
    filling.fill(from, Math.min(from + sliceRows, read.learners.length))
    await setImmediate()
  }
  return filling.end()
}

async function readRows(db: Kysely<Database>, tenantId: number): Promise<RosterRead> {
  const day = (date: string) => sql`(${sql.raw(date)} - '2000-01-01'::date)`
  const after = (months: number) => `(hired_on + interval '${months} months')::date`
  const { rows } = await sql<RosterRead>`
    with recursive family as (
      select external_id as name, merged_into as person_id from person
      where tenant_id = ${tenantId} and merged_into is not null and external_id is not null
      union
      select family.name, person.merged_into
      from family join person on person.tenant_id = ${tenantId} and person.id = family.person_id
      where person.merged_into is not null
    )
    select ${rosterVersion(tenantId)} as version,
      coalesce((
        select json_agg(json_build_array(
          roster.person_id, person.external_id, ${day('lower(valid)')}, ${day('upper(valid)')}, ${day('hired_on')},
          ${day('left_on')}, ${day(after(12))}, ${day(after(36))}, role, team, nullif(manager_id, person.external_id),
          region, job_family, assignment_type, cohorts, demographics))
        from roster ${joinLearner} where roster.tenant_id = ${tenantId}
      ), '[]') as learners,
      coalesce((
        select json_agg(json_build_array(family.name, person.external_id))
        from family join person on person.tenant_id = ${tenantId} and person.id = family.person_id
        where person.merged_into is null and person.external_id is not null
      ), '[]') as merged,
      coalesce((
        select json_agg(json_build_object('id', id, 'filter', filter)) from cohort where tenant_id = ${tenantId}
      ), '[]') as saved`.execute(db)
  return rows[0] as RosterRead
}
