import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import type { PersonChangeKind } from '../database/schema-people.js'
import { LrsError } from '../errors.js'
import { lockOwners } from './lock-persons.js'
import {
  applyChange,
  type ChangeContext,
  type ChangeOutcome,
  changePersons,
  findParties,
  refusal,
  refuseMerged
} from './person-change.js'

/** A change of the trail, as far as taking it back needs it. */
interface DoneChange {
  readonly kind: PersonChangeKind
  readonly from_person_id: number
  readonly to_person_id: number
  /** Those of its agents that the person whom it gave them to still has. */
  readonly left: readonly number[]
  readonly is_undone: boolean
}

/**
 * Takes a merge or a split back: the agents that it moved, as far as they are still with the person who got them, go
 * back to where they came from. A person who was merged is a learner of its own again; one who was made for a split stays.
 *
 * @throws {LrsError} `not-found` when there is no such change; `person-change-conflict` when it is undone already, is an
 * undo itself, or one of the two persons has been merged since.
 */
export async function undoChange(
  db: Kysely<Database>,
  changeId: number,
  context: ChangeContext
): Promise<ChangeOutcome> {
  const { tenantId } = context
  return changePersons(db, context, async trx => {
    const { from_person_id, to_person_id } = await findChange(trx, tenantId, changeId)
    await lockOwners(
      trx,
      [],
      [from_person_id, to_person_id].map(personId => ({ tenantId, personId }))
    )
    // Under the locks nobody else undoes it or moves its agents.
    const { kind, is_undone, left } = await findChange(trx, tenantId, changeId)
    if (kind === 'undo') throw refusal(`The change ${changeId} is an undo: merge or split again instead`)
    if (is_undone) throw refusal(`The change ${changeId} is undone already`)
    const [before, after] = await findParties(trx, tenantId, [from_person_id, to_person_id])
    refuseMerged(after)
    if (kind === 'split') refuseMerged(before)
    const outcome = await applyChange(
      trx,
      { kind: 'undo', from: after, to: before, agentIds: left, undoes: changeId },
      context
    )
    if (kind === 'merge') {
      await sql`
        update person set merged_into = null where tenant_id = ${tenantId} and id = ${before.id}`.execute(trx)
    }
    return outcome
  })
}

async function findChange(trx: Transaction<Database>, tenantId: number, changeId: number): Promise<DoneChange> {
  const { rows } = await sql<DoneChange>`
    select kind, from_person_id, to_person_id,
      array(select agent_id from person_agent
        where person_agent.tenant_id = change.tenant_id and agent_id = any(change.agent_ids)
          and person_id = change.to_person_id
        order by agent_id) as left,
      exists (select from person_change as undo
        where undo.tenant_id = change.tenant_id and undo.undoes = change.id) as is_undone
    from person_change as change
    where tenant_id = ${tenantId} and id = ${changeId}`.execute(trx)
  const [change] = rows
  if (change === undefined) throw new LrsError('not-found', `There is no change ${changeId}`)
  return change
}
