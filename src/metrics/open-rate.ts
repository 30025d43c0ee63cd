import { followedEvents } from './followed-pairs.js'
import type { Metric } from './metric.js'

/**
 * The share of what was delivered that was opened.
 *
 * What is counted is distinct learner and module. Denominator: the pairs of learners in P with a *delivered* in the
 * period. Numerator (our definition): those of them with an *opened* at or after one of these, by the period's end.
 * Window: each period, in whole local days of the query's time zone. Null: `empty_denominator` when nothing was
 * delivered to anybody in P.
 *
 * @see followedPairs for why the period's end bounds both
 */
export const openRate: Metric = {
  id: 'open-rate',
  name: 'Open rate',
  question: 'How much of what they are sent do people open?',
  definition:
    'Distinct learners and modules opened after they were delivered, by the end of the period ÷ distinct learners and modules delivered in it.',
  unit: 'proportion',
  calculation: 'ratio',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  counting: request => followedEvents(request, 'delivered'),
  evidence: () => ({ kinds: ['opened'], side: 'doer' })
}
