import { type RawBuilder, sql } from 'kysely'
import { assignedPairs } from './assigned-pairs.js'
import { eventDeeds } from './event-deeds.js'
import { followedPairs } from './followed-pairs.js'
import type { Counting, MeasureRequest, Metric } from './metric.js'
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
  counting,
  evidence: () => ({ kinds: ['delivered'], side: 'doer' })
}

function counting(request: MeasureRequest): Counting {
  const counted = followedPairs(assignedAndDelivered(request))
  return request.membership === 'at_event' ? counted : { ...counted, learners: learnersOf(request) }
}

/** An assignment has a day and no instant, so days are the order of these. */
function assignedAndDelivered(request: MeasureRequest): RawBuilder<unknown> {
  return sql`
    with ${expressions(request)}
    select person_id, since as day, activity_id as module_id, true as is_base, since as happened from assigned
    union all
    select person_id, day, module_id, false, day from delivered`
}

/** The earliest assignment of a pair in a period is followed wherever a later one is. */
function learnersOf(request: MeasureRequest): RawBuilder<unknown> {
  return sql`
    with ${expressions(request)},
    pair as (
      select ordinal, person_id, activity_id, min(since) as since, min(ends) as ends
      from assigned join period_day on day = since group by ordinal, person_id, activity_id
    ),
    followed as (
      select distinct ordinal, person_id, activity_id, true as is_followed
      from pair join delivered using (person_id) where module_id = activity_id and day >= since and day < ends
    )
    select ordinal, person_id, count(*) as pairs, count(is_followed) as followed
    from pair left join followed using (ordinal, person_id, activity_id) group by ordinal, person_id`
}

/**
 * Common table expressions: `assigned`, and `delivered` in the modules, or the activities, that are assigned. The others,
 * which are nearly all, are sifted out while the index is read; where nothing was assigned, it is not read.
 */
function expressions(request: MeasureRequest): RawBuilder<unknown> {
  const { tenantId } = request
  const { from, to } = extent(request, {})
  const begins = sql`assignment.assigned_on >= ${from}::date and assignment.assigned_on < ${to}::date`
  const isWanted = (thing: RawBuilder<unknown>) =>
    sql`((event.agent_id, ${thing}) in (select agent_id, activity_id from wanted)) is true`
  const delivered = eventDeeds(request, {
    kinds: ['delivered'],
    columns: [sql`thing.id as module_id`],
    joins: sql`cross join unnest(array[event.module_id, event.activity_id]) as thing(id)`,
    where: sql`(select exists (select from wanted)) and (${isWanted(sql`event.module_id`)}
      or event.activity_id <> event.module_id and ${isWanted(sql`event.activity_id`)})`
  })
  return sql`
    assigned as materialized (${assignedPairs(request, begins)}),
    wanted as materialized (
      select agent_id, activity_id from assigned
      join person_agent on person_agent.tenant_id = ${tenantId} and person_agent.person_id = assigned.person_id
    ),
    delivered as materialized (${delivered})`
}
