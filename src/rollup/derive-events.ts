import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import {
  type EventNumbers,
  type EventOfStatement,
  eventColumns,
  eventRows,
  wordsOfEvents
} from '../events/event-rows.js'
import { findMapping } from '../events/find-mapping.js'
import { learningEventOf } from '../events/learning-event.js'
import { internWords } from '../store/dictionary.js'
import type { ScannedStatement } from '../store/scan-statements.js'
import type { Statement } from '../xapi/statement.js'
import { enqueueTouched, type Touched } from './enqueue-touched.js'

/**
 * Derives the learning events of stored statements anew, by the newest mapping and on the local days of the tenant's
 * zone; writes what differs and enqueues the learner-days that it touches, before and after.
 *
 * @returns how many events were added, changed or removed.
 */
export async function deriveEvents(
  trx: Transaction<Database>,
  tenantId: number,
  statements: readonly ScannedStatement[]
): Promise<number> {
  const mapping = await findMapping(trx, tenantId)
  const events = statements.flatMap((statement): EventOfStatement[] => {
    const event = learningEventOf({ value: JSON.parse(statement.text) as Statement }, mapping)
    return event === null ? [] : [{ statement, event }]
  })
  const words = wordsOfEvents(events.map(({ event }) => event))
  const numbers = {
    agent: await internWords(trx, { tenantId, dictionary: 'agent' }, words.agents),
    activity: await internWords(trx, { tenantId, dictionary: 'activity' }, words.activities)
  }
  const seqs = statements.map(({ seq }) => seq)
  const { changed, touched } = await writeDifferences(trx, tenantId, seqs, { events, numbers })
  await enqueueTouched(trx, tenantId, touched)
  return changed
}

interface Derived {
  readonly events: readonly EventOfStatement[]
  readonly numbers: EventNumbers
}

async function writeDifferences(
  trx: Transaction<Database>,
  tenantId: number,
  seqs: readonly number[],
  { events, numbers }: Derived
): Promise<{ readonly changed: number; readonly touched: readonly Touched[] }> {
  const columnNames = ['day', ...eventColumns]
  const columns = sql.join(columnNames.map(column => sql.ref(column)))
  const of = (table: string) => sql.join(columnNames.map(column => sql.ref(`${table}.${column}`)))
  const updates = sql.join(columnNames.map(column => sql`${sql.ref(column)} = ${sql.ref(`excluded.${column}`)}`))
  const { rows } = await sql<{ changed: number; touched: readonly Touched[] }>`
    with derived as materialized (${eventRows(tenantId, events, numbers)}),
    known as materialized (
      select * from learning_event where tenant_id = ${tenantId} and statement_seq = any(${seqs}::bigint[])
    ),
    wanted as (
      select derived.* from derived left join known using (statement_seq)
      where known.statement_seq is null or (${of('derived')}) is distinct from (${of('known')})
    ),
    -- A statement that is being erased must not leave an event behind.
    kept as materialized (
      select seq from statement
      where tenant_id = ${tenantId} and seq in (select statement_seq from wanted) for key share
    ),
    written as materialized (select wanted.* from wanted join kept on seq = statement_seq),
    gone as materialized (
      select known.* from known where not exists (select from derived where derived.statement_seq = known.statement_seq)
    ),
    removed as (
      delete from learning_event using gone
      where learning_event.tenant_id = ${tenantId} and learning_event.statement_seq = gone.statement_seq
    ),
    upserted as (
      insert into learning_event (tenant_id, statement_seq, ${columns})
      select tenant_id, statement_seq, ${columns} from written
      on conflict (tenant_id, statement_seq) do update set ${updates}
    ),
    touched as (${touchedDays})
    select (select count(*) from written) + (select count(*) from gone) as changed,
      (select coalesce(json_agg(touched), '[]') from touched) as touched`.execute(trx)
  return { changed: rows.reduce((sum, row) => sum + row.changed, 0), touched: rows.flatMap(row => row.touched) }
}

/** Where the changed events were and where they are, for the doer and the subject. */
const touchedDays = sql`
  select distinct agent as "agentId", day, module_id as "moduleId", activity_id as "activityId",
    case when is_now and "timestamp" > clock_timestamp() then "timestamp" end as "futureAt"
  from (
    select true as is_now, day, "timestamp", module_id, activity_id, agent_id, subject_agent_id from written
    union all
    select false, day, "timestamp", module_id, activity_id, agent_id, subject_agent_id
    from known where statement_seq in (select statement_seq from written union all select statement_seq from gone)
  ) as event
  cross join unnest(array[agent_id, subject_agent_id]) as agent
  where agent is not null`
