import { findEnergizeCounts } from './energize-counts.js'
import { defaultEnergizeDefinition, energizeScores, parseEnergizeDefinition } from './energize-score.js'
import type { LearnerScore } from './score.js'
import { scoreGroups } from './score-groups.js'

/** The energize score of learners over 8 weeks, among all who are asked for unless asked otherwise. */
export const energizeScore: LearnerScore = {
  id: 'energize-score',
  name: 'Energize score',
  question: 'How lively is this learner among the cohort?',
  definition:
    'The weighted mean of the percentile ranks of weeks active of the last 8, the trend of active days, the share of reward claims followed by a return, and days in the community.',
  unit: '0 to 100',
  components: Object.keys(defaultEnergizeDefinition.weights),
  windowDays: 56,
  hasFixedWindow: true,
  standard: defaultEnergizeDefinition,
  parse: parseEnergizeDefinition,
  comparedBy: 'none',
  read: async (db, request, given) => {
    const definition = parseEnergizeDefinition(given)
    const { learners, snapshot } = await findEnergizeCounts(db, { ...request, periods: request.windows })
    const windows = request.windows.map((_window, at) =>
      scoreGroups(
        learners.filter(({ period }) => period === at),
        request,
        group =>
          energizeScores(
            group.map(({ counts }) => counts),
            definition
          ).map(score => ({ ...score, details: null }))
      )
    )
    return { windows, snapshot }
  }
}
