import { type RawBuilder, sql } from 'kysely'

/**
 * SQL that joins `person` to `roster`, only those who can be in a target population: a person whom the roster names
 * and who was not merged into another one. A person without an external id is provisional: an agent that acted before
 * any roster knew it.
 */
export const joinLearner: RawBuilder<unknown> = sql`
  join person on person.tenant_id = roster.tenant_id and person.id = roster.person_id
    and person.external_id is not null and person.merged_into is null`

/**
 * SQL for whether the person of a row of the roster was not merged into another one: the same, where nothing else of the
 * person is asked. No row of the roster is of a provisional person, and few persons are merged: `is not true` has
 * PostgreSQL read those once, where it would join 20,000 persons to 100 rows.
 */
export function isNotMerged(tenantId: number): RawBuilder<boolean> {
  return sql<boolean>`(roster.person_id in (
    select id from person where tenant_id = ${tenantId} and merged_into is not null)) is not true`
}

/** SQL for whether a row of the roster holds on a day and its person is employed then; unknown ends are open. */
export function isEmployedOn(day: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`(roster.valid @> ${day} and (roster.hired_on is null or roster.hired_on <= ${day})
    and (roster.left_on is null or roster.left_on >= ${day}))`
}

/** SQL for the days, a daterange, on which a row of the roster holds and its person is employed. */
export const employedDays: RawBuilder<unknown> = sql`
  roster.valid * case when roster.hired_on > roster.left_on then 'empty'::daterange
    else daterange(roster.hired_on, roster.left_on, '[]') end`
