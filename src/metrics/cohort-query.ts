import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import {
  bothOf,
  type CohortFilter,
  filterLimits,
  leavesOf,
  type TenureBand,
  tenureBands
} from '../people/cohort-filter.js'
import { findCohorts } from '../people/find-cohorts.js'

/** The moment as of which the roster says who belongs to a cohort. */
export type Membership = 'at_window_start' | 'at_event' | 'current'

/** The parameters of a query that choose learners, as they came: texts with commas between the values. */
export interface CohortQuery {
  /** Saved filters and cohorts that the roster names. */
  readonly cohort?: string | undefined
  readonly role?: string | undefined
  readonly team?: string | undefined
  /** The personIds of managers; everybody below them is meant. */
  readonly manager?: string | undefined
  readonly region?: string | undefined
  readonly tenureBand?: string | undefined
  readonly assignmentType?: string | undefined
  readonly jobFamily?: string | undefined
  readonly membership?: Membership | undefined
}

/** The names of the parameters that ask for an attribute. */
export type FilterParameter = Exclude<keyof CohortQuery, 'cohort' | 'membership'>

/** The parameters that ask for an attribute, each with the condition that it means. */
const conditions: Readonly<Record<FilterParameter, (values: readonly string[]) => CohortFilter>> = {
  role: role => ({ role }),
  team: team => ({ team }),
  manager: line => ({ line }),
  region: region => ({ region }),
  tenureBand: values => ({ tenureBand: values.map(parseTenureBand) }),
  assignmentType: assignmentType => ({ assignmentType }),
  jobFamily: jobFamily => ({ jobFamily })
}

export const filterParameters = Object.keys(conditions) as readonly FilterParameter[]

/** The most values of one parameter. */
const maxParameterValues = 100

/** Which learners a query asks for, decided. */
export interface ResolvedCohort {
  /** Null for everyone on the roster. */
  readonly filter: CohortFilter | null
  /** The cohorts as they came; null where none was asked for. */
  readonly cohort: string | null
  /** The values asked for of each other attribute. */
  readonly filters: Readonly<Partial<Record<FilterParameter, readonly string[]>>>
  readonly membership: Membership
}

/**
 * Resolves which learners a query asks for: any of the values of each parameter, and all parameters together. A saved
 * filter goes before a cohort of the roster that has its name. It asks the database only where a cohort is asked for.
 *
 * @param within whom the answer may speak of at all, whatever is asked for; it is no part of what the query says
 * @throws {LrsError} `invalid-parameter` for an empty value, a wrong tenure band, or too many values or conditions
 */
export async function resolveCohort(
  db: Kysely<Database>,
  tenantId: number,
  query: CohortQuery,
  within: CohortFilter | null
): Promise<ResolvedCohort> {
  const given = filterParameters.flatMap(name => {
    const text = query[name]
    if (text === undefined) return []
    // In a query string a plus sign stands for a space, so that `36+` arrives as `36 ` unless it was escaped.
    const values = valuesOf(name, name === 'tenureBand' ? text.replace(/ (?=,|$)/g, '+') : text)
    return [[name, values] as const]
  })
  const parts = given.map(([name, values]) => conditions[name](values))
  if (query.cohort !== undefined) parts.push(await cohortFilter(db, tenantId, valuesOf('cohort', query.cohort)))
  return {
    filter: bothOf(within, parts.length === 0 ? null : checkSize(all(parts))),
    cohort: query.cohort ?? null,
    filters: Object.fromEntries(given),
    membership: query.membership ?? 'at_window_start'
  }
}

async function cohortFilter(db: Kysely<Database>, tenantId: number, names: readonly string[]): Promise<CohortFilter> {
  const saved = await findCohorts(db, tenantId, names)
  const ofRoster = names.filter(name => !saved.has(name))
  const filters = [...saved.values()].map(({ filter }) => filter)
  const [only, ...others] = ofRoster.length === 0 ? filters : [{ cohort: ofRoster }, ...filters]
  return only !== undefined && others.length === 0 ? only : { or: [only, ...others] as readonly CohortFilter[] }
}

function all(parts: readonly CohortFilter[]): CohortFilter {
  const [only, ...others] = parts
  return only !== undefined && others.length === 0 ? only : { and: parts }
}

function checkSize(filter: CohortFilter): CohortFilter {
  const { length } = leavesOf(filter)
  if (length <= filterLimits.leaves) return filter
  throw new LrsError(
    'invalid-parameter',
    `The cohorts and attributes together make ${length} conditions, more than the ${filterLimits.leaves} of one query`
  )
}

function valuesOf(name: string, text: string): readonly string[] {
  const values = [...new Set(text.split(','))]
  const isWrong = values.some(value => value === '' || value.length > filterLimits.nameLength)
  if (!isWrong && values.length <= maxParameterValues) return values
  throw new LrsError(
    'invalid-parameter',
    `${name} (${JSON.stringify(text)}) must be 1 to ${maxParameterValues} values with commas between them, none of them empty or longer than ${filterLimits.nameLength} characters`,
    { pointer: `/${name}` }
  )
}

function parseTenureBand(value: string): TenureBand {
  const found = tenureBands.find(band => band === value)
  if (found !== undefined) return found
  throw new LrsError(
    'invalid-parameter',
    `tenureBand (${JSON.stringify(value)}) must be one of ${tenureBands.join(', ')}`,
    { pointer: '/tenureBand' }
  )
}
