import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import type { CohortFilter } from './cohort-filter.js'
import { compileFilter } from './compile-filter.js'
import type { PersonOf } from './find-history.js'
import { personsNamed } from './manager-line.js'
import { joinLearner } from './target-population.js'

/** A filter, and when it must hold. */
export interface Within {
  readonly filter: CohortFilter
  /** The local day, `YYYY-MM-DD`. */
  readonly day: string
  /** The day after it, by whose beginning tenure is reckoned. */
  readonly nextDay: string
}

/**
 * Says whether a filter holds for a person on a day, employed or not; a merged person is the one they were merged into.
 * It holds for nobody of whom the roster says nothing on the day.
 */
export async function isWithin(
  db: Kysely<Database>,
  { tenantId, personId }: PersonOf,
  { filter, day, nextDay }: Within
): Promise<boolean> {
  const { expressions, joins, holdsOn } = compileFilter(filter, { tenantId, from: day, to: nextDay })
  const on = sql`${day}::date`
  const { rows } = await sql`
    ${expressions.length === 0 ? sql`` : sql`with recursive ${sql.join(expressions)}`}
    select from roster ${joinLearner} ${joins}
    where roster.tenant_id = ${tenantId} and roster.valid @> ${on}
      and roster.person_id = any(array(${personsNamed(tenantId, [personId])}))
      and ${holdsOn(on, sql`${nextDay}::date`)}`.execute(db)
  return rows.length > 0
}
