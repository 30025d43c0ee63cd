import { defaultLeadershipDefinition, leadershipIndexes, parseLeadershipDefinition } from './leadership-index.js'
import { readLearnerMetrics } from './learner-metrics.js'
import { type LmsMetric, lmsMetrics } from './lms-metrics.js'
import type { LearnerScore } from './score.js'
import { scoreGroups } from './score-groups.js'

/** The leadership index of learners: the six metrics of learning in one window, by role unless asked otherwise. */
export const leadershipIndexScore: LearnerScore = {
  id: 'leadership-index',
  name: 'Composite leadership index',
  question: 'Where does this learner stand among those of the same role?',
  definition:
    'The weighted mean of the z-scores, clipped to ±3, of the six metrics of learning among the learners of the same role.',
  unit: 'standard deviations; 0 is the average of the role',
  components: lmsMetrics,
  windowDays: 28,
  hasFixedWindow: false,
  standard: defaultLeadershipDefinition,
  parse: parseLeadershipDefinition,
  comparedBy: 'role',
  read: async (db, request, given) => {
    const definition = parseLeadershipDefinition(given)
    const metrics = await readLearnerMetrics<LmsMetric>(db, lmsMetrics, { ...request, periods: request.windows })
    const windows = request.windows.map(window => {
      const columns = lmsMetrics.map(id => ({ id, numberOf: metrics.valuesOf(id, window) }))
      return scoreGroups(metrics.learnersOf(window), request, group => {
        const learners = group.map(learner => {
          const values = {} as Record<LmsMetric, number | null>
          for (const { id, numberOf } of columns) values[id] = numberOf(learner)
          return { key: learner.personId, values }
        })
        return leadershipIndexes(learners, definition).map(score => ({ ...score, details: null }))
      })
    })
    return { windows, snapshot: metrics.snapshot }
  }
}
