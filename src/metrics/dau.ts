import { sql } from 'kysely'
import { deedKinds } from '../events/deed-kinds.js'
import { numberOfDays } from '../rollup/learner-weeks.js'
import { isActiveDay } from './activity.js'
import { upTo } from './learner-weeks.js'
import type { Metric } from './metric.js'

/**
 * Daily active learners: the mean, over the days of the period, of the distinct learners active on a day.
 *
 * Numerator: active days of learners in P. Denominator: days of the period that have
 * begun; with `interval=day` it is 1, and the value
 * is the number of learners. Window: each period, in whole local days of the query's time zone. Null:
 * `empty_denominator` when P is empty.
 */
export const dau: Metric = {
  id: 'dau',
  name: 'Daily active learners',
  question: 'How many learners are active on a day?',
  definition:
    'Distinct learners of the target population active on a local day, as a mean over the days of the period.',
  unit: 'learners',
  calculation: 'count',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  counting: ({ today }) => ({
    deeds: sql`select person_id, day from population_day where ${isActiveDay} and day <= ${today}::date`,
    perLearner: [sql`count(*) as active_days`],
    fromWeeks: {
      days: sql`active`,
      perLearner: [sql`sum(${numberOfDays(sql`days`)}) as active_days`],
      parts: period => upTo(today, period)
    },
    x: sql`coalesce(active_days, 0)`,
    y: sql`1`,
    per: sql`greatest(0, least(ends, ${today}::date + 1) - starts)`
  }),
  evidence: () => ({ kinds: deedKinds, side: 'doer' })
}
