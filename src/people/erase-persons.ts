import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'

/** A person of the roster, all who are the same human being, and the agents that they act under. */
export interface WholePerson {
  readonly personIds: readonly number[]
  /** Identifiers in the form of `ifiOf`. */
  readonly agents: readonly string[]
}

/**
 * Finds a person of the roster together with those who were merged into them, or into whom they were merged, and locks
 * them; null where the roster has nobody of that name.
 */
export async function findWholePerson(
  trx: Transaction<Database>,
  tenantId: number,
  externalId: string
): Promise<WholePerson | null> {
  await lockWholePerson(trx, tenantId, externalId)
  // Once more: the first look may have waited, with an old snapshot, for one who merged or split them.
  const personIds = await lockWholePerson(trx, tenantId, externalId)
  if (personIds.length === 0) return null
  const agents = await trx
    .selectFrom('person_agent')
    .innerJoin('agent', join =>
      join.onRef('agent.tenant_id', '=', 'person_agent.tenant_id').onRef('agent.id', '=', 'person_agent.agent_id')
    )
    .select('ifi')
    .where('person_agent.tenant_id', '=', tenantId)
    .where('person_id', 'in', [...personIds])
    .execute()
  return { personIds, agents: agents.map(({ ifi }) => ifi) }
}

async function lockWholePerson(
  trx: Transaction<Database>,
  tenantId: number,
  externalId: string
): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    with recursive upwards as (
      select id, merged_into from person where tenant_id = ${tenantId} and external_id = ${externalId}
      union
      select person.id, person.merged_into
      from upwards join person on person.tenant_id = ${tenantId} and person.id = upwards.merged_into
    ),
    whole as (
      select id from upwards where merged_into is null
      union
      select person.id from whole join person on person.tenant_id = ${tenantId} and person.merged_into = whole.id
    )
    select id from person where tenant_id = ${tenantId} and id in (select id from whole) order by id for update`.execute(
    trx
  )
  return rows.map(({ id }) => id)
}

/** Finds the provisional persons who have none but these agents, and locks all persons who have one of them. */
export async function findProvisionalPersons(
  trx: Transaction<Database>,
  tenantId: number,
  agentIds: readonly number[]
): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number; is_erased: boolean }>`
    select id, external_id is null
      and not exists (select from person_agent as other
        where other.tenant_id = ${tenantId} and other.person_id = person.id
          and other.agent_id <> all(${agentIds}::integer[]))
      and not exists (select from person as merged
        where merged.tenant_id = ${tenantId} and merged.merged_into = person.id) as is_erased
    from person
    where tenant_id = ${tenantId} and (first_agent_id = any(${agentIds}::integer[]) or id in (
      select person_id from person_agent
      where tenant_id = ${tenantId} and agent_id = any(${agentIds}::integer[])))
    order by id for update`.execute(trx)
  return rows.flatMap(({ id, is_erased }) => (is_erased ? [id] : []))
}

/**
 * Erases persons: their roster, their assignments, their learner-days, what was changed about them, where the roster of
 * others names them as manager, and what credentials say of whom they stand for; and takes the agents from whoever has
 * them.
 */
export async function erasePersons(
  trx: Transaction<Database>,
  tenantId: number,
  personIds: readonly number[],
  agentIds: readonly number[]
): Promise<void> {
  await sql`
    with taken as (
      delete from person_agent where tenant_id = ${tenantId}
        and (agent_id = any(${agentIds}::integer[]) or person_id = any(${personIds}::integer[]))
    ),
    managed as (
      update roster set manager_id = null
      where tenant_id = ${tenantId} and person_id <> all(${personIds}::integer[]) and manager_id in (
        select external_id from person where tenant_id = ${tenantId} and id = any(${personIds}::integer[]))
    ),
    credentials as (
      update credential set person_external_id = null
      where tenant_id = ${tenantId} and person_external_id in (
        select external_id from person where tenant_id = ${tenantId} and id = any(${personIds}::integer[]))
      ),
    assignments as (
      delete from assignment where tenant_id = ${tenantId} and person_id = any(${personIds}::integer[])
    ),
    ranges as (delete from roster where tenant_id = ${tenantId} and person_id = any(${personIds}::integer[])),
    days as (delete from learner_day where tenant_id = ${tenantId} and person_id = any(${personIds}::integer[])),
    activities as (
      delete from learner_activity where tenant_id = ${tenantId} and person_id = any(${personIds}::integer[])
    ),
    steps as (delete from learner_step where tenant_id = ${tenantId} and person_id = any(${personIds}::integer[])),
    attempts as (delete from learner_attempt where tenant_id = ${tenantId} and person_id = any(${personIds}::integer[])),
    categories as (
      delete from learner_categories where tenant_id = ${tenantId} and person_id = any(${personIds}::integer[])
    ),
    changes as (
      delete from person_change where tenant_id = ${tenantId}
        and (from_person_id = any(${personIds}::integer[]) or to_person_id = any(${personIds}::integer[]))
    )
    delete from person where tenant_id = ${tenantId} and id = any(${personIds}::integer[])`.execute(trx)
}
