import { type Kysely, type RawBuilder, sql } from 'kysely'
import { executeKept } from '../database/kept-plan.js'
import type { Database } from '../database/schema.js'
import { type Range, type ResolvedFilter, rowsOf, type Trail, trailsOf } from './statement-branches.js'

/** Up to so many rows of a trail are counted. One with fewer is read to its end in some milliseconds. */
const countedRows = 2000

/**
 * Chooses the trail that has the fewest rows, so that a rare name decides and not a common one beside it, whatever
 * PostgreSQL's statistics say. Where all have many, the agent's, then the activity's. Costs one round trip where there
 * is a choice.
 */
export async function chooseTrail(db: Kysely<Database>, filter: ResolvedFilter, range: Range): Promise<Trail> {
  const [first, ...others] = trailsOf(filter)
  if (others.length === 0) return first
  const trails = [first, ...others]
  const lengths = trails.map(trail => lengthOf(rowsOf(filter, trail, range)))
  const rows = await executeKept(
    db,
    sql<{ counts: readonly number[] }>`select array[${sql.join(lengths)}]::integer[] as counts`
  )
  const counts = rows[0]?.counts ?? []
  const shortest = Math.min(...counts)
  return trails[counts.indexOf(shortest)] ?? first
}

function lengthOf(branches: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  const counts = branches.map(rows => sql`(select count(*) from (${rows} limit ${countedRows}) as counted)`)
  return sql`least(${countedRows}::integer, ${sql.join(counts, sql` + `)})`
}
