import { followedEvents } from './followed-pairs.js'
import type { Metric } from './metric.js'

/**
 * The share of what was opened in which a task was completed.
 *
 * What is counted is distinct learner and module. Denominator: the pairs of learners in P with an *opened* in the period.
 * Numerator (our definition): those of them with a *completed-task* at or after one of these, by the period's end.
 * Window: each period, in whole local days of the query's time zone. Null: `empty_denominator` when nobody in P opened
 * anything.
 *
 * @see followedPairs for why the period's end bounds both
 */
export const completionOfOpened: Metric = {
  id: 'completion-of-opened',
  name: 'Completion of opened',
  question: 'How much of what people open do they practise?',
  definition:
    'Distinct learners and modules with a task completed after they were opened, by the end of the period ÷ distinct learners and modules opened in it.',
  unit: 'proportion',
  calculation: 'ratio',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  counting: request => followedEvents(request, 'opened'),
  evidence: () => ({ kinds: ['completed-task'], side: 'doer' })
}
