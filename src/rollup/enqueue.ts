import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { dueRows, touchedBy } from './touched.js'

const eventColumns = sql`tenant_id, agent_id, subject_agent_id, module_id, activity_id, "timestamp", day`

/**
 * Enqueues what statements touch: the days and activities of each learning event, and for a future one again for when
 * its time comes; and for each voiding statement what its target touches.
 *
 * @param seqs the statements, as stored in this transaction with their learning events.
 * @param voidedIds the targets of the voiding statements among them, whether stored already or not: the worker looks
 * the target up once both have committed, so it does not matter which comes first.
 */
export async function enqueueStatements(
  trx: Transaction<Database>,
  tenantId: number,
  seqs: readonly number[],
  voidedIds: readonly string[]
): Promise<void> {
  const events = sql`
    select ${eventColumns} from learning_event
    where tenant_id = ${tenantId} and statement_seq = any(${seqs}::bigint[])`
  await sql`
    with touched as (${touchedBy(events)}),
    due as (${dueRows})
    insert into rollup_queue (tenant_id, agent_id, day, module_id, activity_id, voided_statement_id, due_at)
    select ${tenantId}::integer, agent_id, day, module_id, activity_id, null::uuid, coalesce(due_at, clock_timestamp())
    from due
    union all
    select ${tenantId}::integer, null, null, null, null, id, clock_timestamp() from unnest(${voidedIds}::uuid[]) as id`.execute(
    trx
  )
}

/**
 * Enqueues, for the person who has an agent now and the one who had it, all that the agent's events touch, and all that
 * the queue names by the agent: events have left those days, of which only the queue knows, and a worker will take them
 * for days of the person who has the agent then. Without this the other one's day stayed as it was for ever.
 */
export async function enqueueMovedAgents(
  trx: Transaction<Database>,
  tenantId: number,
  moves: readonly { readonly agentId: number; readonly fromPersonId: number; readonly toPersonId: number }[]
): Promise<void> {
  const events = sql`
    select ${eventColumns} from learning_event
    where tenant_id = ${tenantId} and agent_id in (select agent_id from move)
    union all
    select ${eventColumns} from learning_event
    where tenant_id = ${tenantId} and subject_agent_id in (select agent_id from move)`
  await sql`
    with move as materialized (
      select * from unnest(
        ${moves.map(move => move.agentId)}::integer[],
        ${moves.map(move => move.fromPersonId)}::integer[],
        ${moves.map(move => move.toPersonId)}::integer[]) as move(agent_id, from_person_id, to_person_id)
    ),
    touched as (
      select agent_id, day, module_id, activity_id from (${touchedBy(events)}) as touched
      union
      select agent_id, day, module_id, activity_id from rollup_queue
      where tenant_id = ${tenantId} and agent_id in (select agent_id from move)
    )
    insert into rollup_queue (tenant_id, person_id, day, module_id, activity_id)
    select distinct ${tenantId}::integer, person, day, module_id, activity_id
    from move join touched using (agent_id) cross join unnest(array[from_person_id, to_person_id]) as person`.execute(
    trx
  )
}

/**
 * Takes what is erased off the queue: days of the persons, and days of the agents, which go to the person who has the
 * agent where that one stays.
 */
export async function dequeueErased(
  trx: Transaction<Database>,
  tenantId: number,
  personIds: readonly number[],
  agentIds: readonly number[]
): Promise<void> {
  await sql`
    update rollup_queue set agent_id = null, person_id = held.person_id
    from person_agent as held
    where rollup_queue.tenant_id = ${tenantId} and rollup_queue.agent_id = any(${agentIds}::integer[])
      and held.tenant_id = ${tenantId} and held.agent_id = rollup_queue.agent_id
      and held.person_id <> all(${personIds}::integer[])`.execute(trx)
  await sql`
    delete from rollup_queue where tenant_id = ${tenantId}
      and (agent_id = any(${agentIds}::integer[]) or person_id = any(${personIds}::integer[]))`.execute(trx)
}
