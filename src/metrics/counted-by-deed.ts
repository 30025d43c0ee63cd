import { type RawBuilder, sql } from 'kysely'
import { LrsError } from '../errors.js'
import { deedDimensions, isDeedDimension } from './dimension.js'
import type { Population } from './population.js'
import { dated, type SharesRequest } from './shares.js'

/** The most cells of an answer by what learners did something in. */
export const maxDeedCells = 100_000

/**
 * Common table expressions, behind those of `sharesOf`, of which the last is `counted`: for each period, each group of
 * the roster and each module (or type) in which anybody of P did anything in any of the periods, how many of the group
 * did, out of all of it; also where nobody did.
 *
 * The numerators are grouped from what was done and the denominators from P; only their groups are put together, never
 * modules with learners.
 */
export function countedByDeed(
  request: Pick<SharesRequest, 'tenantId' | 'breakdown' | 'periods'>,
  { keys, onDaysThatCount }: Population
): RawBuilder<unknown> {
  const { tenantId, breakdown } = request
  const ofDeeds = breakdown.filter(isDeedDimension).map(name => sql.ref(deedDimensions[name].column))
  // With a dimension of deeds there is at most one of the roster, which is the first of `population`.
  const groups = [sql`ordinal`, ...(ofDeeds.length < breakdown.length ? [sql`dimension_1`] : [])]
  const named = breakdown.map((name, at) => {
    const value = isDeedDimension(name) ? iriOf(tenantId, deedDimensions[name].column) : sql`dimension_1`
    return sql`${value} as ${sql.ref(`dimension_${at + 1}`)}`
  })
  return sql`
    touched as (
      select distinct ${sql.join([...keys, ...ofDeeds])}
      from ${dated(request, sql`deed`)} ${onDaysThatCount}
    ),
    done as (
      select ${sql.join([...groups, ...ofDeeds])}, count(*) as learners
      from touched join population using (${sql.join(keys)}) group by ${sql.join([...groups, ...ofDeeds])}
    ),
    thing as (select distinct ${sql.join(ofDeeds)} from done),
    size as (select ${sql.join(groups)}, count(*) as population from population group by ${sql.join(groups)}),
    counted as (
      select ${sql.join([sql`ordinal`, ...named])}, population, population as n, coalesce(learners, 0) as "sumX",
        population as "sumY", null::numeric as "sumXX", null::numeric as "sumXY", null::numeric as "sumYY",
        0 as immature, null::json as details
      from size left join thing on true left join done using (${sql.join([...groups, ...ofDeeds])})
    )`
}

/** The IRI of a number; empty for none. */
function iriOf(tenantId: number, column: string): RawBuilder<string> {
  return sql<string>`coalesce((
    select iri from activity where activity.tenant_id = ${tenantId} and activity.id = ${sql.ref(column)}), '')`
}

/**
 * Refuses an answer that is too long to be told.
 *
 * @throws {LrsError} `invalid-parameter`
 */
export function checkLength(cells: number): void {
  if (cells <= maxDeedCells) return
  throw new LrsError(
    'invalid-parameter',
    `The answer has more than ${maxDeedCells} cells: ask for fewer periods, or break it down by less`,
    { pointer: '/breakdown' }
  )
}
