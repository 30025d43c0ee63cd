import { deedKinds } from '../events/deed-kinds.js'
import type { Metric } from './metric.js'
import { wholeUnits } from './whole-units.js'

/**
 * Weekly active learners: the mean, over the whole ISO weeks of the period, of the distinct learners active in a week.
 *
 * Numerator: for each learner in P the weeks in which they were active, summed; a learner counts once a week however
 * often they came, so this is no sum of `dau`. Denominator: the ISO weeks (from Monday) that lie whole in the period
 * and are over at `asOf`; a period of at most 7 days without one counts as a week of its own. Window: each period, in
 * whole local days of the query's time zone. Null: `empty_denominator` when P is empty, or when a longer period has no
 * whole week.
 */
export const wau: Metric = {
  id: 'wau',
  name: 'Weekly active learners',
  question: 'How many learners are active in a week?',
  definition:
    'Distinct learners of the target population active in an ISO week, as a mean over the whole weeks of the period.',
  unit: 'learners',
  calculation: 'count',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  counting: request => wholeUnits('week', request),
  evidence: () => ({ kinds: deedKinds, side: 'doer' })
}
