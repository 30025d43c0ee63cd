import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { lockOwners } from '../people/lock-persons.js'
import { raiseDataVersions } from '../store/data-version.js'
import { holdOffErasures } from '../store/erasure-fence.js'
import { transact } from '../store/transact.js'
import { type FailedRow, isFaultOfRows, postponeRow } from './failed-rows.js'
import {
  type LearnerDayKey,
  recomputeLearnerActivities,
  recomputeLearnerAttempts,
  recomputeLearnerDays,
  recomputeLearnerSteps
} from './recompute.js'
import { touchedBy } from './touched.js'

/**
 * What the queue names: by an agent, whose person is looked up, or by the person, a day; and with it a row of
 * `learner_activity`, the rows of `learner_step` of its module and those of `learner_attempt` of its activity, or none.
 */
interface Touched {
  readonly tenant_id: number
  readonly agent_id: number | null
  readonly person_id: number | null
  readonly day: string
  readonly module_id: number | null
  readonly activity_id: number | null
}

/**
 * The rows of a batch are at most so many times the oldest ones: enough that a backlog is worked off learner by learner,
 * few enough that a batch takes a second or two, for others wait for the persons, and erasures for all.
 */
const growth = 10

/**
 * Takes rows that are due off the queue and recomputes what they name, in one transaction: a worker that is killed
 * leaves the rows where they were.
 *
 * With the oldest rows it takes the other ones that are due of the same agents and persons, so that a learner who is
 * named a thousand times is recomputed once.
 *
 * Any number of processes may do so at once: each takes other rows, and the persons are locked, in one order, before
 * their events are read. A batch that can't be worked on is halved again and again, until the rows that are at fault
 * are alone; those are put off, and the others are done.
 *
 * @param batchSize how many of the oldest rows; together with those of the same learners ten times as many at most.
 * @param onFailed hears of each row that failed alone.
 * @returns how many rows were done or put off; 0 when nothing is due.
 * @throws what no row is at fault of, such as a lost connection.
 */
export async function processQueue(
  db: Kysely<Database>,
  batchSize: number,
  onFailed: (row: FailedRow) => void = () => undefined
): Promise<number> {
  return workOn(db, lockDue(batchSize), onFailed)
}

/** @param locked a query that locks rows, for their ids. */
async function workOn(
  db: Kysely<Database>,
  locked: RawBuilder<{ readonly id: number }>,
  onFailed: (row: FailedRow) => void
): Promise<number> {
  let ids: readonly number[] = []
  try {
    return await transact(db, async trx => {
      await holdOffErasures(trx)
      // Known before anything is asked of the rows, so that one is alone at fault for whatever fails.
      ids = (await locked.execute(trx)).rows.map(({ id }) => id)
      if (ids.length > 0) await raiseDataVersions(trx, await recomputeTouched(trx, await takeRows(trx, ids)))
      return ids.length
    })
  } catch (error) {
    const [id] = ids
    if (id === undefined || !isFaultOfRows(error)) throw error
    if (ids.length > 1) {
      const middle = Math.ceil(ids.length / 2)
      const half = (part: readonly number[]) => workOn(db, lockGiven(part), onFailed)
      return (await half(ids.slice(0, middle))) + (await half(ids.slice(middle)))
    }
    const failed = await postponeRow(db, id, error)
    if (failed !== null) onFailed(failed)
    return 1
  }
}

/**
 * Rows of one learner stand together, so that halving a batch does not part them. Of a learner with more rows than the
 * limit leaves room for, the others stay for the next batch.
 */
function lockDue(batchSize: number): RawBuilder<{ readonly id: number }> {
  const isDue = sql`parked_at is null and due_at <= clock_timestamp()`
  const dueOf = (name: string) => sql`
    select id from rollup_queue as same
    where same.tenant_id = learner.tenant_id and ${sql.ref(`same.${name}`)} = ${sql.ref(`learner.${name}`)} and ${isDue}
    for update skip locked`
  return sql`
    with oldest as materialized (
      select * from rollup_queue where ${isDue} order by due_at limit ${batchSize} for update skip locked
    ),
    learner as (
      select tenant_id, agent_id, person_id from oldest where voided_statement_id is null
      group by tenant_id, agent_id, person_id order by min(due_at)
    )
    select id from oldest where voided_statement_id is not null
    union all (
      select same.id from learner
      cross join lateral (select * from (${dueOf('agent_id')}) as done union all select * from (${dueOf('person_id')}) as moved) as same
      limit ${batchSize * growth})`
}

function lockGiven(ids: readonly number[]): RawBuilder<{ readonly id: number }> {
  return sql`select id from rollup_queue where id = any(${ids}::bigint[]) for update skip locked`
}

async function takeRows(trx: Transaction<Database>, ids: readonly number[]): Promise<readonly Touched[]> {
  const voidedEvents = sql`
    select event.* from taken
    join statement on statement.tenant_id = taken.tenant_id and statement.id = taken.voided_statement_id
    join learning_event as event on event.tenant_id = statement.tenant_id and event.statement_seq = statement.seq`
  const { rows } = await sql<Touched>`
    with taken as (
      delete from rollup_queue where id = any(${ids}::bigint[])
      returning tenant_id, agent_id, person_id, day, module_id, activity_id, voided_statement_id
    )
    select tenant_id, agent_id, person_id, day, module_id, activity_id from taken where voided_statement_id is null
    union
    select tenant_id, agent_id, null, day, module_id, activity_id from (${touchedBy(voidedEvents)}) as touched`.execute(
    trx
  )
  return rows
}

/** @returns the tenants of which anything changed. */
async function recomputeTouched(trx: Transaction<Database>, touched: readonly Touched[]): Promise<readonly number[]> {
  if (touched.length === 0) return []
  // One key for each, in the same order.
  const keys = await lockTouched(trx, touched)
  const ofDays = await recomputeLearnerDays(trx, keys)
  const activities = touched.flatMap(({ module_id: moduleId, activity_id: activityId }, at) => {
    const key = keys[at]
    return key === undefined || moduleId === null || activityId === null ? [] : [{ ...key, moduleId, activityId }]
  })
  const ofActivities = await recomputeLearnerActivities(trx, activities)
  const ofSteps = await recomputeLearnerSteps(trx, activities)
  return [...ofDays, ...ofActivities, ...ofSteps, ...(await recomputeLearnerAttempts(trx, activities))]
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
