import { deedKinds } from '../events/deed-kinds.js'
import type { Metric } from './metric.js'
import { wholeUnits } from './whole-units.js'

/**
 * Monthly active learners: the mean, over the whole calendar months of the period, of the distinct learners active in a
 * month.
 *
 * Numerator: for each learner in P the months in which they were active, summed; a learner counts once a month, so this
 * is no sum of `dau` or `wau`. Denominator: the calendar months that lie whole in the period and are over at `asOf`; a
 * period of at most 31 days without one counts as a month of its own. Window: each period, in whole local days of the
 * query's time zone. Null: `empty_denominator` when P is empty, or when a longer period has no whole month.
 */
export const mau: Metric = {
  id: 'mau',
  name: 'Monthly active learners',
  question: 'How many learners are active in a month?',
  definition:
    'Distinct learners of the target population active in a calendar month, as a mean over the whole months of the period.',
  unit: 'learners',
  calculation: 'count',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  counting: request => wholeUnits('month', request),
  evidence: () => ({ kinds: deedKinds, side: 'doer' })
}
