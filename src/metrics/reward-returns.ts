import { sql } from 'kysely'
import { daysWith, timesOn } from '../rollup/learner-weeks.js'
import { isActiveDay } from './activity.js'
import { daysBefore, followedWithin } from './learner-weeks.js'
import type { Counting, Metric } from './metric.js'
import { addDays } from './window.js'

interface RewardReturnsOptions extends Record<string, string | number> {
  readonly windowDays: 7 | 14 | 30
}

/**
 * The share of reward claims after which the learner came back.
 *
 * A claim's bracket is the `windowDays` local days after the day of the claim, and may reach past the period's end; it
 * has closed when its last day is over at `asOf`, and only closed ones count. Numerator: claims of learners in P with
 * another active day in their closed bracket. Denominator: claims of learners in P whose bracket has closed. Window:
 * each period, in whole local days of the query's time zone. Null: `empty_denominator` when nothing was claimed, no
 * bracket has closed, or P is empty.
 */
export const rewardReturns: Metric<RewardReturnsOptions> = {
  id: 'reward-returns',
  name: 'Returns after a reward',
  question: 'Do people come back after they have claimed a reward?',
  definition:
    'Reward claims in the period followed by another active day within windowDays ÷ reward claims in the period whose windowDays are over.',
  unit: 'proportion',
  calculation: 'ratio',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {
    windowDays: {
      description: 'How many days after the day of the claim another active day counts as a return.',
      values: [7, 14, 30],
      default: 7
    }
  },
  lagDays: options => options.windowDays,
  counting: ({ options, today }) => counting(options, today),
  evidence: () => ({ kinds: ['reward-claimed'], side: 'doer' })
}

function counting({ windowDays }: RewardReturnsOptions, today: string): Counting {
  const closed = sql`day + ${windowDays}::integer < ${today}::date`
  const closedDays = daysBefore(addDays(today, -windowDays))
  return {
    reachDays: windowDays,
    // To claim is a deed, so that a day with a claim is an active one too.
    deeds: sql`
      select person_id, day, reward_claimed, lead(day) over (partition by person_id order by day) as next_day
      from population_day where ${isActiveDay}`,
    perLearner: [
      sql`sum(reward_claimed) filter (where ${closed} and next_day <= day + ${windowDays}::integer) as returned`,
      sql`sum(reward_claimed) filter (where ${closed}) as closed`,
      sql`sum(reward_claimed) filter (where not ${closed}) as open`
    ],
    fromWeeks: {
      days: daysWith('reward_claimed'),
      seesNext: true,
      perLearner: [
        sql`sum(${timesOn(sql`(days & ${closedDays} & ${followedWithin(windowDays)})`, ['reward_claimed'])}) as returned`,
        sql`sum(${timesOn(sql`(days & ${closedDays})`, ['reward_claimed'])}) as closed`,
        sql`sum(${timesOn(sql`(days & ~${closedDays})`, ['reward_claimed'])}) as open`
      ]
    },
    x: sql`coalesce(returned, 0)`,
    y: sql`coalesce(closed, 0)`,
    isImmature: sql<boolean>`open > 0`
  }
}
