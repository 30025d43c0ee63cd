import { sql } from 'kysely'
import type { Metric } from './metric.js'

/**
 * The share of the target population that received peer feedback.
 *
 * Numerator: learners in P who were the subject of *peer-feedback* at least once in the period, whoever gave it, also
 * somebody outside P. Denominator: |P|. Window: each period, in whole local days of the query's time zone. Null:
 * `empty_denominator` when P is empty.
 */
export const peerFeedbackReceived: Metric = {
  id: 'peer-feedback-received',
  name: 'Peer feedback received',
  question: 'How many people hear from their peers how they do?',
  definition:
    'Learners in the target population who received peer feedback at least once in the period ÷ the target population.',
  unit: 'proportion',
  calculation: 'proportion',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  counting: () => ({
    deeds: sql`select person_id, day from population_day where peer_feedback_received > 0`,
    perLearner: [],
    fromWeeks: { days: sql`peer_feedback_received`, perLearner: [] },
    x: sql`(learner.person_id is not null)::integer`,
    y: sql`1`
  }),
  evidence: () => ({ kinds: ['peer-feedback'], side: 'subject' })
}
