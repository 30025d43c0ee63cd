import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'

const personsAtOnce = 200

/**
 * Enqueues each learner-day of the next persons that has an event or a row, so that the worker counts them all anew;
 * the first time also those of agents who belong to nobody yet.
 *
 * @returns the last person's number, or null when nobody is left.
 */
export async function enqueuePersons(
  trx: Transaction<Database>,
  tenantId: number,
  afterPersonId: number
): Promise<number | null> {
  if (afterPersonId === 0) await enqueueStrangers(trx, tenantId)
  const { rows } = await sql<{ last: number | null }>`
    with next as materialized (
      select id from person where tenant_id = ${tenantId} and id > ${afterPersonId} order by id limit ${personsAtOnce}
    ),
    agent as (
      select next.id as person_id, agent_id from next
      join person_agent on person_agent.tenant_id = ${tenantId} and person_agent.person_id = next.id
    ),
    enqueued as (
      insert into rollup_queue (tenant_id, person_id, day)
      select ${tenantId}::integer, person_id, day from (
        select person_id, day from agent join learning_event as done
          on done.tenant_id = ${tenantId} and done.agent_id = agent.agent_id
        union
        select person_id, day from agent join learning_event as about
          on about.tenant_id = ${tenantId} and about.subject_agent_id = agent.agent_id
        union
        select person_id, day from next join learner_day
          on learner_day.tenant_id = ${tenantId} and learner_day.person_id = next.id
      ) as learner_day
    )
    select max(id) as last from next`.execute(trx)
  return rows.reduce<number | null>((_, { last }) => last, null)
}

async function enqueueStrangers(trx: Transaction<Database>, tenantId: number): Promise<void> {
  await sql`
    insert into rollup_queue (tenant_id, agent_id, day)
    select distinct ${tenantId}::integer, agent, day
    from learning_event as event, unnest(array[agent_id, subject_agent_id]) as agent
    where event.tenant_id = ${tenantId} and agent is not null and not exists (
      select from person_agent where person_agent.tenant_id = ${tenantId} and person_agent.agent_id = agent)`.execute(
    trx
  )
}
