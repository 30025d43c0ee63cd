import { type RawBuilder, sql } from 'kysely'
import {
  type CohortFilter,
  type FilterLeaf,
  leavesOf,
  type NameAttribute,
  type NameFilter,
  type TenureBand
} from './cohort-filter.js'
import { type DaySpan, lineExpressions, managerNames, mergedNameExpression, personsNamed } from './manager-line.js'

/** A filter as SQL over `roster`. */
export interface CompiledFilter {
  /** Whether it is over `person` as well. */
  readonly readsPerson: boolean
  /** Whether it asks who is in a line, and joins those to `roster`. */
  readonly joinsLines: boolean
  /** Common table expressions that the rest reads, for a `with recursive`. */
  readonly expressions: readonly RawBuilder<unknown>[]
  /** Joins to put after `roster`. */
  readonly joins: RawBuilder<unknown>
  /** Whether the filter holds on a day that lies in the row's validity. */
  readonly holdsOn: (day: RawBuilder<unknown>, tenureAt: RawBuilder<unknown>) => RawBuilder<boolean>
  /**
   * Whether it may hold on some day of the row, and, as a datemultirange, on which days: all days where nothing but the
   * row decides. It has to be cut to the row's validity.
   */
  readonly holdsIn: (tenureAt: RawBuilder<unknown>) => {
    readonly possible: RawBuilder<boolean>
    readonly days: RawBuilder<unknown>
  }
}

const always = sql`'{(,)}'::datemultirange`
const never = sql`'{}'::datemultirange`

/**
 * Compiles a filter; null lets everyone through. Every condition but `line` is decided by the roster's row alone, and
 * so by the same SQL for a day and for a stretch of days; a line is walked once for all days of the span.
 *
 * Conditions are left to be null where an attribute is: null and false both leave a row out, and `not` makes two values
 * of three. Wrapping each one would keep it from the indexes.
 */
export function compileFilter(filter: CohortFilter | null, span: DaySpan): CompiledFilter {
  if (filter === null) {
    return {
      readsPerson: false,
      joinsLines: false,
      expressions: [],
      joins: sql``,
      holdsOn: () => sql<boolean>`true`,
      holdsIn: () => ({ possible: sql<boolean>`true`, days: always })
    }
  }
  const leaves = leavesOf(filter)
  const lines = leaves.filter(leaf => 'line' in leaf)
  const nameOf = new Map<CohortFilter, string>(lines.map((leaf, at) => [leaf, `line_${at}`]))
  const names = [...nameOf.values()]
  const place = { tenantId: span.tenantId, nameOf }
  return {
    readsPerson: leaves.some(leaf => 'manager' in leaf),
    joinsLines: lines.length > 0,
    expressions: [
      ...(lines.length > 0 ? [mergedNameExpression(span.tenantId)] : []),
      ...lines.flatMap((leaf, at) => lineExpressions(`line_${at}`, leaf.line, span))
    ],
    joins: sql.join(
      names.map(name => sql`left join ${sql.ref(name)} on ${sql.ref(name)}.person_id = roster.person_id`),
      sql` `
    ),
    holdsOn: (day, tenureAt) => holds(filter, { ...place, day, tenureAt }),
    holdsIn: tenureAt => {
      const at = { ...place, day: null, tenureAt }
      return { possible: mayHold(filter, at), days: lines.length > 0 ? daysOf(filter, at) : always }
    }
  }
}

interface Place {
  readonly tenantId: number
  /** The expression of each line. */
  readonly nameOf: ReadonlyMap<CohortFilter, string>
  /** The day that is asked about; null only where there is no line. */
  readonly day: RawBuilder<unknown> | null
  /** The day by which tenure is reckoned. */
  readonly tenureAt: RawBuilder<unknown>
}

function holds(filter: CohortFilter, at: Place): RawBuilder<boolean> {
  if ('and' in filter) return combined<boolean>(filter.and, sql` and `, part => holds(part, at))
  if ('or' in filter) return combined<boolean>(filter.or, sql` or `, part => holds(part, at))
  if ('not' in filter) return sql<boolean>`(${holds(filter.not, at)}) is not true`
  if ('line' in filter) return sql<boolean>`(${lineDays(filter, at)} @> ${at.day})`
  return sql<boolean>`(${leafHolds(filter, at)})`
}

