import { type RawBuilder, sql } from 'kysely'
import { assignedPairs } from './assigned-pairs.js'
import { begunCounts } from './begun-counts.js'
import { begunPairs } from './begun-pairs.js'
import type { Counting, MeasureRequest, Metric } from './metric.js'
import { extent } from './shares.js'

interface CompletionRateOptions extends Record<string, string | number> {
  readonly denominator: 'auto' | 'assigned' | 'started'
}

type Request = MeasureRequest<CompletionRateOptions>

/**
 * The share of what learners were assigned that they have completed.
 *
 * What is counted is distinct learner and activity, as the period leaves it. Denominator (our definition): `assigned`,
 * the pairs of learners in P whose assignment holds on some day of the period; or `started`, the pairs that were started,
 * or completed at once, by the period's end, however long ago. `auto` is `assigned` where any assignment of the tenant
 * holds on a day of the query, otherwise `started`: one for the whole query, so that its cells can be compared.
 * Numerator: those of them that have a *completed* by the period's end, also one before the period or before the
 * assignment; *completed-task* is practice and completes no activity. So one completion more never lowers the rate, and
 * who has done everything has 1. With `at_event` a pair counts where it holds on a day on which the learner belongs to P.
 * Window: each period, in whole local days of the query's time zone. Details: `denominator`. Null: `empty_denominator`
 * when nobody in P has such a pair.
 */
export const completionRate: Metric<CompletionRateOptions> = {
  id: 'completion-rate',
  name: 'Completion rate',
  question: 'How much of what they were given have people completed?',
  definition:
    'Distinct learners and activities completed by the end of the period ÷ those assigned on some day of it, or else those started by its end.',
  unit: 'proportion',
  calculation: 'ratio',
  indicator: 'lagging',
  thresholds: null,
  definitionVersion: 1,
  options: {
    denominator: {
      description:
        'What is divided by: `assigned` activities, or those `started`. `auto`: `assigned` where an assignment of the tenant holds on any day of the query, else `started`; `details.denominator` says which.',
      values: ['auto', 'assigned', 'started'],
      default: 'auto'
    }
  },
  lagDays: () => 0,
  counting,
  evidence: () => ({ kinds: ['completed'], side: 'doer' })
}

function counting(request: Request): Counting {
  const counted = {
    x: sql<number>`coalesce(completed, 0)`,
    y: sql<number>`coalesce(pairs, 0)`,
    details: { denominator: denominatorOf(request) }
  }
  const deeds = sql`
    with begun as (${begunPairs(request)}),
    given as (${givenPairs(request)}),
    span as (${spans(request)})
    select given.person_id, greatest(given.since, span.since) as day, activity_id, completed_on
    from given join span on ${isGivenIn}`
  return request.source === 'rollup' && request.membership !== 'at_event'
    ? { ...counted, deeds, perLearner, learners: learnersOf(request) }
    : { ...counted, deeds, perLearner }
}

const isGivenIn = sql`span.person_id = given.person_id
  and given.since < span.until and (given.until is null or given.until > span.since)`

const perLearner = [
  sql`count(distinct activity_id) as pairs`,
  sql`count(distinct activity_id) filter (where completed_on < ends) as completed`
]

/**
 * What is divided by what was started is counted from `learner_begun`, without a look at any pair. Of several assignments
 * of a pair the first that holds in a period counts, before which none held until then; so no period's pairs are sorted.
 */
function learnersOf(request: Request): RawBuilder<unknown> {
  const { denominator } = request.options
  if (denominator === 'started') return begunCounts(request)
  const assigned = sql`
    with begun as (${begunPairs(request)}),
    given as (
      select *, coalesce(max(coalesce(until, 'infinity')) over earlier, '-infinity') as held_before
      from (${assignedOnes(request, sql`true`)}) as given
      window earlier as (partition by person_id, activity_id order by since rows between unbounded preceding and 1 preceding)
    ),
    span as (${spans(request)})
    select span.ordinal, given.person_id, count(*) as pairs, count(*) filter (where completed_on < ends) as completed
    from given join span on ${isGivenIn} and held_before <= span.since
    group by span.ordinal, given.person_id`
  if (denominator === 'assigned') return assigned
  const isAssigned = anyAssigned(request)
  return sql`
    select * from (${assigned}) as assigned where ${isAssigned}
    union all
    select * from (${begunCounts(request)}) as begun where not ${isAssigned}`
}

/** The pairs, between which days each of them holds, and when it was first completed. */
function givenPairs(request: Request): RawBuilder<unknown> {
  const { denominator } = request.options
  const started = (condition: RawBuilder<unknown>) => sql`
    select person_id, activity_id, begun_on as since, null::date as until, completed_on from begun where ${condition}`
  if (denominator === 'assigned') return assignedOnes(request, sql`true`)
  if (denominator === 'started') return started(sql`true`)
  const isAssigned = anyAssigned(request)
  return sql`${assignedOnes(request, isAssigned)} union all ${started(sql`not ${isAssigned}`)}`
}

function assignedOnes(request: Request, condition: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    select person_id, activity_id, since, until, completed_on
    from (${assignedPairs(request, condition)}) as assigned left join begun using (person_id, activity_id)`
}

/**
 * The days on which learners belong to P, in stretches: their period's, once for all cohorts that they are broken down by, or
 * with `at_event` those within it.
 */
function spans({ membership, today }: Request): RawBuilder<unknown> {
  return membership === 'at_event'
    ? sql`select person_id, since, least(until, ${today}::date + 1) as until from member where since <= ${today}::date`
    : sql`select distinct ordinal, ends, person_id, starts as since, least(ends, ${today}::date + 1) as until
        from population join period using (ordinal)
        where starts <= ${today}::date`
}

function denominatorOf(request: Request): RawBuilder<string> {
  const { denominator } = request.options
  if (denominator !== 'auto') return sql`${sql.lit(denominator)}::text`
  return sql`case when ${anyAssigned(request)} then 'assigned' else 'started' end`
}

/** Whether any assignment of the tenant holds on a day of the query. It is asked once, whatever learners there are. */
function anyAssigned(request: Request): RawBuilder<boolean> {
  const { from, to } = extent(request, {})
  const holds = sql`assignment.assigned_on < ${to}::date
    and (assignment.withdrawn_on is null or assignment.withdrawn_on > ${from}::date)`
  return sql<boolean>`(select exists (${assignedPairs({ ...request, module: null, filter: null }, holds)}))`
}
