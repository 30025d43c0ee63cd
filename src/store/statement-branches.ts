import { type RawBuilder, sql } from 'kysely'

/**
 * A voiding statement can't itself be voided. A scalar subquery, because PostgreSQL would answer `not exists` with a
 * hash of the whole table: 30 ms for a page of 60,000 statements, and ever more.
 */
export const notVoided = sql`(statement.voids is not null or (
  select true from statement as voiding
  where voiding.tenant_id = statement.tenant_id and voiding.voids = statement.id limit 1) is null)`

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

/** The conditions of since, until and the cursor, for a row with `stored` and `seq`. */
type Range = (row: RawBuilder<unknown>) => RawBuilder<unknown>

/** Rows in the reading order, one or more for each statement, to be joined with the statement that has the names. */
interface Driver {
  readonly table: 'statement' | 'statement_agent' | 'statement_activity' | 'statement_reference'
  readonly condition: RawBuilder<unknown>
}

/**
 * The queries whose union has the statements that a filter lets through, as `stored` and `seq`. Each reads along one
 * index that ends in the reading order, so that `order by … limit` stops after a page: with `or` in one query,
 * PostgreSQL would sort everything that matches.
 */
export function branchesOf(filter: ResolvedFilter, range: Range): readonly RawBuilder<unknown>[] {
  return driversOf(filter).map(driver => branch(filter, driver, range))
}

function driversOf(filter: ResolvedFilter): readonly Driver[] {
  const { agentId, activityId, relatedAgents, relatedActivities } = filter
  if (agentId !== null) return agentDrivers(agentId, relatedAgents)
  if (activityId !== null) return reaches(relatedActivities).map(reach => activityDriver(activityId, reach))
  const isPlain = filter.verbId === null && filter.registration === null
  return isPlain
    ? [{ table: 'statement', condition: sql`true` }]
    : [
        { table: 'statement', condition: sql`true` },
        { table: 'statement_reference', condition: ownConditions(sql`driver`, filter) }
      ]
}

function agentDrivers(agentId: number, isBroad: boolean): readonly Driver[] {
  const named = reaches(isBroad).map((isRelated): Driver => {
    return {
      table: 'statement_agent',
      condition: sql`driver.agent_id = ${agentId} and driver.is_related = ${isRelated}`
    }
  })
  if (!isBroad) return named
  // The authority is one of the related agents, but in a column of its own.
  return [
    ...named,
    { table: 'statement', condition: sql`statement.authority_id = ${agentId}` },
    { table: 'statement_reference', condition: sql`driver.authority_id = ${agentId}` }
  ]
}

function activityDriver(activityId: number, isRelated: boolean): Driver {
  return {
    table: 'statement_activity',
    condition: sql`driver.activity_id = ${activityId} and driver.is_related = ${isRelated}`
  }
}

function reaches(isBroad: boolean): readonly boolean[] {
  return isBroad ? [false, true] : [false]
}

function branch(filter: ResolvedFilter, driver: Driver, range: Range): RawBuilder<unknown> {
  return driver.table === 'statement' ? ownBranch(filter, driver, range) : linkedBranch(filter, driver, range)
}

/** Statements by their own columns, each once. */
function ownBranch(filter: ResolvedFilter, { condition }: Driver, range: Range): RawBuilder<unknown> {
  const statement = sql`statement`
  return sql`
    select stored, seq from statement
    where tenant_id = ${filter.tenantId} and ${condition} and ${range(statement)}
      and ${ownConditions(statement, filter)} and ${linkConditions(statement, filter, 'statement')}
      and ${readable(filter)}`
}

/** Statements by links, which can lead to one of them over several others. */
function linkedBranch(filter: ResolvedFilter, { table, condition }: Driver, range: Range): RawBuilder<unknown> {
  const { tenantId } = filter
  const named = sql`named`
  return sql`
    select distinct driver.stored, driver.seq
    from ${sql.table(table)} as driver
    join statement as named on named.tenant_id = ${tenantId} and named.seq = driver.via_seq
    join statement on statement.tenant_id = ${tenantId} and statement.seq = driver.seq
    where driver.tenant_id = ${tenantId} and ${condition} and ${range(sql`driver`)}
      and ${ownConditions(named, filter)} and ${linkConditions(named, filter, table)}
      and ${readable(filter)}`
}

/** Not voided, and stored by the authority whose statements alone may be read, where there is one. */
function readable({ authorityId }: ResolvedFilter): RawBuilder<unknown> {
  return sql`${authorityId === null ? sql`true` : sql`statement.authority_id = ${authorityId}`} and ${notVoided}`
}

/** What is asked of the statement that has the names, in its own columns. */
function ownConditions(named: RawBuilder<unknown>, { verbId, registration }: ResolvedFilter): RawBuilder<unknown> {
  return sql`${verbId === null ? sql`true` : sql`${named}.verb_id = ${verbId}`}
    and ${registration === null ? sql`true` : sql`${named}.registration = ${registration}::uuid`}`
}

/** The activity, where the agent drives: the statement that has the one name must have the other too. */
function linkConditions(
  named: RawBuilder<unknown>,
  { tenantId, activityId, relatedActivities }: ResolvedFilter,
  driver: Driver['table']
): RawBuilder<unknown> {
  if (activityId === null || driver === 'statement_activity') return sql`true`
  const reach = relatedActivities ? sql`link.is_related in (false, true)` : sql`link.is_related = false`
  return sql`exists (select from statement_activity as link
    where link.tenant_id = ${tenantId} and link.activity_id = ${activityId} and ${reach}
      and link.stored = ${named}.stored and link.seq = ${named}.seq and link.via_seq = ${named}.seq)`
}
