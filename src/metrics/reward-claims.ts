import { sql } from 'kysely'
import { daysWith, timesOn } from '../rollup/learner-weeks.js'
import type { Metric } from './metric.js'

/**
 * Rewards claimed per learner (our definition).
 *
 * Per learner and not per offer, because many platforms report no *reward-offered*, and an offer may be claimed in a
 * later period. Numerator: *reward-claimed* events of learners in P. Denominator: |P|. Window: each period, in whole
 * local days of the query's time zone. Details: `claimants`, the learners who claimed any; `offers` to learners in P; and
 * `claimsPerOffer`, null where none was offered. Null: `empty_denominator` when P is empty.
 */
export const rewardClaims: Metric = {
  id: 'reward-claims',
  name: 'Reward claims',
  question: 'Do people want the rewards they are offered?',
  definition: 'Rewards claimed by the target population ÷ the target population.',
  unit: 'per-learner',
  calculation: 'ratio',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  counting: () => ({
    deeds: sql`
      select person_id, day, reward_claimed, reward_offered from population_day
      where reward_claimed > 0 or reward_offered > 0`,
    perLearner: [sql`sum(reward_claimed) as claims`, sql`sum(reward_offered) as offers`],
    fromWeeks: {
      days: sql`(${daysWith('reward_claimed')} | ${daysWith('reward_offered')})`,
      perLearner: [
        sql`sum(${timesOn(sql`days`, ['reward_claimed'])}) as claims`,
        sql`sum(${timesOn(sql`days`, ['reward_offered'])}) as offers`
      ]
    },
    x: sql`coalesce(claims, 0)`,
    y: sql`1`,
    extra: { offers: sql`coalesce(offers, 0)` },
    details: {
      claimants: sql`count(*) filter (where share.x > 0)`,
      offers: sql`sum(share.offers)`,
      claimsPerOffer: sql`sum(share.x)::float8 / nullif(sum(share.offers), 0)`
    }
  }),
  evidence: () => ({ kinds: ['reward-claimed'], side: 'doer' })
}
