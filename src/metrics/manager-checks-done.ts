import { doneOfDue } from './due-checks.js'
import type { Metric } from './metric.js'

/**
 * The share of the scheduled manager checks that were done: `manager-check-rate` as done ÷ due, where an LMS schedules
 * checks.
 *
 * Numerator: Σ, over learners in P, of the manager checks about them that came due in the period and were done by its
 * end. Denominator: Σ of those that came due; n counts the learners with one. Window: each period, in whole local days
 * of the query's time zone. Null: `empty_denominator` when none came due.
 *
 * @see doneOfDue for what is due and what is done
 */
export const managerChecksDone: Metric = {
  id: 'manager-checks-done',
  name: 'Manager checks done',
  question: 'How many of the checks that were scheduled do managers make?',
  definition:
    'Manager checks of the target population that came due in the period and were done by its end ÷ those that came due.',
  unit: 'proportion',
  calculation: 'ratio',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  counting: doneOfDue,
  evidence: () => ({ kinds: ['manager-check'], side: 'subject' })
}
