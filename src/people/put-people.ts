import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { internWords } from '../store/dictionary.js'
import { transact } from '../store/transact.js'
import { putRoster } from './put-roster.js'

/** A person as the roster knows them. */
export interface PersonRecord {
  /** The tenant's own name for the person, such as a staff number. */
  readonly personId: string
  readonly name?: string
  /** The agents that the person acts under, in the form of `ifiOf`; those known before stay. */
  readonly agents: readonly string[]
  /** Named cohorts; when absent, those known before stay. */
  readonly cohorts?: readonly string[]
  /** First local day, `YYYY-MM-DD`, for which the record holds. */
  readonly validFrom?: string
}

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

/** A record with the number of its person. */
export interface NumberedRecord {
  readonly record: PersonRecord
  readonly id: number
  readonly created: boolean
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
    const owners = numbered.flatMap(({ record, id }, index) =>
      record.agents.map(agent => ({ agentId: agentNumbers.get(agent) ?? 0, personId: id, index, agent }))
    )
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

async function upsertPersons(trx: Transaction<Database>, tenantId: number, records: readonly PersonRecord[]) {
  const { rows } = await sql<{ id: number; external_id: string; created: boolean; renamed: boolean }>`
    with given as (
      select * from unnest(
        ${records.map(record => record.personId)}::text[],
        ${records.map(record => record.name ?? null)}::text[]) as given(external_id, name)
    ),
    before as (
      select person.id, person.external_id, person.name from person join given using (external_id)
      where person.tenant_id = ${tenantId}
    ),
    upserted as (
      insert into person (tenant_id, external_id, name)
      select ${tenantId}::integer, external_id, name from given order by external_id
      on conflict (tenant_id, external_id) do update set name = coalesce(excluded.name, person.name)
      returning id, external_id, name
    )
    select upserted.id, external_id, before.id is null as created, before.name is distinct from upserted.name as renamed
    from upserted left join before using (external_id)`.execute(trx)
  const rowOf = new Map(rows.map(row => [row.external_id, row]))
  const numbered = records.flatMap((record): NumberedRecord[] => {
    const row = rowOf.get(record.personId)
    return row === undefined ? [] : [{ record, id: row.id, created: row.created }]
  })
  return { numbered, renamed: rows.filter(row => row.renamed).map(row => row.id) }
}

interface Ownership {
  readonly agentId: number
  readonly personId: number
  /** The position in the request of the person, for the message. */
  readonly index: number
  readonly agent: string
}

/**
 * Gives agents to their persons, and takes them from provisional ones.
 *
 * The rows are locked against the worker, and changed before the days that they touch are looked up: an event that the
 * worker has counted for the old person is visible by then.
 *
 * @returns the persons that got an agent.
 */
async function assignAgents(
  trx: Transaction<Database>,
  owners: readonly Ownership[],
  { tenantId, onMoved }: PutPeopleContext
): Promise<readonly number[]> {
  const agentIds = owners.map(owner => owner.agentId)
  const { rows } = await sql<{ agent_id: number; person_id: number; external_id: string | null }>`
    select person_agent.agent_id, person_agent.person_id, person.external_id
    from person_agent join person on person.tenant_id = person_agent.tenant_id and person.id = person_agent.person_id
    where person_agent.tenant_id = ${tenantId} and person_agent.agent_id = any(${agentIds}::integer[])
    order by person_agent.agent_id for update of person_agent`.execute(trx)
  const held = new Map(rows.map(row => [row.agent_id, row]))
  const gained = owners.filter(owner => held.get(owner.agentId)?.person_id !== owner.personId)
  for (const { agentId, index, agent } of gained) {
    const holder = held.get(agentId)?.external_id ?? null
    if (holder !== null) {
      throw new LrsError('people-conflict', `The agent ${agent} belongs to the person "${holder}" already`, { index })
    }
  }
  await sql`
    insert into person_agent (tenant_id, agent_id, person_id)
    select ${tenantId}::integer, agent_id, person_id from unnest(
      ${gained.map(owner => owner.agentId)}::integer[],
      ${gained.map(owner => owner.personId)}::integer[]) as given(agent_id, person_id)
    order by agent_id
    on conflict (tenant_id, agent_id) do update set person_id = excluded.person_id`.execute(trx)
  const moves = gained.flatMap(({ agentId, personId }): MovedAgent[] => {
    const from = held.get(agentId)
    return from === undefined ? [] : [{ agentId, fromPersonId: from.person_id, toPersonId: personId }]
  })
  if (moves.length > 0) await onMoved(trx, moves)
  return gained.map(owner => owner.personId)
}
