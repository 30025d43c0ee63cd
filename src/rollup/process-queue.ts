import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { lockOwners } from '../people/lock-persons.js'
import { holdOffErasures } from '../store/erasure-fence.js'
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
    await holdOffErasures(trx)
    const { taken, touched } = await takeBatch(trx, batchSize)
    if (touched.length > 0) {
      const keys = await lockTouched(trx, touched)
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

/**
 * Locks the persons whose days were touched, and finds who they are.
 *
 * No event is lost to somebody who moves its agent at the same time: whoever moves an agent holds both persons from
 * before the move until its end, and enqueues for both the days of all events that had been committed when it moved. So
 * once the persons are held here, either the move has ended and is seen, or it waits, and will find every event that is
 * counted here.
 */
async function lockTouched(trx: Transaction<Database>, touched: readonly Touched[]): Promise<readonly LearnerDayKey[]> {
  const named = touched.map(({ tenant_id, agent_id, person_id, day }) => ({
    tenantId: tenant_id,
    agentId: agent_id,
    personId: person_id,
    day
  }))
  const ownerOf = await lockOwners(
    trx,
    named.flatMap(({ tenantId, agentId }) => (agentId === null ? [] : [{ tenantId, agentId }])),
    named.flatMap(({ tenantId, personId }) => (personId === null ? [] : [{ tenantId, personId }]))
  )
  return named.map(({ tenantId, agentId, personId, day }) => ({
    tenantId,
    // A row names the one or the other.
    personId: personId ?? ownerOf({ tenantId, agentId: agentId as number }),
    day
  }))
}
