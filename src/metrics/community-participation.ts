import { sql } from 'kysely'
import { daysWith, numberOfDays } from '../rollup/learner-weeks.js'
import type { Metric } from './metric.js'

/**
 * The share of the target population that took part in the community.
 *
 * Numerator: learners in P who posted, replied, endorsed or gave peer feedback at least once in the period.
 * Denominator: |P|. Window: each period, in whole local days of the query's time zone. Details: `communityDays`, the
 * learners' distinct days with any of these deeds, summed, and `median`, over those who took part. Null:
 * `empty_denominator` when P is empty.
 */
export const communityParticipation: Metric = {
  id: 'community-participation',
  name: 'Community participation',
  question: 'How many people take part in the community?',
  definition:
    'Learners in the target population who posted, replied, endorsed or gave peer feedback at least once in the period ÷ the target population.',
  unit: 'proportion',
  calculation: 'proportion',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  counting: () => ({
    deeds: sql`
      select person_id, day from population_day
      where posted > 0 or replied > 0 or endorsed > 0 or peer_feedback > 0`,
    perLearner: [sql`count(*) as community_days`],
    fromWeeks: {
      days: sql`(${daysWith('posted')} | ${daysWith('replied')} | ${daysWith('endorsed')} | peer_feedback)`,
      perLearner: [sql`sum(${numberOfDays(sql`days`)}) as community_days`]
    },
    x: sql`(learner.person_id is not null)::integer`,
    y: sql`1`,
    extra: { community_days: sql`coalesce(community_days, 0)` },
    details: {
      communityDays: sql`sum(share.community_days)`,
      median: sql`percentile_cont(0.5) within group (order by share.community_days::float8) filter (where share.x > 0)`
    }
  }),
  evidence: () => ({ kinds: ['posted', 'replied', 'endorsed', 'peer-feedback'], side: 'doer' })
}
