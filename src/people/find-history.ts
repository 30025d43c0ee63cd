import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import { attributeNames, selectAttributes } from './attributes.js'
import type { CohortFilter } from './cohort-filter.js'
import { compileFilter } from './compile-filter.js'
import { type HistoryRange, selectBounds } from './history.js'
import { joinLearner } from './target-population.js'

/** A person of the tenant, by the tenant's own name for them. */
export interface PersonOf {
  readonly tenantId: number
  readonly personId: string
}

/** A person's number, and all that the roster has said of them. */
export interface PersonHistory {
  readonly id: number
  /** In the order of their days. */
  readonly ranges: readonly HistoryRange[]
}

interface Row extends HistoryRange {
  readonly id: number
  /** Whether the row has a range, or stands for a person without any. */
  readonly hasRange: boolean
}

/** Finds a person's history; null when the roster does not name the person. */
export async function findHistory(
  db: Kysely<Database>,
  { tenantId, personId }: PersonOf
): Promise<PersonHistory | null> {
  const { rows } = await sql<Row>`
    select person.id, roster.person_id is not null as "hasRange", ${selectBounds}, ${selectAttributes('roster')}
    from person
    left join roster on roster.tenant_id = ${tenantId} and roster.person_id = person.id
    where person.tenant_id = ${tenantId} and person.external_id = ${personId}
    order by roster.valid`.execute(db)
  const [first] = rows
  if (first === undefined) return null
  return { id: first.id, ranges: rows.filter(row => row.hasRange).map(rangeOf) }
}

/**
 * Finds a person's history, cut to the days on which a filter holds for the person; null when there is no such day, or
 * the roster does not name the person, so that nobody can tell the one from the other. Tenure is not known here: no
 * band of it holds.
 */
export async function findHistoryWithin(
  db: Kysely<Database>,
  { tenantId, personId }: PersonOf,
  filter: CohortFilter
): Promise<PersonHistory | null> {
  const { expressions, joins, holdsIn } = compileFilter(filter, { tenantId, from: null, to: null })
  const { possible, days } = holdsIn(sql`null::date`)
  const { rows } = await sql<Row>`
    ${expressions.length === 0 ? sql`` : sql`with recursive ${sql.join(expressions)}`}
    select person.id, true as "hasRange", lower(stretch) as "validFrom", upper(stretch) as "validTo",
      ${selectAttributes('roster')}
    from roster ${joinLearner} ${joins}
    cross join lateral unnest(datemultirange(roster.valid) * ${days}) as stretch
    where roster.tenant_id = ${tenantId} and person.external_id = ${personId} and ${possible}
    order by stretch`.execute(db)
  const [first] = rows
  return first === undefined ? null : { id: first.id, ranges: rows.map(rangeOf) }
}

function rangeOf(row: Row): HistoryRange {
  const { validFrom, validTo } = row
  const entries = attributeNames.map(name => [name, row[name]])
  return { validFrom, validTo, ...Object.fromEntries(entries) }
}
