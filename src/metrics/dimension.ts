import { type RawBuilder, sql } from 'kysely'
import { LrsError } from '../errors.js'

/** What an answer may be broken down by: an attribute of the roster, at the moment that the membership asks for. */
export type Dimension =
  | 'role'
  | 'team'
  | 'manager'
  | 'region'
  | 'jobFamily'
  | 'assignmentType'
  | 'tenureBand'
  | 'cohort'

/** What a deed was done in, or with: a learner is counted under each value, and P is the same for all of them. */
export type DeedDimension = 'module' | 'contentType'

interface DimensionSource {
  readonly description: string
  /** SQL over `roster` and `period` for the learner's value; null where it is not known. */
  readonly value: RawBuilder<string | null>
  /** Whether the value is over `person` as well. */
  readonly readsPerson?: true
  /** A join to put behind `roster`, for an attribute of which a learner may have several. */
  readonly join?: RawBuilder<unknown>
}

const completed = (months: number) => sql`roster.hired_on + make_interval(months => ${sql.lit(months)}) <= period.ends`

/** Every dimension, with where its values come from. */
export const dimensions: Readonly<Record<Dimension, DimensionSource>> = {
  role: { description: 'the role', value: sql`roster.role` },
  team: { description: 'the team', value: sql`roster.team` },
  manager: {
    description: "the direct manager's personId",
    value: sql`nullif(roster.manager_id, person.external_id)`,
    readsPerson: true
  },
  region: { description: 'the region', value: sql`roster.region` },
  jobFamily: { description: 'the job family', value: sql`roster.job_family` },
  assignmentType: { description: 'the assignment type', value: sql`roster.assignment_type` },
  tenureBand: {
    description: 'whole months since the day of hire by the end of the period, `0-12`, `12-36` or `36+`',
    value: sql`case when roster.hired_on > period.ends then null when ${completed(36)} then '36+'
      when ${completed(12)} then '12-36' when roster.hired_on is not null then '0-12' end`
  },
  cohort: {
    description: 'each cohort that the roster names; a learner of several is counted in each',
    value: sql`named.cohort`,
    join: sql`cross join unnest(case when roster.cohorts = '{}' then array[null] else roster.cohorts end)
      as named(cohort)`
  }
}

export const dimensionNames = Object.keys(dimensions) as readonly Dimension[]

/** Every dimension of deeds, with the column of `deed` that has the number of its IRI, 0 for none. */
export const deedDimensions: Readonly<
  Record<DeedDimension, { readonly description: string; readonly column: string }>
> = {
  module: { description: 'the IRI of the module', column: 'module_id' },
  contentType: { description: "the IRI of the activity's type", column: 'activity_type_id' }
}

export const deedDimensionNames = Object.keys(deedDimensions) as readonly DeedDimension[]

/** Says whether a dimension is one of deeds, and not of the roster. */
export function isDeedDimension(dimension: Dimension | DeedDimension): dimension is DeedDimension {
  return Object.hasOwn(deedDimensions, dimension)
}

/** Says whether a dimension is one of the roster. */
export function isRosterDimension(dimension: Dimension | DeedDimension): dimension is Dimension {
  return !isDeedDimension(dimension)
}

/** The most dimensions of one answer. */
export const maxDimensions = 2

/**
 * Checks what an answer is to be broken down by: names with commas between them, each once.
 *
 * @param ofDeeds the dimensions of deeds that the metric knows.
 * @throws {LrsError} `invalid-parameter`
 */
export function parseBreakdown(
  text: string | undefined,
  ofDeeds: readonly DeedDimension[] = []
): readonly (Dimension | DeedDimension)[] {
  if (text === undefined) return []
  const names = text.split(',')
  const known: readonly string[] = [...dimensionNames, ...ofDeeds]
  const unknown = names.find(name => !known.includes(name))
  if (unknown !== undefined) {
    const isElsewhere = Object.hasOwn(deedDimensions, unknown)
    throw new LrsError(
      'invalid-parameter',
      `breakdown (${JSON.stringify(unknown)}) must be one or two of ${known.join(', ')}, with a comma between them${isElsewhere ? '; participation can be broken down by it' : ''}`,
      { pointer: '/breakdown' }
    )
  }
  if (names.length > maxDimensions || new Set(names).size < names.length) {
    throw new LrsError(
      'invalid-parameter',
      `breakdown (${JSON.stringify(text)}) must name at most ${maxDimensions} dimensions, each once`,
      { pointer: '/breakdown' }
    )
  }
  return names as readonly (Dimension | DeedDimension)[]
}
