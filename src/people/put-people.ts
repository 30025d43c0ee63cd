import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { internWords, type Numbers } from '../store/dictionary.js'
import { transact } from '../store/transact.js'
import type { NumberedRecord, PersonRecord } from './person-record.js'
import { putRoster } from './put-roster.js'

/** How many persons were new, changed, or just as given before. */
export interface PutPeopleOutcome {
  readonly received: number
  readonly created: number
  readonly updated: number
  readonly unchanged: number
}

/** An agent that changes hands. */
export interface MovedAgent {
  readonly agentId: number
  readonly fromPersonId: number
  readonly toPersonId: number
}

/** What `putPeople` needs besides the records. */
export interface PutPeopleContext {
  readonly tenantId: number
  /** The tenant's local day on which a change begins when no `validFrom` says otherwise. */
  readonly today: string
  /** Called in the transaction with the agents that had a provisional person and now have one of the roster's. */
  readonly onMoved: (trx: Transaction<Database>, moves: readonly MovedAgent[]) => Promise<void>
}

/**
 * Makes or updates persons, all of them or none.
 *
 * A person's first record holds for all time before, unless it has a `validFrom`: nothing earlier is known. A later,
 * different one ends the one before it on its `validFrom`, or today.
 *
 * @throws {LrsError} `people-conflict` when an agent belongs to another person of the roster, or is given twice;
 * `invalid-body` when a `personId` is given twice.
 */
export async function putPeople(
  db: Kysely<Database>,
  records: readonly PersonRecord[],
  context: PutPeopleContext
): Promise<PutPeopleOutcome> {
  refuseRepeated(records)
  if (records.length === 0) return { received: 0, created: 0, updated: 0, unchanged: 0 }
  const { tenantId } = context
  const agentNumbers = await internWords(
    db,
    { tenantId, dictionary: 'agent' },
    records.flatMap(record => record.agents)
  )
  return transact(db, async trx => {
    const { numbered, renamed } = await upsertPersons(trx, tenantId, records)
    const changed = new Set(renamed)
    const owners = numbered.flatMap(({ record, id }, index) => ownershipsOf(record.agents, agentNumbers, { id, index }))
    for (const personId of await assignAgents(trx, owners, context)) changed.add(personId)
    for (const personId of await putRoster(trx, tenantId, numbered, context.today)) changed.add(personId)
    const created = numbered.filter(person => person.created).length
    const updated = numbered.filter(person => !person.created && changed.has(person.id)).length
    return { received: records.length, created, updated, unchanged: records.length - created - updated }
  })
}

function refuseRepeated(records: readonly PersonRecord[]): void {
  const seen = new Set<string>()
  const owner = new Map<string, number>()
  for (const [index, { personId, agents }] of records.entries()) {
    if (seen.has(personId)) {
      throw new LrsError('invalid-body', `The personId "${personId}" is given twice`, { index, pointer: '/personId' })
    }
    seen.add(personId)
    for (const [position, agent] of agents.entries()) {
      if (owner.has(agent) && owner.get(agent) !== index) {
        throw new LrsError('people-conflict', `The agent ${agent} is given to two persons`, {
          index,
          pointer: `/agents/${position}`
        })
      }
      owner.set(agent, index)
    }
  }
}

interface PersonRow {
  readonly id: number
  readonly external_id: string
  readonly name: string | null
}

/** Makes the persons that are new, and locks all of them, so that two callers write one person's roster in turn. */
async function upsertPersons(trx: Transaction<Database>, tenantId: number, records: readonly PersonRecord[]) {
  const inserted = await sql<{ id: number }>`
    insert into person (tenant_id, external_id, name)
    select ${tenantId}::integer, external_id, name
    from unnest(
      ${records.map(record => record.personId)}::text[],
      ${records.map(record => record.name ?? null)}::text[]) as given(external_id, name)
    order by external_id
    on conflict (tenant_id, external_id) do nothing
    returning id`.execute(trx)
  // A statement of its own: its snapshot holds what a concurrent caller has committed meanwhile.
  const { rows } = await sql<PersonRow>`
    select id, external_id, name from person
    where tenant_id = ${tenantId} and external_id = any(${records.map(record => record.personId)}::text[])
    order by id for no key update`.execute(trx)
  const created = new Set(inserted.rows.map(row => row.id))
  const rowOf = new Map(rows.map(row => [row.external_id, row]))
  const numbered = records.map((record): NumberedRecord => {
    // Each one is stored by now.
    const { id, name } = rowOf.get(record.personId) as PersonRow
    return { record, id, name, created: created.has(id) }
  })
  return { numbered, renamed: await rename(trx, tenantId, numbered) }
}

