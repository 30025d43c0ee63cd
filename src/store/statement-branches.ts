import { type RawBuilder, sql } from 'kysely'

/**
 * A voiding statement can't itself be voided. A scalar subquery, because PostgreSQL would answer `not exists` with a
 * hash of the whole table: 30 ms for a page of 60,000 statements, and ever more. And `not coalesce`, because of `is null`
 * it guesses that it holds for one row in 200, and sorts a table whose page it could have read.
 */
export const notVoided = sql`(statement.voids is not null or not coalesce((
  select true from statement as voiding
  where voiding.tenant_id = statement.tenant_id and voiding.voids = statement.id limit 1), false))`

/** A filter of statements, with numbers for words; null lets everything through. */
export interface ResolvedFilter {
  readonly tenantId: number
  readonly verbId: number | null
  readonly agentId: number | null
  readonly relatedAgents: boolean
  readonly activityId: number | null
  readonly relatedActivities: boolean
  readonly registration: string | null
  /** Asked of the statement itself: whose statements may be read at all. */
  readonly authorityId: number | null
}

/** What a filter asks for that statements can be found along, in their order. */
export type Trail = 'agent' | 'activity' | 'own'

/** The conditions of since, until and the cursor, for a row with `stored` and `seq`. */
export type Range = (row: RawBuilder<unknown>) => RawBuilder<unknown>

/** Rows in the reading order, one or more for each statement, to be held against the statement that has the names. */
interface Driver {
  readonly table: 'statement' | 'statement_agent' | 'statement_activity' | 'statement_reference'
  readonly condition: (row: RawBuilder<unknown>) => RawBuilder<unknown>
}

/** The trails that a filter offers; `own` for the verb, the registration, or no filter at all. */
export function trailsOf({ agentId, activityId, verbId, registration }: ResolvedFilter): readonly [Trail, ...Trail[]] {
  const trails: readonly Trail[] = [
    ...(agentId === null ? [] : ['agent' as const]),
    ...(activityId === null ? [] : ['activity' as const]),
    ...(verbId === null && registration === null ? [] : ['own' as const])
  ]
  const [first = 'own', ...others] = trails
  return [first, ...others]
}

/**
 * The queries whose union has the statements that a filter lets through, as `stored` and `seq`. Each reads along one
 * index that ends in the reading order, so that `order by … limit` stops after a page: with `or` in one query,
 * PostgreSQL would sort everything that matches. What else is asked stands in scalar subqueries, row by row, for it
 * would be joined before the limit otherwise: an agent and a verb that go together more often than chance has it took
 * all rows of both (60 ms of 100,000 statements, and ever more).
 *
 * @param trail which index is read along.
 */
export function branchesOf(filter: ResolvedFilter, trail: Trail, range: Range): readonly RawBuilder<unknown>[] {
  return driversOf(filter, trail).map(driver => branch(filter, { ...driver, trail }, range))
}

/** Queries for the rows that a trail has, without what else is asked, to tell how long it is. */
export function rowsOf(filter: ResolvedFilter, trail: Trail, range: Range): readonly RawBuilder<unknown>[] {
  return driversOf(filter, trail).map(({ table, condition }) => {
    const row = sql.table(table)
    return sql`select from ${row} where ${row}.tenant_id = ${filter.tenantId} and ${condition(row)} and ${range(row)}`
  })
}

function driversOf(filter: ResolvedFilter, trail: Trail): readonly Driver[] {
  const { agentId, activityId, relatedAgents, relatedActivities } = filter
  if (trail === 'agent' && agentId !== null) return agentDrivers(agentId, relatedAgents)
  if (trail === 'activity' && activityId !== null) {
    return reaches(relatedActivities).map(reach => activityDriver(activityId, reach))
  }
  const isPlain = filter.verbId === null && filter.registration === null
  const condition = (row: RawBuilder<unknown>) => (isPlain ? sql`true` : ownConditions(row, filter))
  const own: Driver = { table: 'statement', condition }
  return isPlain ? [own] : [own, { table: 'statement_reference', condition }]
}

function agentDrivers(agentId: number, isBroad: boolean): readonly Driver[] {
  const named = reaches(isBroad).map((isRelated): Driver => {
    return {
      table: 'statement_agent',
      condition: row => sql`${row}.agent_id = ${agentId} and ${row}.is_related = ${isRelated}`
    }
  })
  if (!isBroad) return named
  // The authority is one of the related agents, but in a column of its own.
  const condition = (row: RawBuilder<unknown>) => sql`${row}.authority_id = ${agentId}`
  return [...named, { table: 'statement', condition }, { table: 'statement_reference', condition }]
}

function activityDriver(activityId: number, isRelated: boolean): Driver {
  return {
    table: 'statement_activity',
    condition: row => sql`${row}.activity_id = ${activityId} and ${row}.is_related = ${isRelated}`
  }
}

function reaches(isBroad: boolean): readonly boolean[] {
  return isBroad ? [false, true] : [false]
}

