import { clipZ, compositesOf, type LearnerComposite, type LearnerValues } from './composite.js'
import { parseFields, parseWeighting, type Weighting } from './definition.js'
import type { LmsMetric } from './lms-metrics.js'
import type { Normalised, Valued } from './values.js'
import { zScores } from './z-scores.js'

export type LeadershipDefinition = Weighting<LmsMetric>

/** Equal weights, until a model of a customer's own data says better. */
export const defaultLeadershipDefinition: LeadershipDefinition = {
  version: 1,
  weights: {
    'completion-rate': 1,
    'time-on-task': 1,
    'assessment-score': 1,
    'engagement-frequency': 1,
    'forum-interactions': 1,
    'course-diversity': 1
  },
  needs: 4
}

/**
 * Where each learner stands among the learners of the same role: Σ w·z ÷ Σ w over the six metrics of learning.
 *
 * In standard deviations; 0 is the role's average. Each z is clipped to ±3. Null (`low_coverage`) for a learner with
 * fewer than `needs` z-scores: a metric gives none where the learner has no value, fewer than five of the role have
 * one, or all have the same. Same order as given.
 *
 * @param learners all learners of one role, in one window
 */
export function leadershipIndexes<Key>(
  learners: readonly LearnerValues<LmsMetric, Key>[],
  definition: LeadershipDefinition = defaultLeadershipDefinition
): readonly LearnerComposite<LmsMetric, Key>[] {
  return compositesOf(learners, definition, clippedZScores)
}

function clippedZScores<Key>(values: readonly Valued<Key>[]): readonly Normalised<Key>[] {
  return zScores(values).map(({ key, value, normalised, nullReason }) => {
    return { key, value, normalised: clipZ(normalised), nullReason }
  })
}

/**
 * A definition from JSON; what is missing takes its default.
 *
 * @throws LrsError `invalid-parameter` with a pointer to what can't be meant
 */
export function parseLeadershipDefinition(input: unknown): LeadershipDefinition {
  return parseWeighting(parseFields(input, ['version', 'weights', 'needs']), defaultLeadershipDefinition)
}
