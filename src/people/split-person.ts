import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { findNumbers } from '../store/dictionary.js'
import { lockOwners } from './lock-persons.js'
import {
  applyChange,
  type ChangeContext,
  type ChangeOutcome,
  changePersons,
  findParties,
  findPersonIds,
  refusal,
  refuseMerged
} from './person-change.js'

/** What is split off. */
export interface Split {
  /** Who has the agents. */
  readonly personId: string
  /** In the form of `ifiOf`. */
  readonly agents: readonly string[]
  /** Who gets them; a new person of the roster when the name is unknown. */
  readonly into: string
}

/**
 * Moves some of a person's agents to another. A person who is made for it stands in the roster for all time, and in no
 * cohort until the roster says so.
 *
 * @throws {LrsError} `not-found` when there is no such person; `people-conflict` when an agent is not the person's;
 * `person-change-conflict` when both are the same or one of them is merged.
 */
export async function splitPerson(db: Kysely<Database>, split: Split, context: ChangeContext): Promise<ChangeOutcome> {
  const { tenantId } = context
  if (split.personId === split.into) {
    throw refusal(`The agents are those of "${split.into}" already`, '/into/personId')
  }
  const numbers = await findNumbers(db, { tenantId, dictionary: 'agent' }, split.agents)
  return changePersons(db, context, async trx => {
    await makePerson(trx, tenantId, split.into)
    const ids = await findPersonIds(trx, tenantId, [split.personId, split.into])
    const fromId = ids.get(split.personId)
    if (fromId === undefined) throw new LrsError('not-found', `There is no person "${split.personId}"`)
    // It was made above, if nobody had made it before.
    const toId = ids.get(split.into) as number
    await lockOwners(
      trx,
      [],
      [fromId, toId].map(personId => ({ tenantId, personId }))
    )
    const [from, to] = await findParties(trx, tenantId, [fromId, toId])
    refuseMerged(from)
    refuseMerged(to)
    const owned = await findOwned(trx, tenantId, fromId, [...numbers.values()])
    const agentIds = split.agents.map((agent, position) => {
      const agentId = numbers.get(agent)
      if (agentId !== undefined && owned.has(agentId)) return agentId
      throw new LrsError('people-conflict', `The agent ${agent} is not one of "${split.personId}"`, {
        pointer: `/agents/${position}`
      })
    })
    return applyChange(trx, { kind: 'split', from, to, agentIds: [...new Set(agentIds)], undoes: null }, context)
  })
}

/** Before the locks, as all persons are made: two who make the same one wait for each other here. */
async function makePerson(trx: Transaction<Database>, tenantId: number, personId: string): Promise<void> {
  await sql`
    with made as (
      insert into person (tenant_id, external_id) values (${tenantId}, ${personId})
      on conflict (tenant_id, external_id) do nothing
      returning tenant_id, id
    )
    insert into roster (tenant_id, person_id, valid) select tenant_id, id, daterange(null, null) from made`.execute(trx)
}

async function findOwned(
  trx: Transaction<Database>,
  tenantId: number,
  personId: number,
  agentIds: readonly number[]
): Promise<ReadonlySet<number>> {
  const { rows } = await sql<{ agent_id: number }>`
    select agent_id from person_agent
    where tenant_id = ${tenantId} and person_id = ${personId} and agent_id = any(${agentIds}::integer[])`.execute(trx)
  return new Set(rows.map(row => row.agent_id))
}
