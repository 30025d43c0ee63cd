import { deedKinds } from '../events/deed-kinds.js'
import type { Metric } from './metric.js'
import { unusualDays } from './unusual-days.js'

/**
 * On what share of the days unusually many learners were active.
 *
 * Numerator: days of the period whose robust z is above 3.5: the active learners of P on the day against those of the
 * same weekday in the 8 weeks before. Denominator: days that can be judged: they are over, and the earlier ones are not
 * mostly alike. A learner's own value is their active days. Window: each period, in whole local days of the query's time
 * zone. Details: `days`, each unusual one with `learners`, `median`, `mad` and `robustZ`, and how many days were
 * `notJudged` for want of a scale. Null: `empty_denominator` when P is empty, or no day can be judged.
 *
 * @see unusualDays
 */
export const activitySpike: Metric = {
  id: 'activity-spike',
  name: 'Activity spike',
  question: 'On which days did far more people learn than usual?',
  definition:
    'Days on which unusually many of the target population were active, against the trailing 8 same weekdays ÷ days that can be judged.',
  unit: 'proportion',
  calculation: 'count',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  counting: request => unusualDays(1, request),
  evidence: () => ({ kinds: deedKinds, side: 'doer' })
}
