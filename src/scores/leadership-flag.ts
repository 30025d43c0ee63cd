import { both } from './both.js'
import { parseFields, parseNumber, parseVersion } from './definition.js'
import type { NormaliseNullReason, Valued } from './values.js'
import { zScores } from './z-scores.js'

export interface LeadershipFlagDefinition {
  readonly version: number
  /** The z-score of the assessment score must be above this. */
  readonly assessmentAbove: number
  /** The z-score of forum interactions must be above this. */
  readonly forumAbove: number
}

export const defaultLeadershipFlagDefinition: LeadershipFlagDefinition = {
  version: 1,
  assessmentAbove: 1.5,
  forumAbove: 1
}

/** A learner's two values, of the same cohort and window. */
export interface FlagValues<Key = string> {
  readonly key: Key
  readonly assessmentScore: number | null
  readonly forumInteractions: number | null
}

export interface LeadershipFlag<Key = string> {
  readonly key: Key
  /** Null when a z-score that is missing would decide. */
  readonly isFlagged: boolean | null
  readonly assessmentZ: number | null
  readonly forumZ: number | null
  /** Why `isFlagged` is null. */
  readonly nullReason: NormaliseNullReason | null
  readonly definitionVersion: number
}

/**
 * Who both knows and helps: z(assessment score) above 1.5 and z(forum interactions) above 1.0 in the same cohort.
 *
 * Exactly 1.5 or 1.0 is not above. The z-scores are not clipped. A learner of whom one z-score is known and too low is
 * not flagged, whatever the other; otherwise a missing one leaves it open (null). Same order as given.
 *
 * @param learners all learners of the cohort
 */
export function leadershipFlags<Key>(
  learners: readonly FlagValues<Key>[],
  definition: LeadershipFlagDefinition = defaultLeadershipFlagDefinition
): readonly LeadershipFlag<Key>[] {
  const { assessmentAbove, forumAbove, version } = definition
  const assessment = zScores(learners.map(({ key, assessmentScore: value }): Valued<Key> => ({ key, value })))
  const forum = zScores(learners.map(({ key, forumInteractions: value }): Valued<Key> => ({ key, value })))
  return learners.map(({ key }, position) => {
    const assessmentZ = assessment[position]?.normalised ?? null
    const forumZ = forum[position]?.normalised ?? null
    const isFlagged = both(isAbove(assessmentZ, assessmentAbove), isAbove(forumZ, forumAbove))
    const why = assessment[position]?.nullReason ?? forum[position]?.nullReason ?? null
    const nullReason = isFlagged === null ? why : null
    return { key, isFlagged, assessmentZ, forumZ, nullReason, definitionVersion: version }
  })
}

/**
 * A definition from JSON; what is missing takes its default.
 *
 * @throws LrsError `invalid-parameter` with a pointer to what can't be meant
 */
export function parseLeadershipFlagDefinition(input: unknown): LeadershipFlagDefinition {
  const defaults = defaultLeadershipFlagDefinition
  const given = parseFields(input, Object.keys(defaults))
  const fields = { ...defaults, ...given }
  return {
    version: parseVersion(given, defaults),
    assessmentAbove: parseNumber(fields.assessmentAbove, '/assessmentAbove', {}),
    forumAbove: parseNumber(fields.forumAbove, '/forumAbove', {})
  }
}

function isAbove(value: number | null, limit: number): boolean | null {
  return value === null ? null : value > limit
}
