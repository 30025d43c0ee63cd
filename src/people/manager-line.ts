import { type RawBuilder, sql } from 'kysely'

/** The days that are of interest, half-open. */
export interface DaySpan {
  readonly tenantId: number
  /** First local day, `YYYY-MM-DD`; null for all time before. */
  readonly from: string | null
  /** The local day after the last; null for no end. */
  readonly to: string | null
}

/**
 * SQL for the numbers of the persons who have these personIds; a merged person is the one it was merged into.
 *
 * @returns a query, to stand in parentheses
 */
export function personsNamed(tenantId: number, names: readonly string[]): RawBuilder<unknown> {
  return sql`
    with recursive survivor as (
      select id, merged_into from person where tenant_id = ${tenantId} and external_id = any(${names}::text[])
      union
      select person.id, person.merged_into
      from survivor join person on person.tenant_id = ${tenantId} and person.id = survivor.merged_into
    )
    select id from survivor where merged_into is null`
}

/**
 * SQL for every name under which these managers may stand in the roster: the names themselves, since an HRIS may name
 * a manager whom it never sends, and those of all who were merged with them.
 *
 * @returns a query, to stand in parentheses
 */
export function managerNames(tenantId: number, names: readonly string[]): RawBuilder<unknown> {
  return sql`
    with recursive family as (
      select id from (${personsNamed(tenantId, names)}) as survivor
      union
      select person.id from family join person on person.tenant_id = ${tenantId} and person.merged_into = family.id
    )
    select external_id from person join family using (id)
    where person.tenant_id = ${tenantId} and external_id is not null
    union
    select unnest(${names}::text[])`
}

/**
 * SQL for the expression `merged_name`, which every line walks through: the personIds of all who were merged into somebody,
 * however many merges away, by the number of the person they are now.
 */
export function mergedNameExpression(tenantId: number): RawBuilder<unknown> {
  return sql`merged_name as (
    select external_id as name, merged_into as person_id from person
    where tenant_id = ${tenantId} and merged_into is not null
    union
    select merged_name.name, person.merged_into
    from merged_name join person on person.tenant_id = ${tenantId} and person.id = merged_name.person_id
    where person.merged_into is not null
  )`
}

/**
 * SQL for the expressions that find the whole line below some managers: `name`, one row per `person_id` with the
 * `days` (datemultirange) on which the person is in it.
 *
 * The walk goes down from report to report, each time keeping the days that the line above and the report's own record
 * share. The same person on the same days is not walked from again, so a circle of managers ends; everybody on it is
 * below everybody on it. Whoever has left still holds their line together while the roster names them.
 *
 * `is true` keeps the index by days out of it: PostgreSQL expects one row of 200 to share days with a line, and compared
 * every row of the roster with everyone who has a report; the line of all 20,000 did not end within a minute. And persons are
 * bigint, which only `roster_person` can be asked for: the index that keeps ranges apart costs as much on paper, and five
 * times as much in fact.
 */
export function lineExpressions(
  name: string,
  managers: readonly string[],
  { tenantId, from, to }: DaySpan
): readonly RawBuilder<unknown>[] {
  const walk = sql.ref(`${name}_walk`)
  const window = sql`daterange(${from}::date, ${to}::date)`
  const isReport = sql`person.merged_into is null and person.external_id <> report.manager_id`
  return [
    sql`${walk} as (
      select report.person_id, report.valid * ${window} as span
      from roster as report
      join person on person.tenant_id = report.tenant_id and person.id = report.person_id
      where report.tenant_id = ${tenantId} and report.manager_id = any(array(${managerNames(tenantId, managers)}))
        and report.valid && ${window} and ${isReport}
      union
      select report.person_id, report.valid * above.span
      from ${walk} as above
      cross join lateral (
        select external_id as name from person where tenant_id = ${tenantId} and id = above.person_id
        union all
        select name from merged_name where merged_name.person_id = above.person_id
      ) as manager
      join roster as report on report.tenant_id = ${tenantId} and report.manager_id = manager.name
        and (report.valid && above.span) is true
      join person on person.tenant_id = report.tenant_id and person.id = report.person_id
      where ${isReport}
    )`,
    sql`${sql.ref(name)} as (select person_id::bigint as person_id, range_agg(span) as days from ${walk} group by person_id)`
  ]
}
