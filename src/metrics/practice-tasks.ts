import { sql } from 'kysely'
import { daysWith, timesOn } from '../rollup/learner-weeks.js'
import { fullWeeks, inFullWeeks, isInFullWeeks } from './full-weeks.js'
import type { Metric } from './metric.js'

/**
 * Practice tasks completed per learner and week.
 *
 * Numerator: *completed-task* events of learners in P on the days of the period's full weeks that are over, counted from its
 * first day; the days left over at the end count in neither. Denominator: |P| × full weeks. Window: each period, in whole local
 * days of the query's time zone. Details: the median per learner and week. Null: `empty_denominator` when P is empty or
 * the period has no full week that is over.
 */
export const practiceTasks: Metric = {
  id: 'practice-tasks',
  name: 'Practice tasks',
  question: 'How much do people practise?',
  definition:
    'Practice tasks completed by the target population in the full weeks of the period ÷ (the target population × full weeks).',
  unit: 'per-learner-week',
  calculation: 'ratio',
  indicator: 'leading',
  thresholds: { minimum: 1, success: 3, perDays: 7 },
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  counting: ({ today }) => ({
    deeds: sql`select person_id, day, completed_task from population_day where completed_task > 0`,
    perLearner: [sql`sum(completed_task) filter (where ${isInFullWeeks(today)}) as tasks`],
    fromWeeks: {
      days: daysWith('completed_task'),
      perLearner: [sql`sum(${timesOn(sql`days`, ['completed_task'])}) as tasks`],
      parts: period => inFullWeeks(today, period)
    },
    x: sql`coalesce(tasks, 0)`,
    y: fullWeeks(today),
    details: { median: sql`percentile_cont(0.5) within group (order by x::float8 / nullif(y, 0))` }
  }),
  evidence: () => ({ kinds: ['completed-task'], side: 'doer' })
}
