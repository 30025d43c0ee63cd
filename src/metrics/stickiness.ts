import { sql } from 'kysely'
import { deedKinds } from '../events/deed-kinds.js'
import { numberOfDays } from '../rollup/learner-weeks.js'
import { isActiveDay } from './activity.js'
import type { Metric } from './metric.js'

/**
 * On what share of the days those who come at all come: the mean of `dau` over the days of the period ÷ the learners
 * active in it.
 *
 * Numerator: active days of learners in P. Denominator: learners in P active in the period × its days that have begun.
 * Over a calendar month it is mean DAU ÷ MAU. Window: each period, in whole local days of the query's time zone.
 * Details: `activeDays`, how many learners were active on exactly so many days, from one on. Null: `empty_denominator`
 * when nobody in P was active.
 */
export const stickiness: Metric = {
  id: 'stickiness',
  name: 'Stickiness',
  question: 'Do the people who come at all come often?',
  definition:
    'Active days of learners of the target population ÷ (learners active in the period × its days): the mean daily active learners ÷ the learners active in the whole period.',
  unit: 'proportion',
  calculation: 'ratio',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  counting: ({ today }) => ({
    deeds: sql`select person_id, day from population_day where ${isActiveDay}`,
    perLearner: [sql`count(*) as active_days`],
    fromWeeks: { days: sql`active`, perLearner: [sql`sum(${numberOfDays(sql`days`)}) as active_days`] },
    x: sql`coalesce(active_days, 0)`,
    y: sql`case when active_days > 0 then greatest(0, least(ends, ${today}::date + 1) - starts) else 0 end`,
    details: {
      // The learners of a cell are counted by their days in a query of their own, because aggregates don't nest.
      activeDays: sql`(
        select coalesce(json_agg(json_build_object('days', days, 'learners', learners) order by days), '[]')
        from (select days, count(*) as learners from unnest(array_agg(share.x)) as days where days > 0 group by days)
          as counted)`
    }
  }),
  evidence: () => ({ kinds: deedKinds, side: 'doer' })
}
