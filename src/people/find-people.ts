import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import { type AttributeName, type Attributes, attributes, noAttributes, selectAttributes } from './attributes.js'
import type { CohortFilter } from './cohort-filter.js'
import { compileFilter } from './compile-filter.js'
import type { PersonOf } from './find-history.js'
import { selectBounds } from './history.js'
import { isEmployedOn } from './target-population.js'

/** A person on a day. */
export interface FoundPerson extends Attributes {
  readonly personId: string
  readonly name: string | null
  /** In the form of `ifiOf`. */
  readonly agents: readonly string[]
  /** The range that holds on the day, half-open; null for no bound. */
  readonly validFrom: string | null
  readonly validTo: string | null
}

/** A person who was asked for by name. */
export interface NamedPerson extends FoundPerson {
  /** Whether the roster says anything of the person on the day; otherwise nothing is known but name and agents. */
  readonly known: boolean
  /** The `personId` of whom the person was merged into; null for nobody. */
  readonly mergedInto: string | null
}

/** The attributes that people are found by, each with the value that it must have. */
export type AttributeFilter = { readonly [Name in TextAttribute]?: string }

type TextAttribute = {
  [Name in AttributeName]: (typeof attributes)[Name]['type'] extends 'text' ? Name : never
}[AttributeName]

/** Which people are asked for. */
export interface PeopleQuery {
  /** The local day. */
  readonly at: string
  /** The day after it. */
  readonly nextDay: string
  /** Only people for whom this holds on the day; null for everyone. */
  readonly within: CohortFilter | null
  /** How the `personId` or the name begins, whatever the case. */
  readonly prefix?: string
  readonly filter: AttributeFilter
  readonly cohort?: string
  /** Also those whose last day was before `at`. */
  readonly includeLeft: boolean
  /** Only people behind this `personId`. */
  readonly after?: string
  readonly limit: number
}

/** A page of people, in the order of their `personId`, and where the next one begins; null behind the last. */
export interface PeoplePage {
  readonly people: readonly FoundPerson[]
  readonly next: string | null
}

/**
 * Finds the people whom the roster names on a day: neither merged into others, nor not yet hired, nor gone.
 *
 * A page holds its place by the last `personId`, so that every page costs the same, and who is added or leaves
 * meanwhile moves nobody to another page.
 */
export async function findPeople(db: Kysely<Database>, tenantId: number, query: PeopleQuery): Promise<PeoplePage> {
  const { at, nextDay, within } = query
  const { expressions, joins, holdsOn } = compileFilter(within, { tenantId, from: at, to: nextDay })
  const page = sql`page as (
      select person.id, person.external_id as "personId", person.name, ${selectBounds}, ${selectAttributes('roster')}
      from person
      join roster on roster.tenant_id = ${tenantId} and roster.person_id = person.id
        and roster.valid @> ${at}::date
      ${joins}
      where ${sql.join(conditionsOf(tenantId, query), sql` and `)}
        and ${holdsOn(sql`${at}::date`, sql`${nextDay}::date`)}
      order by person.external_id
      limit ${query.limit + 1}
    )`
  const { rows } = await sql<FoundPerson>`
    with recursive ${sql.join([...expressions, page])}
    select page.*, ${agentsOf(tenantId, 'page')} as agents from page order by "personId"`.execute(db)
  const people = rows.slice(0, query.limit)
  return { people, next: rows.length > query.limit ? (people.at(-1)?.personId ?? null) : null }
}

function conditionsOf(tenantId: number, query: PeopleQuery): readonly RawBuilder<unknown>[] {
  const { at, prefix, filter, cohort, includeLeft, after } = query
  const begins = (column: string) => sql`starts_with(lower(${sql.ref(column)}), lower(${prefix}))`
  return [
    sql`person.tenant_id = ${tenantId} and person.external_id is not null and person.merged_into is null`,
    includeLeft ? sql`(roster.hired_on is null or roster.hired_on <= ${at}::date)` : isEmployedOn(sql`${at}::date`),
    ...(after === undefined ? [] : [sql`person.external_id > ${after}`]),
    ...(prefix === undefined ? [] : [sql`(${begins('person.external_id')} or ${begins('person.name')})`]),
    ...(cohort === undefined ? [] : [sql`roster.cohorts @> array[${cohort}]::text[]`]),
    ...Object.entries(filter).map(
      ([name, value]) => sql`${sql.ref(`roster.${attributes[name as TextAttribute].column}`)} = ${value}`
    )
  ]
}

/** SQL for the agents of the persons whose numbers a table has in `id`. */
function agentsOf(tenantId: number, table: string): RawBuilder<readonly string[]> {
  return sql`array(
    select agent.ifi from person_agent
    join agent on agent.tenant_id = ${tenantId} and agent.id = person_agent.agent_id
    where person_agent.tenant_id = ${tenantId} and person_agent.person_id = ${sql.ref(`${table}.id`)}
    order by agent.id)`
}

/** Finds a person by name, also one who is gone or was merged; null when the roster does not name them. */
export async function findPerson(
  db: Kysely<Database>,
  { tenantId, personId }: PersonOf,
  at: string
): Promise<NamedPerson | null> {
  const { rows } = await sql<NamedPerson>`
    select person.external_id as "personId", person.name, ${agentsOf(tenantId, 'person')} as agents,
      roster.person_id is not null as known, target.external_id as "mergedInto", ${selectBounds},
      ${selectAttributes('roster')}
    from person
    left join person as target on target.tenant_id = ${tenantId} and target.id = person.merged_into
    left join roster on roster.tenant_id = ${tenantId} and roster.person_id = person.id and roster.valid @> ${at}::date
    where person.tenant_id = ${tenantId} and person.external_id = ${personId}`.execute(db)
  const [row] = rows
  if (row === undefined) return null
  return row.known ? row : { ...row, ...noAttributes }
}
