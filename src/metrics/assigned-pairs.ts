import { type RawBuilder, sql } from 'kysely'
import { isOfModule } from '../rollup/of-module.js'
import type { MeasureRequest } from './metric.js'
import { isSmallCohort } from './shares.js'

type Request = Pick<MeasureRequest, 'tenantId' | 'module' | 'today' | 'filter'>

/** SQL for the learner of an assignment, over it and its `person`: persons who are merged into another are one learner. */
export const assignedLearner: RawBuilder<number> = sql`coalesce(person.merged_into, person.id)`

/** SQL that joins `person` to `assignment`. */
export const joinAssigned: RawBuilder<unknown> = sql`
  join person on person.tenant_id = assignment.tenant_id and person.id = assignment.person_id`

/**
 * A query for the activities that learners were assigned: `person_id`, `activity_id`, and the days `since` and `until`,
 * the last null for no end, between which the assignment holds. What never held is left out, and so is what is not
 * assigned before tomorrow. Of a cohort, the assignments of who is in `population`; of a request for one module, those of
 * the module itself. Its days are the tenant's and are taken as they are in every zone.
 *
 * @param condition over `assignment`.
 */
export function assignedPairs(request: Request, condition: RawBuilder<unknown>): RawBuilder<unknown> {
  const { tenantId, module, today, filter } = request
  const of = (whose: RawBuilder<unknown>) => sql`
    select ${assignedLearner} as person_id, assignment.activity_id, assignment.assigned_on as since,
      assignment.withdrawn_on as until
    from assignment ${joinAssigned}
    where assignment.tenant_id = ${tenantId} and assignment.kind = 'activity' and assignment.assigned_on <= ${today}::date
      and (assignment.withdrawn_on is null or assignment.withdrawn_on > assignment.assigned_on)
      and ${condition}
      and ${isOfModule(sql`assignment.activity_id`, { tenantId, module })}
      and ${whose}`
  if (filter === null) return of(sql`true`)
  const isSmall = isSmallCohort(tenantId)
  const learners = sql`any(array(select person_id from in_population))`
  const persons = sql`
    select id from person where tenant_id = ${tenantId} and id = ${learners}
    union all
    select id from person where tenant_id = ${tenantId} and merged_into = ${learners}`
  return sql`
    ${of(sql`${isSmall} and assignment.person_id = any(array(${persons}))`)}
    union all
    ${of(sql`not ${isSmall} and (${assignedLearner} in (select person_id from in_population)) is true`)}`
}
