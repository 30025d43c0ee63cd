import { sql } from 'kysely'
import type { Metric } from './metric.js'

interface ActiveUsersOptions extends Record<string, string | number> {
  readonly basis: 'opened' | 'received'
}

/**
 * The share of the target population that opened something.
 *
 * Numerator: learners in P with at least one *opened* in the period (basis `opened`), or at least one *delivered* or
 * *opened* (basis `received`). Denominator: |P|. Window: each period, in whole local days of the query's time zone.
 * Null: `empty_denominator` when nobody was in P on the period's first day.
 */
export const activeUsers: Metric<ActiveUsersOptions> = {
  id: 'active-users',
  name: 'Active users',
  question: 'How many of the people we wanted to reach did we reach?',
  definition: 'Learners in the target population who opened at least once in the period ÷ the target population.',
  unit: 'proportion',
  calculation: 'proportion',
  indicator: 'leading',
  thresholds: { minimum: 0.4, success: 0.7, perDays: 7 },
  definitionVersion: 1,
  options: {
    basis: {
      description: 'What makes a learner active: `opened`, or `received`, which counts *delivered* as well.',
      values: ['opened', 'received'],
      default: 'opened'
    }
  },
  lagDays: () => 0,
  counting: ({ options }) => ({
    deeds: sql`
      select person_id, day from population_day
      where ${options.basis === 'opened' ? sql`opened > 0` : sql`(opened > 0 or delivered > 0)`}`,
    perLearner: [],
    fromWeeks: { days: options.basis === 'opened' ? sql`opened` : sql`(opened | delivered)`, perLearner: [] },
    x: sql`(learner.person_id is not null)::integer`,
    y: sql`1`
  }),
  evidence: ({ basis }) => ({ kinds: basis === 'opened' ? ['opened'] : ['opened', 'delivered'], side: 'doer' })
}
