import { type RawBuilder, sql } from 'kysely'
import type { ScoreScale } from '../database/schema-activities.js'
import { backInTime, inTime } from '../rollup/learner-attempts.js'
import { chosenScores, isOfAttemptDays, type Policy } from './attempt-days.js'
import type { Metric } from './metric.js'
import { scaleOption, scoredAttempts } from './score.js'

interface AssessmentScoreOptions extends Record<string, string | number> {
  readonly scale: ScoreScale
  readonly policy: Policy
}

const isScored = sql`filter (where score is not null)`

/** The score of an activity, out of a learner's attempts in the period. */
const chosen: Readonly<Record<Policy, RawBuilder<unknown>>> = {
  last: sql`(array_agg(score order by ${backInTime}) ${isScored})[1]`,
  first: sql`(array_agg(score order by ${inTime}) ${isScored})[1]`,
  best: sql`max(score)`
}

/**
 * The mean score of assessed activities.
 *
 * Of each learner of P and activity one score counts: the last, first or best of the attempts in the period (*assessed*
 * with a score). Numerator: the sum of these scores. Denominator: their number, so that a learner's own value is the mean
 * over their activities. Scores are on one scale, `score.scaled` or (raw − min) ÷ (max − min). Details: `coverage`, the
 * share of P with a score, and `onOtherScale`, attempts left out because their only score is on the other scale. Window:
 * each period, in whole local days of the query's time zone. Null: `empty_denominator` when nobody in P has a score.
 */
export const assessmentScore: Metric<AssessmentScoreOptions> = {
  id: 'assessment-score',
  name: 'Assessment score',
  question: 'How well do people do when they are assessed?',
  definition:
    'Sum of the chosen score of each learner and activity assessed in the period ÷ the number of these learners and activities.',
  unit: 'score',
  calculation: 'ratio',
  indicator: 'lagging',
  thresholds: null,
  definitionVersion: 1,
  options: {
    scale: scaleOption,
    policy: {
      description:
        'Which of several attempts at an activity in the period counts: the `last`, the `first` or the `best`.',
      values: ['last', 'first', 'best'],
      default: 'last'
    }
  },
  lagDays: () => 0,
  counting: request => ({
    deeds: scoredAttempts(request, request.options.scale),
    ...(isOfAttemptDays(request) ? chosenScores(request, request.options.scale, request.options.policy) : {}),
    parts: {
      by: [sql`activity_id`],
      aggregates: [
        sql`${chosen[request.options.policy]} as score`,
        sql`count(*) filter (where score is null) as other_scale`
      ]
    },
    perLearner: [sql`sum(score) as total`, sql`count(score) as activities`, sql`sum(other_scale) as other_scale`],
    x: sql`coalesce(total, 0)`,
    y: sql`coalesce(activities, 0)`,
    extra: { other_scale: sql`other_scale` },
    details: {
      coverage: sql`count(*) filter (where y > 0)::float8 / count(*)`,
      onOtherScale: sql`coalesce(sum(other_scale), 0)`
    }
  }),
  evidence: () => ({ kinds: ['assessed'], side: 'doer' })
}
