import { sql } from 'kysely'
import { deedKinds } from '../events/deed-kinds.js'
import { numberOfDays, timesOn } from '../rollup/learner-weeks.js'
import { isActiveDay } from './activity.js'
import { fullWeeks, inFullWeeks, isInFullWeeks } from './full-weeks.js'
import type { Metric } from './metric.js'

interface EngagementFrequencyOptions extends Record<string, string | number> {
  readonly of: 'active-days' | 'sessions'
}

/**
 * How often a week learners engage: active days, or sessions, per learner and week.
 *
 * Numerator: active days of learners in P (`of=active-days`), or sessions that they started (`of=sessions`, which a
 * pause of more than 30 minutes ends), in the period's full weeks, counted from its first day; the days left over at the
 * end count in neither. Denominator: |P| × full weeks. Window: each period, in whole local days of the query's time
 * zone. Details: the median per learner and week. Null: `empty_denominator` when P is empty or the period has no full
 * week.
 */
export const engagementFrequency: Metric<EngagementFrequencyOptions> = {
  id: 'engagement-frequency',
  name: 'Engagement frequency',
  question: 'How often a week do people learn?',
  definition:
    'Active days, or sessions, of the target population in the full weeks of the period ÷ (the target population × full weeks).',
  unit: 'per-learner-week',
  calculation: 'ratio',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {
    of: {
      description: 'What is counted: `active-days`, or `sessions`, which a pause of more than 30 minutes ends.',
      values: ['active-days', 'sessions'],
      default: 'active-days'
    }
  },
  lagDays: () => 0,
  counting: ({ options, today }) => ({
    deeds: sql`
      select person_id, day, ${options.of === 'sessions' ? sql`session_starts` : sql`1`} as times
      from population_day where ${isActiveDay}`,
    perLearner: [sql`sum(times) filter (where ${isInFullWeeks(today)}) as times`],
    fromWeeks: {
      days: sql`active`,
      perLearner: [
        sql`sum(${options.of === 'sessions' ? timesOn(sql`days`, ['session_starts']) : numberOfDays(sql`days`)}) as times`
      ],
      parts: period => inFullWeeks(today, period)
    },
    x: sql`coalesce(times, 0)`,
    y: fullWeeks(today),
    details: { median: sql`percentile_cont(0.5) within group (order by x::float8 / nullif(y, 0))` }
  }),
  evidence: () => ({ kinds: deedKinds, side: 'doer' })
}
