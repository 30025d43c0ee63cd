import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import type { CohortFilter } from './cohort-filter.js'
import { compileFilter } from './compile-filter.js'
import { isEmployedOn, joinLearner } from './target-population.js'

/** Somebody who belongs to a cohort. */
export interface Member {
  readonly personId: string
  readonly name: string | null
}

/** Which members are asked for. */
export interface MembersRequest {
  readonly tenantId: number
  readonly filter: CohortFilter
  /** The local day of the asking, `YYYY-MM-DD`. */
  readonly day: string
  /** The day after it, by whose beginning tenure is reckoned. */
  readonly nextDay: string
  /** The personId of the last member of the page before; null for the first page. */
  readonly after: string | null
  /** Members on the page at most; 1 or more. */
  readonly limit: number
}

/** The members, in the order of their personIds, and whether more follow. */
export async function findMembers(
  db: Kysely<Database>,
  { tenantId, filter, day, nextDay, after, limit }: MembersRequest
): Promise<{ readonly members: readonly Member[]; readonly hasMore: boolean }> {
  const { expressions, joins, holdsOn } = compileFilter(filter, { tenantId, from: day, to: nextDay })
  const on = sql`${day}::date`
  const { rows } = await sql<Member>`
    ${expressions.length === 0 ? sql`` : sql`with recursive ${sql.join(expressions)}`}
    select person.external_id as "personId", person.name
    from roster ${joinLearner} ${joins}
    where roster.tenant_id = ${tenantId} and ${isEmployedOn(on)} and ${holdsOn(on, sql`${nextDay}::date`)}
      and (${after}::text is null or person.external_id > ${after}::text)
    order by person.external_id limit ${limit + 1}`.execute(db)
  return { members: rows.slice(0, limit), hasMore: rows.length > limit }
}
