import { type RawBuilder, sql } from 'kysely'
import { deedKinds } from '../events/deed-kinds.js'
import { isActiveDay } from './activity.js'
import { firstDayOf, followedWithin } from './learner-weeks.js'
import type { Counting, FromWeeks, Metric } from './metric.js'

interface RepeatRateOptions extends Record<string, string | number> {
  readonly windowDays: 7 | 14 | 30
  readonly denominator: 'active' | 'population'
}

/**
 * The share of active learners who came back.
 *
 * A learner's t0 is their first active local day in the period; they repeated when another active day lies in
 * (t0, t0 + windowDays], the bracket, which may reach past the period's end. A bracket has closed when its last day
 * is over at `asOf`; only closed ones count. Numerator: learners in P who repeated within a closed bracket.
 * Denominator: learners in P with a closed bracket (`active`), or |P| (`population`). Window: each period, in whole
 * local days of the query's time zone. Null: `empty_denominator` when no bracket has closed, or P is empty.
 */
export const repeatRate: Metric<RepeatRateOptions> = {
  id: 'repeat-rate',
  name: 'Repeat rate',
  question: 'Do the people who start come back?',
  definition:
    'Learners active on another day within windowDays after their first active day in the period ÷ learners active in the period whose windowDays are over.',
  unit: 'proportion',
  calculation: 'proportion',
  indicator: 'leading',
  thresholds: { minimum: 0.2, success: 0.45, perDays: 7 },
  definitionVersion: 1,
  options: {
    windowDays: {
      description: 'How many days after the first active day another one counts as a return.',
      values: [7, 14, 30],
      default: 7
    },
    denominator: {
      description: '`active`: learners active in the period whose bracket has closed. `population`: everyone in P.',
      values: ['active', 'population'],
      default: 'active'
    }
  },
  lagDays: options => options.windowDays,
  counting: ({ options, today }) => counting(options, today),
  evidence: () => ({ kinds: deedKinds, side: 'doer' })
}

function counting({ windowDays, denominator }: RepeatRateOptions, today: string): Counting {
  const closed = sql<boolean>`first_day + ${windowDays}::integer < ${today}::date`
  return {
    reachDays: windowDays,
    deeds: activeDays,
    perLearner: firstDay,
    fromWeeks: firstDayOfWeeks(windowDays),
    x: sql`(${closed} and next_day <= first_day + ${windowDays}::integer)::integer`,
    y: denominator === 'active' ? sql`(${closed})::integer` : sql`1`,
    isImmature: sql<boolean>`not ${closed}`
  }
}

/**
 * The active days, each with the one after it, in the period or past its end. The return counts whether or not the
 * learner still belongs to the cohort by then: who moved on to another team has come back all the same.
 */
const activeDays: RawBuilder<unknown> = sql`
  select person_id, day, lead(day) over (partition by person_id order by day) as next_day
  from population_day where ${isActiveDay}`

/**
 * Each learner's first active day in the period and the active day after it. A later day's next day is later too, so
 * the least of them is the first day's.
 */
const firstDay = [sql`min(day) as first_day`, sql`min(next_day) as next_day`]

/**
 * The same from sets of days. Whether the first day is followed in time is one bit below its number, so that the least of
 * the rows' numbers says it of the first day.
 */
function firstDayOfWeeks(windowDays: number): FromWeeks {
  const first = sql`(2 * (begins - date 'J0' + ${firstDayOf(sql`days`)})
    + (${followedWithin(windowDays)} >> ${firstDayOf(sql`days`)}::integer & 1))`
  return {
    days: sql`active`,
    seesNext: true,
    perLearner: [
      sql`date 'J0' + (min(${first}) / 2)::integer as first_day`,
      sql`case when min(${first}) % 2 = 1 then date 'J0' + (min(${first}) / 2)::integer + 1 end as next_day`
    ]
  }
}
