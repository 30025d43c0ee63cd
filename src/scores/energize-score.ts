import { compositesOf, type LearnerComposite } from './composite.js'
import { parseFields, parseWeighting, type Weighting } from './definition.js'
import { percentileRanks } from './ranks.js'
import { isPresent, type Normalised, smallestCohort, type Valued } from './values.js'

export type EnergizeComponent = 'retention' | 'trend' | 'incentive' | 'community'

export type EnergizeDefinition = Weighting<EnergizeComponent>

/** A quarter each. */
export const defaultEnergizeDefinition: EnergizeDefinition = {
  version: 1,
  weights: { retention: 1, trend: 1, incentive: 1, community: 1 },
  needs: 3
}

/** What is counted of one learner; null where it can't be known, as of someone employed for less than eight weeks. */
export interface EnergizeCounts<Key = string> {
  readonly key: Key
  /** Of the last 8 weeks, those with an active day; 0 to 8. */
  readonly activeWeeks: number | null
  /** How active the learner was in the last 4 weeks, and in the 4 before; in the same unit, never negative. */
  readonly recentActivity: number | null
  readonly earlierActivity: number | null
  /** Rewards claimed, and those of them that an active day followed within 7 days. */
  readonly claims: number | null
  readonly claimsReturned: number | null
  /** Local days with something done in the community. */
  readonly communityDays: number | null
}

/**
 * How lively each learner is among the cohort, 0 to 100: the weighted mean of four percentile ranks.
 *
 * *retention*: weeks active of the last 8. *trend*: the log-ratio of the last 4 weeks' activity to that of the 4
 * before. *incentive*: the share of reward claims followed by a return within 7 days; missing without a claim.
 * *community*: distinct days with something done there. A component that fewer than five of the cohort have is missing
 * for all. Null (`low_coverage`) for a learner with fewer than `needs`, by default three. Same order as given.
 *
 * @param learners all learners of the cohort
 */
export function energizeScores<Key>(
  learners: readonly EnergizeCounts<Key>[],
  definition: EnergizeDefinition = defaultEnergizeDefinition
): readonly LearnerComposite<EnergizeComponent, Key>[] {
  const valued = learners.map(counts => ({ key: counts.key, values: energizeValues(counts) }))
  return compositesOf(valued, definition, percentilesOfCohort)
}

/**
 * The activity of the last 4 weeks against the 4 before: ln((recent + 1) ÷ (earlier + 1)), our definition.
 *
 * 0 when nothing changed, also when there was none at all; doubling adds about what halving takes away. The added 1
 * keeps it finite where one of them is 0. Null when either is.
 */
export function activityTrend(recent: number | null, earlier: number | null): number | null {
  return recent === null || earlier === null ? null : Math.log((recent + 1) / (earlier + 1))
}

/** The values of the four components in their own units. */
function energizeValues(counts: EnergizeCounts<unknown>): Readonly<Record<EnergizeComponent, number | null>> {
  const { claims, claimsReturned } = counts
  return {
    retention: counts.activeWeeks,
    trend: activityTrend(counts.recentActivity, counts.earlierActivity),
    incentive: claims === null || claims === 0 || claimsReturned === null ? null : claimsReturned / claims,
    community: counts.communityDays
  }
}

function percentilesOfCohort<Key>(values: readonly Valued<Key>[]): readonly Normalised<Key>[] {
  const ranked = percentileRanks(values)
  if (values.filter(({ value }) => isPresent(value)).length >= smallestCohort) return ranked
  return ranked.map(rank => ({ ...rank, normalised: null, nullReason: rank.nullReason ?? 'cohort_too_small' }))
}

/**
 * A definition from JSON; what is missing takes its default.
 *
 * @throws LrsError `invalid-parameter` with a pointer to what can't be meant
 */
export function parseEnergizeDefinition(input: unknown): EnergizeDefinition {
  return parseWeighting(parseFields(input, ['version', 'weights', 'needs']), defaultEnergizeDefinition)
}
