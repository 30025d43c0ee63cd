import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { raiseDataVersions } from '../store/data-version.js'
import type { RebuiltPersons } from './derive.js'
import { recomputeAllOf } from './recompute.js'
import { dueRows, touchedBy } from './touched.js'

/** So many are locked at once, and done within a second; ingest does not wait for them, the worker does. */
const personsAtOnce = 100

/**
 * Recomputes every derived row of persons, whatever it was before, and sees to it that their future events are counted
 * when their time comes.
 *
 * @returns whether any row changed.
 */
export async function recomputePersons(
  trx: Transaction<Database>,
  tenantId: number,
  personIds: readonly number[]
): Promise<boolean> {
  // By a statement of its own: what is read after it is no older than what anybody did to these persons before.
  await sql`
    select from person where tenant_id = ${tenantId} and id = any(${personIds}::integer[])
    order by id for no key update`.execute(trx)
  const isChanged = await recomputeAllOf(trx, tenantId, personIds)
  await enqueueFuture(trx, tenantId, personIds)
  return isChanged
}

/** A future event that is enqueued twice is counted once; one that is not enqueued would stay in the future. */
async function enqueueFuture(trx: Transaction<Database>, tenantId: number, personIds: readonly number[]) {
  // No zone's day begins more than a day before another's.
  const events = sql`
    select event.* from person_agent
    join learning_event as event on event.tenant_id = ${tenantId} and event.agent_id = person_agent.agent_id
      and event.day >= (statement_timestamp() at time zone 'UTC')::date - 1
    where person_agent.tenant_id = ${tenantId} and person_agent.person_id = any(${personIds}::integer[])
      and event."timestamp" > statement_timestamp()`
  await sql`
    with touched as (${touchedBy(events)}),
    due as (${dueRows})
    insert into rollup_queue (tenant_id, agent_id, day, module_id, activity_id, due_at)
    select ${tenantId}::integer, agent_id, day, module_id, activity_id, due_at from due
    where due_at is not null and not exists (
      select from rollup_queue as queued where queued.tenant_id = ${tenantId} and queued.due_at = due.due_at
        and (queued.agent_id, queued.day) = (due.agent_id, due.day)
        and queued.module_id is not distinct from due.module_id
        and queued.activity_id is not distinct from due.activity_id)`.execute(trx)
}

/**
 * Recomputes all that is derived of the next persons by their numbers; the first time, agents that belong to nobody
 * yet get their provisional persons before.
 *
 * @returns the last person's number and whether any row changed, or null when nobody is left.
 */
export async function rebuildPersons(
  trx: Transaction<Database>,
  tenantId: number,
  afterPersonId: number
): Promise<RebuiltPersons | null> {
  if (afterPersonId === 0) await makePersonsOfStrangers(trx, tenantId)
  const { rows } = await sql<{ id: number }>`
    select id from person where tenant_id = ${tenantId} and id > ${afterPersonId}
    order by id limit ${personsAtOnce}`.execute(trx)
  const ids = rows.map(({ id }) => id)
  const last = ids.at(-1)
  return last === undefined ? null : { last, isChanged: await recomputePersons(trx, tenantId, ids) }
}

async function makePersonsOfStrangers(trx: Transaction<Database>, tenantId: number): Promise<void> {
  const isNobody = sql`not exists (
    select from person_agent where person_agent.tenant_id = ${tenantId} and person_agent.agent_id = agent.id)`
  await sql`
    insert into person (tenant_id, first_agent_id)
    select ${tenantId}::integer, agent.id from agent
    where agent.tenant_id = ${tenantId} and ${isNobody} and (
      exists (select from learning_event as done where done.tenant_id = ${tenantId} and done.agent_id = agent.id)
      or exists (select from learning_event as about
        where about.tenant_id = ${tenantId} and about.subject_agent_id = agent.id))
    order by agent.id
    on conflict (tenant_id, first_agent_id) do nothing`.execute(trx)
  await sql`
    insert into person_agent (tenant_id, agent_id, person_id)
    select ${tenantId}::integer, first_agent_id, person.id
    from person join agent on agent.tenant_id = ${tenantId} and agent.id = person.first_agent_id
    where person.tenant_id = ${tenantId} and ${isNobody}
    order by first_agent_id
    on conflict (tenant_id, agent_id) do nothing`.execute(trx)
}

/** How far a rebuild has come. */
export interface RebuildProgress {
  readonly isDone: boolean
  /** Statements whose events are derived, and the number of the last person that is done. */
  readonly position: number
  /** Statements that there are, and the number of the last person. */
  readonly of: number
}

/**
 * Opens a rebuild of a tenant's derived tables, or finds the one that is open.
 *
 * @returns its number.
 */
export async function openRebuild(db: Kysely<Database>, tenantId: number, requestedBy: string): Promise<number> {
  return db.transaction().execute(async trx => {
    // Two who ask at once get the same.
    await sql`select from tenant where id = ${tenantId} for no key update`.execute(trx)
    const open = await trx
      .selectFrom('derivation')
      .select('id')
      .where('tenant_id', '=', tenantId)
      .where('reason', '=', 'rebuild')
      .where('phase', '<>', 'done')
      .orderBy('id')
      .executeTakeFirst()
    if (open !== undefined) return open.id
    const { id } = await trx
      .insertInto('derivation')
      .values({ tenant_id: tenantId, reason: 'rebuild', requested_by: requestedBy })
      .returning('id')
      .executeTakeFirstOrThrow()
    // From now on answers warn of it.
    await raiseDataVersions(trx, [tenantId])
    return id
  })
}

/** Reads how far a rebuild has come. */
export async function findRebuild(db: Kysely<Database>, tenantId: number, id: number): Promise<RebuildProgress> {
  const { rows } = await sql<RebuildProgress>`
    select phase = 'done' as "isDone", derived + person_position as position, coalesce(total, 0)
      + coalesce((select max(person.id) from person where person.tenant_id = ${tenantId}), 0) as of
    from derivation where tenant_id = ${tenantId} and id = ${id}`.execute(db)
  return rows[0] ?? { isDone: true, position: 0, of: 0 }
}
