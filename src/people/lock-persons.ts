import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'

/** A person by its key. */
export interface PersonKey {
  readonly tenantId: number
  readonly personId: number
}

/** An agent by its key. */
export interface AgentKey {
  readonly tenantId: number
  readonly agentId: number
}

/** What a transaction has found under its locks. */
export interface Held<Found> {
  readonly found: Found
  /** The persons who must be locked for what was found to stay true. */
  readonly needed: readonly PersonKey[]
}

/**
 * Locks persons, in the order of their keys, and looks at what belongs to them: the one way to hold persons, for all who
 * change whose an agent is and for the worker, so that none of them ever waits for another in a circle.
 *
 * Only who holds a person may give it an agent or take one away, so what is found under the locks stays true until the
 * transaction ends. What was to be locked was known without locks, though, and may have changed until they were had:
 * when what is found needs further persons, all locks are given back, for to take another one now might break the order,
 * and everybody is locked again.
 *
 * @param wanted SQL for `tenant_id, id` of the persons to lock.
 * @param hold runs under the locks, once or more often: what it writes is taken back with the locks. It must be new
 * statements, whose snapshots hold what others have committed meanwhile.
 * @see docs/decisions/0017-persons-are-locked-before-their-agents.md
 */
export async function lockPersons<Found>(
  trx: Transaction<Database>,
  wanted: RawBuilder<unknown>,
  hold: () => Promise<Held<Found>>
): Promise<Found> {
  await sql`savepoint before_persons`.execute(trx)
  let late: readonly PersonKey[] = []
  for (;;) {
    const locked = await lockInOrder(trx, sql`${wanted} union ${selectPersons(late)}`)
    const { found, needed } = await hold()
    const missing = needed.filter(person => !locked.has(`${person.tenantId} ${person.personId}`))
    if (missing.length === 0) return found
    await sql`rollback to savepoint before_persons`.execute(trx)
    late = [...late, ...missing]
  }
}

async function lockInOrder(trx: Transaction<Database>, wanted: RawBuilder<unknown>): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ tenant_id: number; id: number }>`
    select tenant_id, id from person where (tenant_id, id) in (${wanted})
    order by tenant_id, id for no key update`.execute(trx)
  return new Set(rows.map(({ tenant_id, id }) => `${tenant_id} ${id}`))
}

/** SQL for `tenant_id, id` of persons. */
function selectPersons(persons: readonly PersonKey[]): RawBuilder<unknown> {
  return sql`select tenant_id, id from unnest(
    ${persons.map(person => person.tenantId)}::integer[], ${persons.map(person => person.personId)}::integer[])
    as given(tenant_id, id)`
}

/** SQL for `tenant_id, agent_id` of agents. */
function selectAgents(agents: readonly AgentKey[]): RawBuilder<unknown> {
  return sql`select tenant_id, agent_id from unnest(
    ${agents.map(agent => agent.tenantId)}::integer[], ${agents.map(agent => agent.agentId)}::integer[])
    as given(tenant_id, agent_id)`
}

/** Finds the person of an agent among those that were locked. */
export type OwnerOf = (agent: AgentKey) => number

/**
 * Locks persons, and those who have the agents; an agent that belongs to nobody yet becomes a provisional person, so
 * that nothing is dropped.
 */
export async function lockOwners(
  trx: Transaction<Database>,
  agents: readonly AgentKey[],
  persons: readonly PersonKey[]
): Promise<OwnerOf> {
  const given = selectAgents(agents)
  const hasAgents = agents.length > 0
  if (hasAgents) await makeProvisionalPersons(trx, given)
  const wanted = sql`
    ${selectPersons(persons)}
    union
    select tenant_id, person_id from person_agent where (tenant_id, agent_id) in (${given})
    union
    select tenant_id, id from person as fresh where (tenant_id, first_agent_id) in (${given}) and ${isUnowned('fresh')}`
  return lockPersons(trx, wanted, async () => {
    if (hasAgents) await giveToProvisional(trx, given)
    const owners = new Map(hasAgents ? await findOwners(trx, given) : [])
    return {
      // Whoever belonged to nobody has a provisional person by now.
      found: ({ tenantId, agentId }) => (owners.get(`${tenantId} ${agentId}`) as PersonKey).personId,
      needed: [...owners.values()]
    }
  })
}

/** Whether the first agent of a provisional person belongs to nobody. */
function isUnowned(person: string): RawBuilder<boolean> {
  return sql<boolean>`not exists (select from person_agent
    where person_agent.tenant_id = ${sql.ref(person)}.tenant_id
      and person_agent.agent_id = ${sql.ref(person)}.first_agent_id)`
}

/** Makes the persons only. They get their agents under the locks: a row of `person_agent` is waited for, too. */
async function makeProvisionalPersons(trx: Transaction<Database>, agents: RawBuilder<unknown>): Promise<void> {
  await sql`
    insert into person (tenant_id, first_agent_id)
    select tenant_id, first_agent_id
    from (select distinct tenant_id, agent_id as first_agent_id from (${agents}) as given) as agent
    where ${isUnowned('agent')}
    order by tenant_id, first_agent_id
    on conflict (tenant_id, first_agent_id) do nothing`.execute(trx)
}

async function giveToProvisional(trx: Transaction<Database>, agents: RawBuilder<unknown>): Promise<void> {
  await sql`
    insert into person_agent (tenant_id, agent_id, person_id)
    select tenant_id, first_agent_id, id from person as fresh
    where (tenant_id, first_agent_id) in (${agents}) and ${isUnowned('fresh')}
    order by tenant_id, first_agent_id
    on conflict (tenant_id, agent_id) do nothing`.execute(trx)
}

async function findOwners(trx: Transaction<Database>, agents: RawBuilder<unknown>) {
  const { rows } = await sql<PersonKey & AgentKey>`
    select tenant_id as "tenantId", agent_id as "agentId", person_id as "personId"
    from person_agent where (tenant_id, agent_id) in (${agents})`.execute(trx)
  return rows.map((owner): [string, PersonKey] => [`${owner.tenantId} ${owner.agentId}`, owner])
}
