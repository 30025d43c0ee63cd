import { sql } from 'kysely'
import type { Metric } from './metric.js'

/**
 * The share of the target population that gave peer feedback.
 *
 * Numerator: learners in P who gave *peer-feedback* at least once in the period; who receives it is counted by
 * `peer-feedback-received`. Denominator: |P|. Window: each period, in whole local days of the query's time zone. Null:
 * `empty_denominator` when P is empty.
 */
export const peerFeedbackRate: Metric = {
  id: 'peer-feedback-rate',
  name: 'Peer feedback rate',
  question: 'How many people give their peers feedback?',
  definition:
    'Learners in the target population who gave peer feedback at least once in the period ÷ the target population.',
  unit: 'proportion',
  calculation: 'proportion',
  indicator: 'leading',
  thresholds: { minimum: 0.05, success: 0.2, perDays: 7 },
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  counting: () => ({
    deeds: sql`select person_id, day from population_day where peer_feedback > 0`,
    perLearner: [],
    fromWeeks: { days: sql`peer_feedback`, perLearner: [] },
    x: sql`(learner.person_id is not null)::integer`,
    y: sql`1`
  }),
  evidence: () => ({ kinds: ['peer-feedback'], side: 'doer' })
}
