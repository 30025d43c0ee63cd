import { sql } from 'kysely'
import type { Metric } from './metric.js'

/**
 * The share of direct reports whom a manager checked.
 *
 * A direct report is a learner in P for whom the roster names a manager; nobody reports to themself. Numerator: direct
 * reports who were the subject of a *manager-check* at least once in the period, whoever made it. Denominator: direct
 * reports in P. Window: each period, in whole local days of the query's time zone. Null: `empty_denominator` when P has
 * no direct report.
 */
export const managerCheckRate: Metric = {
  id: 'manager-check-rate',
  name: 'Manager check rate',
  question: 'How many people does a manager check on?',
  definition:
    'Direct reports in the target population with at least one manager check in the period ÷ direct reports in the target population.',
  unit: 'proportion',
  calculation: 'proportion',
  indicator: 'leading',
  thresholds: { minimum: 0.1, success: 0.5, perDays: 7 },
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  counting: () => ({
    deeds: sql`select person_id, day from population_day where manager_check_received > 0`,
    perLearner: [],
    fromWeeks: { days: sql`manager_check_received`, perLearner: [] },
    flags: { is_report: sql`(nullif(roster.manager_id, person.external_id) is not null)` },
    flagsReadPerson: true,
    x: sql`(is_report and learner.person_id is not null)::integer`,
    y: sql`is_report::integer`
  }),
  evidence: () => ({ kinds: ['manager-check'], side: 'subject' })
}
