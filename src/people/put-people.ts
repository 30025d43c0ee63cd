import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { raiseRosterVersion } from '../store/data-version.js'
import { internWords, type Numbers } from '../store/dictionary.js'
import { holdAgents, withLiveNumbers } from '../store/erasure-fence.js'
import { transact } from '../store/transact.js'
import { lockPersons } from './lock-persons.js'
import { type ClaimedAgents, claimAgents, type MoveContext, moveAgents, type WantedAgent } from './move-agents.js'
import type { NumberedRecord, PersonRecord } from './person-record.js'
import { putRoster, type RosterChange } from './put-roster.js'

/** How many persons were new, changed, or just as given before. */
export interface PutPeopleOutcome {
  readonly received: number
  readonly created: number
  readonly updated: number
  readonly unchanged: number
}

/** What `putPeople` needs besides the records. */
export interface PutPeopleContext extends MoveContext {
  /** The tenant's local day on which a change begins when no `validFrom` says otherwise. */
  readonly today: string
}

/**
 * Makes or updates persons, all of them or none.
 *
 * A person's first record holds for all time before, unless it has a `validFrom`: nothing earlier is known. A later,
 * different one ends the one before it on its `validFrom`, or today; whatever was said of the time after that day gives
 * way.
 *
 * An agent that a provisional person has is taken over. Agents of a person who is merged into another go to the other.
 *
 * @throws {LrsError} `people-conflict` when an agent belongs to another person of the roster, or is given twice;
 * `invalid-body` when a `personId` is given twice, or somebody would leave before they are hired.
 */
export async function putPeople(
  db: Kysely<Database>,
  records: readonly PersonRecord[],
  context: PutPeopleContext
): Promise<PutPeopleOutcome> {
  refuseRepeated(records)
  if (records.length === 0) return { received: 0, created: 0, updated: 0, unchanged: 0 }
  const { tenantId } = context
  return withLiveNumbers(db, tenantId, async () => {
    const agents = records.flatMap(record => record.agents)
    const agentNumbers = await internWords(db, { tenantId, dictionary: 'agent' }, agents)
    return transact(db, async trx => {
      const { numbered, changed } = await writePeople(trx, { records, agentNumbers }, context)
      const created = numbered.filter(person => person.created).length
      // Who was made has a history now, so they are among those who changed.
      if (changed.size > 0) await raiseRosterVersion(trx, tenantId)
      const updated = numbered.filter(person => !person.created && changed.has(person.id)).length
      return { received: records.length, created, updated, unchanged: records.length - created - updated }
    })
  })
}

/** From so many persons on, plans are made anew: for a few, the plan matters less than making it. */
const manyPersons = 1000

/** Records with the numbers of their agents; one whose number is not known yet is given to nobody. */
export interface ResolvedRecords {
  readonly records: readonly PersonRecord[]
  readonly agentNumbers: Numbers
}

/** What was written. */
export interface WrittenPeople {
  readonly numbered: readonly NumberedRecord[]
  /** The agents that were given to nobody before, and those that had a provisional person. */
  readonly claimed: ClaimedAgents
  readonly rosterChanges: readonly RosterChange[]
  /** The persons whose name, agents or history changed. */
  readonly changed: ReadonlySet<number>
}

/**
 * Writes persons, their agents and their history.
 *
 * @throws {StaleNumbers} for `withLiveNumbers`, when an agent was erased after its number had been looked up.
 */
export async function writePeople(
  trx: Transaction<Database>,
  resolved: ResolvedRecords,
  context: PutPeopleContext
): Promise<WrittenPeople> {
  const { tenantId, today } = context
  await holdAgents(trx, tenantId, [...resolved.agentNumbers.values()])
  const { numbered, wanted, claimed } = await holdPersons(trx, tenantId, resolved)
  const changed = new Set(await rename(trx, tenantId, numbered))
  for (const personId of await assignAgents(trx, wanted, claimed, context)) changed.add(personId)
  const rosterChanges = await putRoster(trx, tenantId, numbered, today)
  for (const { id } of rosterChanges) changed.add(id)
  return { numbered, claimed, rosterChanges, changed }
}

/** @throws {LrsError} when a person is given twice, or one agent to two persons. */
export function refuseRepeated(records: readonly PersonRecord[]): void {
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
  /** Who has the person's agents: the person, or the one whom it is merged into. */
  readonly owner_id: number
}

