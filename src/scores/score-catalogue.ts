import { LrsError } from '../errors.js'
import { coachingScore } from './read-coaching-index.js'
import { energizeScore } from './read-energize-score.js'
import { leadershipFlagScore } from './read-leadership-flag.js'
import { leadershipIndexScore } from './read-leadership-index.js'
import { momentumScore } from './read-momentum.js'
import type { LearnerScore, ScoreDescription } from './score.js'

/** The scores of single learners. */
export const learnerScores: readonly LearnerScore[] = [
  leadershipIndexScore,
  leadershipFlagScore,
  momentumScore,
  energizeScore
]

/** Every score there is, in the order in which a reader should meet them. */
export const scoreCatalogue: readonly ScoreDescription[] = [coachingScore, ...learnerScores]

/**
 * The score with an id.
 *
 * @throws {LrsError} `not-found`, with the ids that there are
 */
export function findScore(id: string): ScoreDescription {
  return find(scoreCatalogue, id, 'score')
}

/**
 * The score of learners with an id.
 *
 * @throws {LrsError} `not-found`, with the ids that there are
 */
export function findLearnerScore(id: string): LearnerScore {
  return find(learnerScores, id, 'score of learners')
}

function find<Score extends ScoreDescription>(scores: readonly Score[], id: string, what: string): Score {
  const found = scores.find(score => score.id === id)
  if (found !== undefined) return found
  throw new LrsError('not-found', `There is no ${what} "${id}"; there are ${scores.map(({ id }) => id).join(', ')}`)
}
