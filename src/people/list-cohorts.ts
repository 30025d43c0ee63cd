import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import type { CohortFilter } from './cohort-filter.js'
import { compileFilter } from './compile-filter.js'
import { isEmployedOn, joinLearner } from './target-population.js'

/** A cohort in the list: a saved filter, or one that the roster names. */
export interface ListedCohort {
  readonly id: string
  readonly kind: CohortKind
  /** What a saved one is called; null where it has no name, and of the roster's own. */
  readonly name: string | null
  /** Of a saved one; null of the roster's own. */
  readonly filter: CohortFilter | null
  /** How many learners the roster places in it on the day; null of a saved one, which is not counted. */
  readonly size: number | null
}

export type CohortKind = 'roster' | 'saved'

/** A place in the list: its order is by id, the roster's own before the saved one of the same id. */
export type CohortPlace = Pick<ListedCohort, 'id' | 'kind'>

/** Which part of the list is wanted. */
export interface CohortsRequest {
  readonly tenantId: number
  /** The local day as of which the roster's cohorts are counted. */
  readonly day: string
  /** Names and counts the roster's cohorts by those alone for whom this holds; null for everyone. */
  readonly within: CohortFilter | null
  /** The last cohort of the page before; null for the first page. */
  readonly after: CohortPlace | null
  /** Cohorts on the page at most; 1 or more. */
  readonly limit: number
}

/**
 * Lists the saved filters and the cohorts that the roster names at any time, those of the page counted as of a day.
 *
 * The ids are ordered by their bytes, so that the order is the same whatever the server's language.
 */
export async function listCohorts(
  db: Kysely<Database>,
  { tenantId, day, within, after, limit }: CohortsRequest
): Promise<{ readonly cohorts: readonly ListedCohort[]; readonly hasMore: boolean }> {
  const { expressions, joins, holdsOn, holdsIn } = compileFilter(within, { tenantId, from: null, to: null })
  const on = sql`${day}::date`
  const { possible, days } = holdsIn(on)
  // Merged persons' rows name cohorts too, but belong to nobody.
  const ofReach = sql`${joinLearner} ${joins} where ${possible} and datemultirange(roster.valid) && ${days} and`
  const listed = sql`listed as (
      select id collate "C" as id, 'saved' as kind, name, filter from cohort where tenant_id = ${tenantId}
      union all
      select distinct unnest(cohorts) collate "C", 'roster', null, null::jsonb
      from roster ${within === null ? sql`where` : ofReach} roster.tenant_id = ${tenantId}
    )`
  const { rows } = await sql<ListedCohort>`
    with recursive ${sql.join([...expressions, listed])},
    page as (
      select * from listed
      where ${after === null} or (id, kind) > (${after?.id ?? ''}::text, ${after?.kind ?? ''}::text)
      order by id, kind limit ${limit + 1}
    ),
    size as (
      select named.id, count(*) as members
      from roster ${joinLearner} ${joins} cross join unnest(roster.cohorts) as named(id)
      where roster.tenant_id = ${tenantId} and ${isEmployedOn(on)} and ${holdsOn(on, on)}
        and roster.cohorts && array(select id from page where kind = 'roster')
      group by named.id
    )
    select page.id, kind, name, filter, case when kind = 'roster' then coalesce(members, 0) end as size
    from page left join size on size.id = page.id
    order by page.id, kind`.execute(db)
  return { cohorts: rows.slice(0, limit), hasMore: rows.length > limit }
}
