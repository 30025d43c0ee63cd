import { sql } from 'kysely'
import { deedKinds } from '../events/deed-kinds.js'
import { isActiveDay } from './activity.js'
import { deedDimensionNames, isDeedDimension } from './dimension.js'
import { eventDeeds } from './event-deeds.js'
import type { Metric } from './metric.js'

/**
 * The share of the target population that did anything.
 *
 * Numerator: learners in P with at least one deed of their own in the period; broken down by `module` or `contentType`,
 * with at least one in that module, or with an activity of that type. Denominator: |P|, the same for each of them.
 * Window: each period, in whole local days of the query's time zone. Null: `empty_denominator` when P is empty.
 */
export const participation: Metric = {
  id: 'participation',
  name: 'Participation',
  question: 'How many of the people take part, and in what?',
  definition:
    'Learners in the target population who did anything themselves in the period (in the module, or with the type of content) ÷ the target population.',
  unit: 'proportion',
  calculation: 'proportion',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  deedDimensions: deedDimensionNames,
  counting: request => ({
    deeds: request.breakdown.some(isDeedDimension)
      ? eventDeeds(request, {
          kinds: deedKinds,
          columns: [
            sql`coalesce(event.module_id, 0) as module_id`,
            sql`coalesce(event.activity_type_id, 0) as activity_type_id`
          ]
        })
      : sql`select person_id, day from population_day where ${isActiveDay}`,
    perLearner: [],
    ...(request.breakdown.some(isDeedDimension) ? {} : { fromWeeks: { days: sql`active`, perLearner: [] } }),
    x: sql`(learner.person_id is not null)::integer`,
    y: sql`1`
  }),
  evidence: () => ({ kinds: deedKinds, side: 'doer' })
}
