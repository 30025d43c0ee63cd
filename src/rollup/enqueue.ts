import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { futureTolerance } from './learner-days.js'

/**
 * Enqueues the learner-days that statements touch: the doer's and the subject's for each learning event, and for a
 * future one again for when its time comes; and for each voiding statement what its target touches.
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
  await sql`
    with touched as (
      select agent, day, "timestamp" - ${futureTolerance}::interval as due_at
      from learning_event, unnest(array[agent_id, subject_agent_id]) as agent
      where tenant_id = ${tenantId} and statement_seq = any(${seqs}::bigint[]) and agent is not null
    ),
    due as (
      select agent, day, null::timestamptz as due_at from touched
      union
      select agent, day, due_at from touched where due_at > clock_timestamp()
    )
    insert into rollup_queue (tenant_id, agent_id, day, voided_statement_id, due_at)
    select ${tenantId}::integer, agent, day, null::uuid, coalesce(due_at, clock_timestamp()) from due
    union all
    select ${tenantId}::integer, null, null, id, clock_timestamp() from unnest(${voidedIds}::uuid[]) as id`.execute(trx)
}

/** Enqueues, for the person who has an agent now and the one who had it, each day on which the agent appears. */
export async function enqueueMovedAgents(
  trx: Transaction<Database>,
  tenantId: number,
  moves: readonly { readonly agentId: number; readonly fromPersonId: number; readonly toPersonId: number }[]
): Promise<void> {
  await sql`
    insert into rollup_queue (tenant_id, person_id, day)
    select distinct ${tenantId}::integer, person, event.day
    from unnest(
      ${moves.map(move => move.agentId)}::integer[],
      ${moves.map(move => move.fromPersonId)}::integer[],
      ${moves.map(move => move.toPersonId)}::integer[]
    ) as move(agent_id, from_person_id, to_person_id)
    cross join lateral unnest(array[from_person_id, to_person_id]) as person
    cross join lateral (
      select day from learning_event as done where done.tenant_id = ${tenantId} and done.agent_id = move.agent_id
      union
      select day from learning_event as about where about.tenant_id = ${tenantId} and about.subject_agent_id = move.agent_id
    ) as event`.execute(trx)
}

/** Enqueues days on which agents had events that are gone. */
export async function enqueueDays(
  trx: Transaction<Database>,
  tenantId: number,
  days: readonly { readonly agent_id: number; readonly day: string }[]
): Promise<void> {
  await sql`
    insert into rollup_queue (tenant_id, agent_id, day)
    select ${tenantId}::integer, agent_id, day
    from unnest(${days.map(({ agent_id }) => agent_id)}::integer[], ${days.map(({ day }) => day)}::date[])
      as touched(agent_id, day)`.execute(trx)
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
