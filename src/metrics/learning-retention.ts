import { sql } from 'kysely'
import { daysWith } from '../rollup/learner-weeks.js'
import { numberOfUnits } from './learner-weeks.js'
import type { Counting, Metric } from './metric.js'
import { addDays } from './window.js'

interface LearningRetentionOptions extends Record<string, string | number> {
  readonly weeks: 2 | 4 | 8
}

/**
 * The share of the target population that keeps practising and is checked on.
 *
 * Numerator: learners in P with at least one *completed-task* in each of the last `weeks` weeks and at least one
 * *manager-check* received in any of them, whoever made it. Weeks are stretches of 7 local days, counted back from the
 * period's end (our definition), so that a period which is shorter looks back beyond its beginning. There, and with
 * `membership=at_event` within it too, deeds count also on days on which the learner did not belong to P. Denominator:
 * |P|. Window: each period, in whole local days of the query's time zone. Null: `empty_denominator` when P is empty.
 */
export const learningRetention: Metric<LearningRetentionOptions> = {
  id: 'learning-retention',
  name: 'Learning retention',
  question: 'How many people keep practising, with their manager behind them?',
  definition:
    "Learners in the target population with a practice task in each of the last weeks up to the period's end, and a manager check in them ÷ the target population.",
  unit: 'proportion',
  calculation: 'proportion',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {
    weeks: {
      description: "How many weeks of 7 days, counted back from the period's end, need a practice task each.",
      values: [2, 4, 8],
      default: 4
    }
  },
  lagDays: () => 0,
  counting: ({ options }) => counting(options.weeks),
  evidence: () => ({ kinds: ['completed-task'], side: 'doer' })
}

function counting(weeks: number): Counting {
  return {
    backDays: 7 * weeks,
    isDeedOfPeriod: true,
    // Days are met by equality, which a thousand periods can be hashed by, where a range would compare each with each.
    deeds: sql`
      select ordinal, person_id, week, completed_task > 0 as has_practised, manager_check_received > 0 as is_checked
      from population_day
      join (
        select ordinal, ends - back as day, (back - 1) / 7 as week
        from period cross join generate_series(1, ${sql.lit(7 * weeks)}) as back
      ) as week_day using (day)
      where completed_task > 0 or manager_check_received > 0`,
    perLearner: [
      sql`count(distinct week) filter (where has_practised) as weeks_practised`,
      sql`bool_or(is_checked) as was_checked`
    ],
    fromWeeks: {
      days: sql`(${daysWith('completed_task')} | manager_check_received)`,
      perLearner: [
        sql`${numberOfUnits(weeks, sql`days & ${daysWith('completed_task')}`)} as weeks_practised`,
        sql`bool_or(days & manager_check_received <> 0) as was_checked`
      ],
      parts: ({ to }) =>
        Array.from({ length: weeks }, (_, back) => ({ from: addDays(to, -7 * (back + 1)), to: addDays(to, -7 * back) }))
    },
    x: sql`((weeks_practised = ${sql.lit(weeks)} and was_checked) is true)::integer`,
    y: sql`1`
  }
}
