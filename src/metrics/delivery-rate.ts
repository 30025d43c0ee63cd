import { type RawBuilder, sql } from 'kysely'
import { assignedPairs } from './assigned-pairs.js'
import { eventDeeds } from './event-deeds.js'
import { followedPairs } from './followed-pairs.js'
import type { MeasureRequest, Metric } from './metric.js'
import { extent } from './shares.js'

/**
 * The share of what was assigned that was delivered.
 *
 * What is counted is distinct learner and assigned activity, a module as a rule. Denominator: the pairs of learners in P
 * with an assignment whose first day is in the period and that held on it. Numerator (our definition): those of them with
 * a *delivered* of the activity, or of a part of the module, on that day or after it, by the period's end. Window: each
 * period, in whole local days of the query's time zone. Null: `empty_denominator` when nothing was assigned to anybody
 * in P.
 *
 * @see followedPairs for why the period's end bounds both
 */
export const deliveryRate: Metric = {
  id: 'delivery-rate',
  name: 'Delivery rate',
  question: 'How much of what people are assigned reaches them?',
  definition:
    'Distinct learners and activities delivered on or after the day on which they were assigned, by the end of the period ÷ distinct learners and activities assigned in it.',
  unit: 'proportion',
  calculation: 'ratio',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  counting: request => followedPairs(assignedAndDelivered(request)),
  evidence: () => ({ kinds: ['delivered'], side: 'doer' })
}

/** An assignment has a day and no instant, so days are the order of these. */
function assignedAndDelivered(request: MeasureRequest): RawBuilder<unknown> {
  const { from, to } = extent(request, {})
  const begins = sql`assignment.assigned_on >= ${from}::date and assignment.assigned_on < ${to}::date`
  const delivered = eventDeeds(request, {
    kinds: ['delivered'],
    columns: [sql`thing.id as module_id`],
    joins: sql`cross join unnest(array[event.module_id, event.activity_id]) as thing(id)`,
    where: sql`thing.id is not null`
  })
  return sql`
    select person_id, since as day, activity_id as module_id, true as is_base, since as happened
    from (${assignedPairs(request, begins)}) as assigned
    union all
    select person_id, day, module_id, false, day from (${delivered}) as delivered`
}