async function rename(trx: Transaction<Database>, tenantId: number, persons: readonly NumberedRecord[]) {
  const renamed = persons.filter(({ record, name }) => record.name !== undefined && record.name !== name)
  if (renamed.length > 0) {
    await sql`
      update person set name = given.name
      from unnest(${renamed.map(person => person.id)}::integer[], ${renamed.map(person => person.record.name)}::text[])
        as given(id, name)
      where person.tenant_id = ${tenantId} and person.id = given.id`.execute(trx)
  }
  return renamed.map(person => person.id)
}

interface Ownership {
  readonly agentId: number
  readonly personId: number
  readonly agent: string
  /** The positions in the request of the person, and of the agent in the person, for the message. */
  readonly index: number
  readonly position: number
}

/** An agent that a person is given twice counts where it stands first. */
function ownershipsOf(
  agents: readonly string[],
  numbers: Numbers,
  { id, index }: { readonly id: number; readonly index: number }
): readonly Ownership[] {
  return agents.flatMap((agent, position): Ownership[] => {
    const agentId = numbers.get(agent)
    const isFirst = agents.indexOf(agent) === position
    return agentId !== undefined && isFirst ? [{ agentId, personId: id, agent, index, position }] : []
  })
}

/** An agent that is wanted for one person and held by another, who is provisional or has an `external_id`. */
interface HeldAgent extends MovedAgent, Pick<Ownership, 'agent' | 'index' | 'position'> {
  readonly holder: string | null
}

/**
 * Gives agents to their persons, and takes them from provisional ones.
 *
 * The rows are written or locked, against the worker and other callers, before the days that they touch are looked up:
 * an event that the worker has counted for the old person is visible by then.
 *
 * @returns the persons that got an agent.
 */
async function assignAgents(
  trx: Transaction<Database>,
  owners: readonly Ownership[],
  { tenantId, onMoved }: PutPeopleContext
): Promise<readonly number[]> {
  const { rows: inserted } = await sql<{ person_id: number }>`
    insert into person_agent (tenant_id, agent_id, person_id)
    select ${tenantId}::integer, agent_id, person_id from unnest(
      ${owners.map(owner => owner.agentId)}::integer[],
      ${owners.map(owner => owner.personId)}::integer[]) as given(agent_id, person_id)
    order by agent_id
    on conflict (tenant_id, agent_id) do nothing
    returning person_id`.execute(trx)
  const held = await lockHeldAgents(trx, tenantId, owners)
  for (const { holder, agent, index, position } of held) {
    if (holder === null) continue
    throw new LrsError('people-conflict', `The agent ${agent} belongs to the person "${holder}" already`, {
      index,
      pointer: `/agents/${position}`
    })
  }
  if (held.length > 0) {
    await sql`
      update person_agent set person_id = given.person_id
      from unnest(
        ${held.map(move => move.agentId)}::integer[],
        ${held.map(move => move.toPersonId)}::integer[]) as given(agent_id, person_id)
      where person_agent.tenant_id = ${tenantId} and person_agent.agent_id = given.agent_id`.execute(trx)
    await onMoved(trx, held)
  }
  return [...inserted.map(row => row.person_id), ...held.map(move => move.toPersonId)]
}

async function lockHeldAgents(
  trx: Transaction<Database>,
  tenantId: number,
  owners: readonly Ownership[]
): Promise<readonly HeldAgent[]> {
  const { rows } = await sql<HeldAgent>`
    select given.agent_id as "agentId", person_agent.person_id as "fromPersonId", given.person_id as "toPersonId",
      person.external_id as holder, given.agent, given.index, given.position
    from unnest(
      ${owners.map(owner => owner.agentId)}::integer[],
      ${owners.map(owner => owner.personId)}::integer[],
      ${owners.map(owner => owner.agent)}::text[],
      ${owners.map(owner => owner.index)}::integer[],
      ${owners.map(owner => owner.position)}::integer[]) as given(agent_id, person_id, agent, index, position)
    join person_agent on person_agent.tenant_id = ${tenantId} and person_agent.agent_id = given.agent_id
    join person on person.tenant_id = ${tenantId} and person.id = person_agent.person_id
    where person_agent.person_id <> given.person_id
    order by given.agent_id for update of person_agent`.execute(trx)
  return rows
}
