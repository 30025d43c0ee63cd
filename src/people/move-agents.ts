import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'

/** An agent that changes hands. */
export interface MovedAgent {
  readonly agentId: number
  readonly fromPersonId: number
  readonly toPersonId: number
}

/** What moving agents needs besides them. */
export interface MoveContext {
  readonly tenantId: number
  /** Called in the transaction with the agents that had a person before and now have another. */
  readonly onMoved: (trx: Transaction<Database>, moves: readonly MovedAgent[]) => Promise<void>
}

/**
 * Moves agents from one person to another, and has the days on which they appear derived anew.
 *
 * All persons, those from whom and those to whom, must be locked in this transaction (`lockPersons`). That no event is
 * lost between this and the worker rests on it: the worker counts an event for a person under the same lock. One whose
 * transaction committed before the days are looked up here is found, and its day enqueued for both persons. One that
 * commits later comes with a queue row of its own, by its agent, which no worker can turn into the old person: it would
 * have to hold the old person between that commit and this one's, while this transaction does.
 */
export async function moveAgents(
  trx: Transaction<Database>,
  { tenantId, onMoved }: MoveContext,
  moves: readonly MovedAgent[]
): Promise<void> {
  if (moves.length === 0) return
  await sql`
    update person_agent set person_id = given.person_id
    from unnest(
      ${moves.map(move => move.agentId)}::integer[],
      ${moves.map(move => move.toPersonId)}::integer[]) as given(agent_id, person_id)
    where person_agent.tenant_id = ${tenantId} and person_agent.agent_id = given.agent_id`.execute(trx)
  // Statements of their own: their snapshots are younger than the locks.
  await onMoved(trx, moves)
}

/** An agent that a person wants. */
export interface WantedAgent {
  readonly agentId: number
  readonly personId: number
}

/** An agent that is wanted for one person and held by another, who is provisional or has an `external_id`. */
export interface HeldAgent extends MovedAgent {
  readonly holder: string | null
}

/** What became of agents that were wanted. */
export interface ClaimedAgents {
  /** Those that belonged to nobody and are given now. */
  readonly given: readonly number[]
  /** Those that belong to somebody else; their rows are locked. */
  readonly held: readonly HeldAgent[]
}

/** Gives agents that belong to nobody to the persons who want them, who must be locked, and finds who has the others. */
export async function claimAgents(
  trx: Transaction<Database>,
  tenantId: number,
  wanted: readonly WantedAgent[]
): Promise<ClaimedAgents> {
  const { rows: given } = await sql<{ agent_id: number }>`
    insert into person_agent (tenant_id, agent_id, person_id)
    select ${tenantId}::integer, agent_id, person_id from unnest(
      ${wanted.map(agent => agent.agentId)}::integer[],
      ${wanted.map(agent => agent.personId)}::integer[]) as given(agent_id, person_id)
    order by agent_id
    on conflict (tenant_id, agent_id) do nothing
    returning agent_id`.execute(trx)
  return { given: given.map(row => row.agent_id), held: await lockHeldAgents(trx, tenantId, wanted) }
}

async function lockHeldAgents(
  trx: Transaction<Database>,
  tenantId: number,
  wanted: readonly WantedAgent[]
): Promise<readonly HeldAgent[]> {
  const { rows } = await sql<HeldAgent>`
    select given.agent_id as "agentId", person_agent.person_id as "fromPersonId", given.person_id as "toPersonId",
      person.external_id as holder
    from unnest(
      ${wanted.map(agent => agent.agentId)}::integer[],
      ${wanted.map(agent => agent.personId)}::integer[]) as given(agent_id, person_id)
    join person_agent on person_agent.tenant_id = ${tenantId} and person_agent.agent_id = given.agent_id
    join person on person.tenant_id = ${tenantId} and person.id = person_agent.person_id
    where person_agent.person_id <> given.person_id
    order by given.agent_id for update of person_agent`.execute(trx)
  return rows
}
