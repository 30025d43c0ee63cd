import { type RawBuilder, sql } from 'kysely'
import { assignedLearner, joinAssigned } from './assigned-pairs.js'
import { eventDeeds } from './event-deeds.js'
import type { Counting, MeasureRequest } from './metric.js'
import { extent } from './shares.js'

type Request = Omit<MeasureRequest, 'options'>

/** Before every event that anybody has recorded. */
const dawn = '0001-01-01'

/**
 * Counts the manager checks that were scheduled: y, those of the learner that came due in the period, and x, the done
 * ones of them. So Σx ÷ Σy is the share of due checks that were done, and Σ(y − x) what is outstanding.
 *
 * A check is due (our definition) on its `dueOn`, or on its `assignedOn` where that is later, if its assignment holds on
 * that day; one of a day to come is not due yet. Two that are due for one learner on one day are one. It is done when the
 * learner was the subject of a *manager-check* on a day from its `assignedOn` on, by the period's end: one that comes
 * late is done all the same, and one check does for every due one that it falls into. With `at_event` a check counts
 * where the learner belongs to P on the day on which it is due.
 */
export function doneOfDue(request: Request): Counting {
  return {
    deeds: sql`
      with due_check as (${dueChecks(request)}),
      received as (${receivedChecks(request)})
      select due_check.person_id, due_check.day, min(received.day) as done_on
      from due_check left join received
        on received.person_id = due_check.person_id and received.day >= due_check.assigned_on
      group by due_check.person_id, due_check.day`,
    perLearner: [sql`count(*) as due`, sql`count(*) filter (where done_on < ends) as done`],
    x: sql`coalesce(done, 0)`,
    y: sql`coalesce(due, 0)`
  }
}

/** Each learner's due days in the periods, with the first day on which a check would have done. */
function dueChecks(request: Request): RawBuilder<unknown> {
  const { from, to } = extent(request, {})
  const day = sql`greatest(assignment.due_on, assignment.assigned_on)`
  return sql`
    select ${assignedLearner} as person_id, ${day} as day, min(assignment.assigned_on) as assigned_on
    from assignment ${joinAssigned}
    where assignment.tenant_id = ${request.tenantId} and assignment.kind = 'manager-check'
      and ${day} >= ${from}::date and ${day} < ${to}::date and ${day} <= ${request.today}::date
      and (assignment.withdrawn_on is null or assignment.withdrawn_on > ${day})
    group by 1, 2`
}

/** The days on which learners were checked, from the first one on that any due check may have been done on. */
function receivedChecks(request: Request): RawBuilder<unknown> {
  const { to } = extent(request, {})
  const first = sql`(select min(assigned_on) from due_check)`
  if (request.source === 'rollup') {
    return sql`
      select person_id, day from learner_day
      where tenant_id = ${request.tenantId} and day >= ${first} and day < ${to}::date and manager_check_received > 0`
  }
  // The stored day is of the tenant's zone: two zones' days of one instant are at most two apart.
  return eventDeeds(
    { ...request, window: { from: dawn, to } },
    { kinds: ['manager-check'], side: 'subject', columns: [], where: sql`event.day >= ${first} - 4` }
  )
}
