import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'

/** Counts the learner-days that are derived anew when agents are moved: those of the old person and of the new one. */
export async function countMovedDays(
  trx: Transaction<Database>,
  tenantId: number,
  moves: readonly { readonly agentId: number; readonly fromPersonId: number; readonly toPersonId: number }[]
): Promise<number> {
  const { rows } = await sql<{ days: number }>`
    select count(distinct (person, event.day)) as days
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
  return rows[0]?.days ?? 0
}
