import { type RawBuilder, sql } from 'kysely'

/**
 * SQL for the target population P of each period: the learners that the roster names and places in the cohort on the
 * period's first local day (membership `at_window_start`), also those with no event at all. Each period is a window
 * of its own, so a learner who joins later counts from the next period on. One row per `ordinal` and `person_id`.
 *
 * It reads the common table expression `period` of the surrounding query. A person without an external id is
 * provisional: an agent that acted before any roster knew it, and no part of P; nor is one that was merged into another.
 */
export function populationOf(tenantId: number, cohort: string | null): RawBuilder<unknown> {
  const inCohort = cohort === null ? sql`` : sql`and roster.cohorts @> array[${cohort}]::text[]`
  return sql`
    select period.ordinal, roster.person_id
    from period
    join roster on roster.tenant_id = ${tenantId} and roster.valid @> period.starts ${inCohort}
    join person on person.tenant_id = roster.tenant_id and person.id = roster.person_id
    where person.external_id is not null and person.merged_into is null`
}

/** SQL for whether the roster names a cohort at any time; true when none is asked for. */
export function cohortKnown(tenantId: number, cohort: string | null): RawBuilder<boolean> {
  if (cohort === null) return sql<boolean>`true`
  return sql<boolean>`exists (
    select from roster where tenant_id = ${tenantId} and cohorts @> array[${cohort}]::text[]
  )`
}