/** Whether a filter holds on some day of a row, or may: who is in no line at all is left out without looking at days. */
function mayHold(filter: CohortFilter, at: Place): RawBuilder<boolean> {
  if (!hasLine(filter)) return holds(filter, at)
  if ('and' in filter) return combined<boolean>(filter.and, sql` and `, part => mayHold(part, at))
  if ('or' in filter) return combined<boolean>(filter.or, sql` or `, part => mayHold(part, at))
  return 'not' in filter ? sql<boolean>`true` : sql<boolean>`${lineDays(filter, at)} is not null`
}

/** The days, of all there are, on which a filter holds; a part without a line holds on all days of its row or none. */
function daysOf(filter: CohortFilter, at: Place): RawBuilder<unknown> {
  if (!hasLine(filter)) return sql`case when ${holds(filter, at)} then ${always} else ${never} end`
  if ('and' in filter) return combined(filter.and, sql` * `, part => daysOf(part, at))
  if ('or' in filter) return combined(filter.or, sql` + `, part => daysOf(part, at))
  if ('not' in filter) return sql`(${always} - (${daysOf(filter.not, at)}))`
  return sql`coalesce(${lineDays(filter, at)}, ${never})`
}

function hasLine(filter: CohortFilter): boolean {
  return leavesOf(filter).some(leaf => 'line' in leaf)
}

function combined<Value>(
  parts: readonly CohortFilter[],
  operator: RawBuilder<unknown>,
  compile: (part: CohortFilter) => RawBuilder<Value>
): RawBuilder<Value> {
  const compiled = parts.map(part => sql`(${compile(part)})`)
  return sql<Value>`(${sql.join(compiled, operator)})`
}

function lineDays(leaf: CohortFilter, { nameOf }: Place): RawBuilder<unknown> {
  return sql.ref(`${nameOf.get(leaf)}.days`)
}

const columns = {
  role: 'roster.role',
  team: 'roster.team',
  region: 'roster.region',
  jobFamily: 'roster.job_family',
  assignmentType: 'roster.assignment_type'
} as const satisfies Partial<Record<NameAttribute, string>>

function leafHolds(leaf: FilterLeaf, { tenantId, tenureAt }: Place): RawBuilder<boolean> {
  if ('demographic' in leaf) {
    const { key, values } = leaf.demographic
    return sql<boolean>`roster.demographics ->> ${key}::text = any(${values}::text[])`
  }
  if ('tenureBand' in leaf) {
    return sql<boolean>`${sql.join(
      leaf.tenureBand.map(band => inTenureBand(band, tenureAt)),
      sql` or `
    )}`
  }
  if ('cohort' in leaf) return sql<boolean>`roster.cohorts && ${leaf.cohort}::text[]`
  if ('person' in leaf) return sql<boolean>`roster.person_id = any(array(${personsNamed(tenantId, leaf.person)}))`
  if ('manager' in leaf) {
    return sql<boolean>`roster.manager_id = any(array(${managerNames(tenantId, leaf.manager)}))
      and roster.manager_id <> person.external_id`
  }
  const [attribute, values] = Object.entries(leaf as NameFilter)[0] as [keyof typeof columns, readonly string[]]
  return sql<boolean>`${sql.ref(columns[attribute])} = any(${values}::text[])`
}

/**
 * Whether so many whole months have passed. Who was hired on a 29 February, or another day that a month lacks, has
 * completed the month on its last day.
 */
function inTenureBand(band: TenureBand, tenureAt: RawBuilder<unknown>): RawBuilder<boolean> {
  const completed = (months: number) => sql`roster.hired_on + make_interval(months => ${months}) <= ${tenureAt}`
  if (band === '0-12') return sql<boolean>`(roster.hired_on <= ${tenureAt} and not ${completed(12)})`
  if (band === '12-36') return sql<boolean>`(${completed(12)} and not ${completed(36)})`
  return sql<boolean>`(${completed(36)})`
}
