import {
  defaultLeadershipFlagDefinition,
  type LeadershipFlag,
  type LeadershipFlagDefinition,
  leadershipFlags,
  parseLeadershipFlagDefinition
} from './leadership-flag.js'
import { readLearnerMetrics } from './learner-metrics.js'
import type { LearnerScore } from './score.js'
import { type Judgement, scoreGroups } from './score-groups.js'

const ids = ['assessment-score', 'forum-interactions'] as const

/** The leadership flag of learners, by role unless asked otherwise. */
export const leadershipFlagScore: LearnerScore = {
  id: 'leadership-flag',
  name: 'Leadership flag',
  question: 'Who both knows and helps?',
  definition:
    'True where the z-score of the assessment score is above 1.5 and that of forum interactions above 1.0, in the same cohort and window.',
  unit: 'true or false',
  components: ids,
  windowDays: 28,
  hasFixedWindow: false,
  standard: defaultLeadershipFlagDefinition,
  parse: parseLeadershipFlagDefinition,
  comparedBy: 'role',
  read: async (db, request, given) => {
    const definition = parseLeadershipFlagDefinition(given)
    const metrics = await readLearnerMetrics(db, ids, { ...request, periods: request.windows })
    const windows = request.windows.map(window => {
      const [scoreOf, interactionsOf] = [metrics.valuesOf(ids[0], window), metrics.valuesOf(ids[1], window)]
      return scoreGroups(metrics.learnersOf(window), request, group => {
        const values = group.map(learner => ({
          key: learner.personId,
          assessmentScore: scoreOf(learner),
          forumInteractions: interactionsOf(learner)
        }))
        return leadershipFlags(values, definition).map((flag, at) => toJudgement(flag, values[at], definition))
      })
    })
    return { windows, snapshot: metrics.snapshot }
  }
}

function toJudgement(
  { isFlagged, assessmentZ, forumZ, nullReason }: LeadershipFlag,
  values: { readonly assessmentScore: number | null; readonly forumInteractions: number | null } | undefined,
  { assessmentAbove, forumAbove }: LeadershipFlagDefinition
): Judgement {
  const part = (id: string, z: { raw: number | null; normalised: number | null; above: number }) => ({
    id,
    ...z,
    isMissing: z.normalised === null,
    isAbove: z.normalised === null ? null : z.normalised > z.above
  })
  return {
    value: isFlagged,
    nullReason,
    components: [
      part(ids[0], { raw: values?.assessmentScore ?? null, normalised: assessmentZ, above: assessmentAbove }),
      part(ids[1], { raw: values?.forumInteractions ?? null, normalised: forumZ, above: forumAbove })
    ],
    coverage: null,
    details: null
  }
}