/** Where a row of the trail stands in the record. */
interface Place {
  readonly stored: RawBuilder<unknown>
  readonly seq: RawBuilder<unknown>
  /** The statement that has the names: the row's own, or one that it refers to. */
  readonly viaSeq: RawBuilder<unknown>
}

/**
 * Statements by their own columns, each once; or by links, which can lead to one of them over several others: then the
 * statement `named`, that has the names, is another than the one that is found.
 */
function branch(
  filter: ResolvedFilter,
  { table, condition, trail }: Driver & { readonly trail: Trail },
  range: Range
): RawBuilder<unknown> {
  const { tenantId } = filter
  const row = table === 'statement' ? sql`statement` : sql`driver`
  const driven = sql`${row}.tenant_id = ${tenantId} and ${condition(row)} and ${range(row)}`
  const readable = sql`${isByAuthority(filter)} and ${notVoided}`
  if (table === 'statement') {
    const place = { stored: sql`statement.stored`, seq: sql`statement.seq`, viaSeq: sql`statement.seq` }
    const asked = [...linksAsked(filter, trail, place), ...namesAsked(filter, trail, place, row)]
    return sql`select stored, seq from statement where ${sql.join([driven, ...asked, readable], sql` and `)}`
  }
  const place = { stored: sql`driver.stored`, seq: sql`driver.seq`, viaSeq: sql`driver.via_seq` }
  const names = namesAsked(filter, trail, place, sql`named`)
  const isNamed = sql`(select true from statement as named
    where named.tenant_id = ${tenantId} and named.seq = driver.via_seq and ${sql.join(names, sql` and `)} limit 1)`
  const isReadable = sql`(select true from statement
    where statement.tenant_id = ${tenantId} and statement.seq = driver.seq and ${readable} limit 1)`
  // In this order: links are looked up in an index alone, what is asked lets few rows through, nearly all are readable.
  const asked = [...linksAsked(filter, trail, place), ...(names.length === 0 ? [] : [isNamed]), isReadable]
  const isFound = asked.reduceRight((then, when) => sql`case when ${when} then ${then} end`)
  return sql`
    select distinct driver.stored, driver.seq from ${sql.table(table)} as driver where ${driven} and ${isFound}`
}

/** Stored by the authority whose statements alone may be read, where there is one. */
function isByAuthority({ authorityId }: ResolvedFilter): RawBuilder<unknown> {
  return authorityId === null ? sql`true` : sql`statement.authority_id = ${authorityId}`
}

/** What is asked besides the trail that a link tells: a statement has the links of all that it refers to. */
function linksAsked(filter: ResolvedFilter, trail: Trail, place: Place): readonly RawBuilder<unknown>[] {
  const { agentId, activityId, relatedAgents, relatedActivities } = filter
  return [
    ...(activityId === null || trail === 'activity'
      ? []
      : [isLinked(filter, { table: 'statement_activity', id: activityId, isBroad: relatedActivities }, place)]),
    ...(agentId === null || trail === 'agent' || relatedAgents
      ? []
      : [isLinked(filter, { table: 'statement_agent', id: agentId, isBroad: false }, place)])
  ]
}

/** What is asked besides the trail of the columns of the statement that has the names. */
function namesAsked(
  filter: ResolvedFilter,
  trail: Trail,
  place: Place,
  named: RawBuilder<unknown>
): readonly RawBuilder<unknown>[] {
  const { verbId, registration, agentId, relatedAgents } = filter
  return [
    ...(verbId === null && registration === null ? [] : [ownConditions(named, filter)]),
    ...(agentId === null || trail === 'agent' || !relatedAgents
      ? []
      : [
          sql`(${named}.authority_id = ${agentId}
            or ${isLinked(filter, { table: 'statement_agent', id: agentId, isBroad: true }, place)})`
        ])
  ]
}

/** What is asked of a statement in its own columns. */
function ownConditions(named: RawBuilder<unknown>, { verbId, registration }: ResolvedFilter): RawBuilder<unknown> {
  return sql`${verbId === null ? sql`true` : sql`${named}.verb_id = ${verbId}`}
    and ${registration === null ? sql`true` : sql`${named}.registration = ${registration}::uuid`}`
}

interface Link {
  readonly table: 'statement_agent' | 'statement_activity'
  readonly id: number
  readonly isBroad: boolean
}

/** The statement that has the one name must have the other too. */
function isLinked(
  { tenantId }: ResolvedFilter,
  { table, id, isBroad }: Link,
  { stored, seq, viaSeq }: Place
): RawBuilder<unknown> {
  const column = table === 'statement_agent' ? sql`link.agent_id` : sql`link.activity_id`
  const isInReach = isBroad ? sql`link.is_related in (false, true)` : sql`link.is_related = false`
  return sql`(select true from ${sql.table(table)} as link
    where link.tenant_id = ${tenantId} and ${column} = ${id} and ${isInReach}
      and link.stored = ${stored} and link.seq = ${seq} and link.via_seq = ${viaSeq} limit 1)`
}
