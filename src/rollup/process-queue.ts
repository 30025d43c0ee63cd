import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { transact } from '../store/transact.js'
import { type LearnerDayKey, recomputeLearnerDays } from './recompute.js'

/** A learner-day that the queue names: by an agent, whose person is looked up, or by the person. */
interface Touched {
  readonly tenant_id: number
  readonly agent_id: number | null
  readonly person_id: number | null
  readonly day: string
}

/**
 * Takes rows that are due off the queue and recomputes the learner-days that they name, in one transaction: a worker
 * that is killed leaves the rows where they were.
 *
 * Any number of processes may do so at once: each takes other rows, and the persons are locked, in one order, before
 * their events are read.
 *
 * @returns how many rows were taken; 0 when nothing is due.
 */
export async function processQueue(db: Kysely<Database>, batchSize: number): Promise<number> {
  return transact(db, async trx => {
    const { taken, touched } = await takeBatch(trx, batchSize)
    if (touched.length > 0) {
      await makeProvisionalPersons(trx, touched)
      const keys = await resolvePersons(trx, touched)
      await lockPersons(trx, keys)
      await recomputeLearnerDays(trx, keys)
    }
    return taken
  })
}

async function takeBatch(trx: Transaction<Database>, batchSize: number) {
  const { rows } = await sql<{ taken: number; touched: readonly Touched[] }>`
    with taken as (
      delete from rollup_queue where id in (
        select id from rollup_queue where due_at <= clock_timestamp()
        order by due_at limit ${batchSize} for update skip locked)
      returning tenant_id, agent_id, person_id, day, voided_statement_id
    ),
    touched as (
      select tenant_id, agent_id, person_id, day from taken where voided_statement_id is null
      union
      select event.tenant_id, agent, null, event.day
      from taken
      join statement on statement.tenant_id = taken.tenant_id and statement.id = taken.voided_statement_id
      join learning_event as event on event.tenant_id = statement.tenant_id and event.statement_seq = statement.seq
      cross join unnest(array[event.agent_id, event.subject_agent_id]) as agent
      where agent is not null
    )
    select (select count(*) from taken) as taken, (select coalesce(json_agg(touched), '[]') from touched) as touched`.execute(
    trx
  )
  return { taken: rows.reduce((sum, row) => sum + row.taken, 0), touched: rows.flatMap(row => row.touched) }
}

/** Makes a provisional person for each agent that belongs to nobody yet, so that nothing is dropped. */
async function makeProvisionalPersons(trx: Transaction<Database>, touched: readonly Touched[]): Promise<void> {
  await sql`
    insert into person (tenant_id, first_agent_id)
    select distinct agent.tenant_id, agent.agent_id from (${agentsOf(touched)}) as agent
    where not exists (select from person_agent
      where person_agent.tenant_id = agent.tenant_id and person_agent.agent_id = agent.agent_id)
    order by 1, 2
    on conflict (tenant_id, first_agent_id) do nothing`.execute(trx)
  await sql`
    insert into person_agent (tenant_id, agent_id, person_id)
    select person.tenant_id, person.first_agent_id, person.id
    from person join (${agentsOf(touched)}) as agent
      on person.tenant_id = agent.tenant_id and person.first_agent_id = agent.agent_id
    order by 1, 2
    on conflict (tenant_id, agent_id) do nothing`.execute(trx)
}

/**
 * Finds whose days were touched. The share lock makes an agent that is just being moved to another person wait, or be
 * waited for: either way one of the two transactions sees what the other did.
 */
async function resolvePersons(
  trx: Transaction<Database>,
  touched: readonly Touched[]
): Promise<readonly LearnerDayKey[]> {
  const { rows } = await sql<{ tenant_id: number; agent_id: number; person_id: number }>`
    select tenant_id, agent_id, person_id from person_agent
    where (tenant_id, agent_id) in (${agentsOf(touched)})
    order by tenant_id, agent_id for share`.execute(trx)
  const personOf = new Map(rows.map(row => [`${row.tenant_id} ${row.agent_id}`, row.person_id]))
  return touched.map(({ tenant_id, agent_id, person_id, day }) => {
    // Whoever had no person has a provisional one by now.
    const personId = (person_id ?? personOf.get(`${tenant_id} ${agent_id}`)) as number
    return { tenantId: tenant_id, personId, day }
  })
}

async function lockPersons(trx: Transaction<Database>, keys: readonly LearnerDayKey[]): Promise<void> {
  await sql`
    select from person
    where (tenant_id, id) in (select * from unnest(
      ${keys.map(key => key.tenantId)}::integer[], ${keys.map(key => key.personId)}::integer[]))
    order by tenant_id, id for no key update`.execute(trx)
}

function agentsOf(touched: readonly Touched[]) {
  const agents = touched.filter(row => row.agent_id !== null)
  return sql`select tenant_id, agent_id from unnest(
    ${agents.map(row => row.tenant_id)}::integer[], ${agents.map(row => row.agent_id)}::integer[])
    as touched(tenant_id, agent_id)`
}