/** Persons that are made where need be, and locked with all who have their agents. */
interface HeldPeople {
  readonly numbered: readonly NumberedRecord[]
  readonly wanted: readonly Ownership[]
  readonly claimed: ClaimedAgents
}

/** Makes the persons that are new, and locks all of them, so that two callers write one person's roster in turn. */
async function holdPersons(
  trx: Transaction<Database>,
  tenantId: number,
  { records, agentNumbers }: ResolvedRecords
): Promise<HeldPeople> {
  const created = await insertPersons(trx, tenantId, records)
  // A foreign key's check keeps the plan that this connection made when the tables were small: reading all of `person`
  // for each row, 20,500 agents took more than the minute that a statement may.
  if (records.length >= manyPersons) await sql`discard plans`.execute(trx)
  const externalIds = records.map(record => record.personId)
  const wantedPersons = sql`
    select tenant_id, unnest(array[id, merged_into]) from person
    where tenant_id = ${tenantId} and external_id = any(${externalIds}::text[])
    union
    select tenant_id, person_id from person_agent
    where tenant_id = ${tenantId} and agent_id = any(${[...agentNumbers.values()]}::integer[])`
  return lockPersons(trx, wantedPersons, async () => {
    const { rows } = await sql<PersonRow>`
      select id, external_id, name, coalesce(merged_into, id) as owner_id from person
      where tenant_id = ${tenantId} and external_id = any(${externalIds}::text[])`.execute(trx)
    const rowOf = new Map(rows.map(row => [row.external_id, row]))
    // Each one is stored by now.
    const known = records.map(record => ({ record, ...(rowOf.get(record.personId) as PersonRow) }))
    const numbered = known.map(({ record, id, name }, index) => ({ record, index, id, name, created: created.has(id) }))
    const wanted = known.flatMap((person, index) => ownershipsOf(person, agentNumbers, index))
    const claimed = await claimAgents(trx, tenantId, wanted)
    const needed = [...rows.map(row => row.owner_id), ...claimed.held.map(agent => agent.fromPersonId)]
    return { found: { numbered, wanted, claimed }, needed: needed.map(personId => ({ tenantId, personId })) }
  })
}

async function insertPersons(trx: Transaction<Database>, tenantId: number, records: readonly PersonRecord[]) {
  const { rows } = await sql<{ id: number }>`
    insert into person (tenant_id, external_id, name)
    select ${tenantId}::integer, external_id, name
    from unnest(
      ${records.map(record => record.personId)}::text[],
      ${records.map(record => record.name ?? null)}::text[]) as given(external_id, name)
    order by external_id
    on conflict (tenant_id, external_id) do nothing
    returning id`.execute(trx)
  return new Set(rows.map(row => row.id))
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

interface Ownership extends WantedAgent {
  /** Whose record wants it: the person, or one who is merged into the person. */
  readonly recordId: number
  readonly agent: string
  /** The positions in the request of the person, and of the agent in the person, for the message. */
  readonly index: number
  readonly position: number
}

/** An agent that a person is given twice counts where it stands first. */
function ownershipsOf(
  { record, id, owner_id }: PersonRow & { readonly record: PersonRecord },
  numbers: Numbers,
  index: number
): readonly Ownership[] {
  return record.agents.flatMap((agent, position): Ownership[] => {
    const agentId = numbers.get(agent)
    const isFirst = record.agents.indexOf(agent) === position
    if (agentId === undefined || !isFirst) return []
    return [{ agentId, personId: owner_id, recordId: id, agent, index, position }]
  })
}

/**
 * Takes the agents that were wanted from provisional persons.
 *
 * @returns the persons whose records got an agent.
 */
async function assignAgents(
  trx: Transaction<Database>,
  wanted: readonly Ownership[],
  { given, held }: ClaimedAgents,
  context: PutPeopleContext
): Promise<readonly number[]> {
  const wantedOf = new Map(wanted.map(agent => [agent.agentId, agent]))
  for (const { holder, agentId } of held) {
    if (holder === null) continue
    const { agent, index, position } = wantedOf.get(agentId) as Ownership
    throw new LrsError('people-conflict', `The agent ${agent} belongs to the person "${holder}" already`, {
      index,
      pointer: `/agents/${position}`
    })
  }
  await moveAgents(trx, context, held)
  return [...given, ...held.map(move => move.agentId)].flatMap(agentId => wantedOf.get(agentId)?.recordId ?? [])
}
