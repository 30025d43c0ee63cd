import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import { findLearnerValues, type LearnersMetric } from '../metrics/learner-values.js'
import type { SharesRequest } from '../metrics/shares.js'
import { bothOf, type CohortFilter } from '../people/cohort-filter.js'
import type { ScoreWindow } from './score.js'

/** Counts nothing: only who is in P is of interest. */
const nothing: LearnersMetric = {
  id: 'nothing',
  calculation: 'count',
  counting: () => ({
    deeds: sql`select person_id, day from population_day where false`,
    perLearner: [],
    x: sql`0`,
    y: sql`1`
  })
}

/** Where one person stands in the roster in some windows. */
export interface PersonGroups {
  /** Whether P has the person in any of the windows. */
  readonly isThere: boolean
  /** The values of the first dimension that the person has had; null where the roster has none. */
  readonly groups: readonly (string | null)[]
}

/** Finds the groups to which one person belongs in the windows of a request. */
export async function findGroups(
  db: Kysely<Database>,
  { windows, ...request }: Omit<SharesRequest, 'periods'> & { readonly windows: readonly ScoreWindow[] },
  personId: string
): Promise<PersonGroups> {
  const filter = bothOf(request.filter, { person: [personId] })
  const { learners } = await findLearnerValues(db, nothing, { ...request, filter, periods: windows, options: {} })
  return { isThere: learners.length > 0, groups: [...new Set(learners.map(({ dimensions }) => dimensions[0] ?? null))] }
}

/** The dimensions of which a filter asks in the same way as a breakdown tells learners apart by them. */
const filterable: readonly string[] = ['role', 'team', 'region', 'jobFamily', 'assignmentType', 'tenureBand']

/**
 * A filter for those who share a group, so that nobody else need be read; null for everyone, where a filter can't say it
 * or somebody is in no group.
 */
export function groupFilter(by: string, groups: readonly (string | null)[]): CohortFilter | null {
  const names = groups.flatMap(group => group ?? [])
  if (!filterable.includes(by) || names.length < groups.length || names.length === 0) return null
  return { [by]: names } as unknown as CohortFilter
}
