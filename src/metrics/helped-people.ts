import { type RawBuilder, sql } from 'kysely'
import { futureToleranceMs, isVoided } from '../rollup/learner-days.js'
import { isOfModule } from '../rollup/of-module.js'
import type { MeasureRequest } from './metric.js'
import { extent } from './shares.js'

/**
 * A query for whom people helped on which day: each reply and endorsement, with `person_id`, `day` and `helped`, that
 * names somebody else. The rollups know how many there were and not to whom, so the events are read, always.
 *
 * A person's several agents are one; an agent of nobody stands for itself, by a number that no person has.
 */
export function helpedPeople(request: MeasureRequest): RawBuilder<unknown> {
  const { tenantId, timeZone, asOf, module } = request
  const { from, to } = extent(request, {})
  const day = sql`(event."timestamp" at time zone ${timeZone})::date`
  // The stored day is of the tenant's zone: two zones' days of one instant are at most two apart.
  return sql`
    select doer.person_id, ${day} as day, coalesce(subject.person_id, -event.subject_agent_id) as helped
    from learning_event as event
    join person_agent as doer on doer.tenant_id = ${tenantId} and doer.agent_id = event.agent_id
    left join person_agent as subject
      on subject.tenant_id = ${tenantId} and subject.agent_id = event.subject_agent_id
    where event.tenant_id = ${tenantId} and event.kind in ('replied', 'endorsed')
      and event.subject_agent_id is not null and subject.person_id is distinct from doer.person_id
      and event.day >= ${from}::date - 2 and event.day < ${to}::date + 2
      and ${day} >= ${from}::date and ${day} < ${to}::date
      and event."timestamp" <= ${new Date(asOf.getTime() + futureToleranceMs).toISOString()}::timestamptz
      and not ${isVoided}
      and ${isOfModule(sql`event.module_id`, { tenantId, module })}`
}
