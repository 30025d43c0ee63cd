import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { countColumns, countedEvents, isVoided } from './learner-days.js'

/** One row of `learner_day` by its key. */
export interface LearnerDayKey {
  readonly tenantId: number
  readonly personId: number
  readonly day: string
}

/**
 * Recomputes learner-days from their events: late data, voids and moved agents are all this one path. A day that has
 * no event left loses its row.
 *
 * The persons must be locked in this transaction, by a statement before this one, so that the events are read in a
 * snapshot that no other recomputation of theirs can overtake.
 */
export async function recomputeLearnerDays(trx: Transaction<Database>, keys: readonly LearnerDayKey[]): Promise<void> {
  const columns = sql.join(countColumns.map(column => sql.ref(column)))
  const updates = sql.join(countColumns.map(column => sql`${sql.ref(column)} = excluded.${sql.ref(column)}`))
  await sql`
    with key as (
      select distinct * from unnest(
        ${keys.map(key => key.tenantId)}::integer[],
        ${keys.map(key => key.personId)}::integer[],
        ${keys.map(key => key.day)}::date[]) as key(tenant_id, person_id, day)
    ),
    counted as materialized (${countedEvents(eventsOfKeys, sql`clock_timestamp()`)}),
    emptied as (
      delete from learner_day using key
      where (learner_day.tenant_id, learner_day.person_id, learner_day.day) = (key.tenant_id, key.person_id, key.day)
        and not exists (select from counted
          where (counted.tenant_id, counted.person_id, counted.day) = (key.tenant_id, key.person_id, key.day))
    )
    insert into learner_day (tenant_id, person_id, day, ${columns})
    select tenant_id, person_id, day, ${columns} from counted
    on conflict (tenant_id, person_id, day) do update set ${updates}`.execute(trx)
}

const eventsOfKeys = sql`${eventsOf('doer', 'agent_id')} union all ${eventsOf('subject', 'subject_agent_id')}`

function eventsOf(role: 'doer' | 'subject', agentColumn: 'agent_id' | 'subject_agent_id') {
  return sql`
    select event.tenant_id, key.person_id, event.day, ${sql.lit(role)} as role, event.kind, event."timestamp",
      ${isVoided} as is_voided
    from key
    join person_agent on person_agent.tenant_id = key.tenant_id and person_agent.person_id = key.person_id
    join learning_event as event on event.tenant_id = key.tenant_id
      and event.${sql.ref(agentColumn)} = person_agent.agent_id and event.day = key.day`
}
