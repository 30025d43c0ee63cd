import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { type DerivedTable, type Findings, wholeRow } from './difference.js'
import { deeds, expectedValues, isInRange, ownActivities, ownDays, type PersonRange } from './expected-rows.js'
import { activityColumns } from './learner-activities.js'
import { attemptColumns } from './learner-attempts.js'
import { categoryColumns } from './learner-categories.js'
import { dayColumns } from './learner-days.js'
import { stepColumns } from './learner-steps.js'
import { daysOfRow, timeColumns, weekColumns } from './learner-weeks.js'
import { touchedBy } from './touched.js'

/** So many persons are compared by one query. */
const personsAtOnce = 200

const tables = [
  { table: 'learner_day', key: ['day'], columns: dayColumns },
  { table: 'learner_weeks', key: ['begins'], columns: weekColumns },
  { table: 'learner_time', key: ['begins'], columns: timeColumns },
  { table: 'learner_categories', key: ['begins'], columns: categoryColumns },
  { table: 'learner_activity', key: ['module_id', 'activity_id'], columns: activityColumns },
  { table: 'learner_begun', key: [], columns: ['begun', 'completed'] },
  { table: 'learner_step', key: ['step', 'day', 'module_id'], columns: stepColumns },
  { table: 'learner_attempt', key: ['activity_id', 'scale', 'day'], columns: attemptColumns }
] as const

/** What a verification knows of its snapshot. */
export interface Snapshot {
  readonly tenantId: number
  /** An instant no earlier than the snapshot; what is due by then, and not done in the snapshot, is pending. */
  readonly asOf: string
  /** Persons after this one are being rebuilt; null when none are. */
  readonly rebuiltTo: number | null
}

/** Puts aside what the queue names, so that each comparison can look it up: a table of this transaction alone. */
export async function notePending(trx: Transaction<Database>, { tenantId, asOf }: Snapshot): Promise<void> {
  const voidedEvents = sql`
    select event.* from due
    join statement on statement.tenant_id = ${tenantId} and statement.id = due.voided_statement_id
    join learning_event as event on event.tenant_id = ${tenantId} and event.statement_seq = statement.seq`
  await sql`
    create temporary table pending (agent_id integer, person_id integer, day date, module_id integer, activity_id integer)
    on commit drop`.execute(trx)
  await sql`
    insert into pending
    with due as (
      select * from rollup_queue
      where tenant_id = ${tenantId} and (due_at <= ${asOf}::timestamptz or attempts > 0)
    ),
    named as (
      select agent_id, person_id, day, module_id, activity_id from due where voided_statement_id is null
      union
      select agent_id, null, day, module_id, activity_id from (${touchedBy(voidedEvents)}) as touched
    )
    select named.agent_id, coalesce(named.person_id, person_agent.person_id), day, module_id, activity_id
    from named left join person_agent on person_agent.tenant_id = ${tenantId} and person_agent.agent_id = named.agent_id`.execute(
    trx
  )
  await sql`create index on pending (person_id, day)`.execute(trx)
  await sql`create index on pending (agent_id)`.execute(trx)
}

/**
 * SQL for whether a row `pending` names the day, days or activity of a row `compared`; null of rows that are never behind.
 */
const isSame: Readonly<Record<DerivedTable, RawBuilder<boolean> | null>> = {
  learner_day: sql`pending.day = compared.day`,
  // These are kept by the days and activities that they follow from.
  learner_weeks: null,
  learner_time: null,
  learner_begun: null,
  learner_categories: sql`pending.day >= compared.begins and pending.day < compared.begins + ${sql.lit(daysOfRow)}`,
  learner_activity: sql`pending.module_id = compared.module_id and pending.activity_id = compared.activity_id`,
  learner_step: sql`pending.module_id = compared.module_id`,
  learner_attempt: sql`pending.activity_id = compared.activity_id`
}

/**
 * Compares `learner_day`, `learner_categories`, `learner_activity`, `learner_step` and `learner_attempt` with what follows
 * from the events, `learner_weeks` and `learner_time` with what follows from `learner_day`, and `learner_begun` with what follows from
 * `learner_activity`, person by person.
 */
export async function verifyRollups(trx: Transaction<Database>, snapshot: Snapshot, findings: Findings): Promise<void> {
  for (let after: number | null = 0; after !== null; ) {
    const last = await endOfRange(trx, snapshot.tenantId, after)
    for (const table of tables) {
      await compare(trx, snapshot, { ...table, range: { tenantId: snapshot.tenantId, after, last } }, findings)
    }
    after = last
  }
}

/** @returns null for the last range, which has no end: rows of persons that don't exist are found too. */
async function endOfRange(trx: Transaction<Database>, tenantId: number, after: number): Promise<number | null> {
  const { rows } = await sql<{ id: number }>`
    select id from person where tenant_id = ${tenantId} and id > ${after}
    order by id offset ${personsAtOnce - 1} limit 1`.execute(trx)
  return rows[0]?.id ?? null
}

type Comparison = (typeof tables)[number] & { readonly range: PersonRange }

interface Row {
  readonly person_id: number
  readonly key: Readonly<Record<string, string | number>>
  readonly name: string
  readonly stored: string | null
  readonly recomputed: string | null
  readonly is_pending: boolean
}

async function compare(
  trx: Transaction<Database>,
  { tenantId, asOf, rebuiltTo }: Snapshot,
  { table, key, columns, range }: Comparison,
  { onDifference, onPending }: Findings
): Promise<void> {
  const keys = sql.join(['person_id', ...key].map(column => sql.ref(column)))
  const values = columns.map(column => sql`(${sql.lit(column)}, ${sql.ref(`kept.${column}`)}::text)`)
  const isNamed = isSame[table]
  const isPending =
    isNamed === null
      ? sql`false`
      : sql`(person_id > ${rebuiltTo}::integer) is true or exists (
        select from pending where pending.person_id = compared.person_id and ${isNamed}
      )`
  const { rows } = await sql<Row>`
    with deed as materialized (${deeds(range, asOf)}),
    own_day as materialized (${ownDays(range)}),
    own_activity as materialized (${ownActivities(range)}),
    expected(${keys}, name, value) as (
      select * from (${expectedValues[table]}) as line where value is not null and value !~ '^0(\\.0*)?$'
    ),
    stored as (
      select ${keys}, name, value
      from ${sql.table(table)} as kept
      cross join lateral (values (${sql.lit(wholeRow)}, 'exists'), ${sql.join(values)}) as line(name, value)
      where kept.tenant_id = ${tenantId} and ${isInRange(sql`kept.person_id`, range)}
        and value is not null and value !~ '^(0(\\.0*)?|false|-?infinity)$'
    ),
    compared as (
      select ${keys}, name, stored.value as stored, expected.value as recomputed
      from stored full join expected using (${keys}, name)
      where stored.value is distinct from expected.value
    )
    select person_id, json_build_object(${sql.join(key.map(column => sql`${sql.lit(column)}, ${sql.ref(column)}`))}) as key,
      name, stored, recomputed,
      ${isPending} as is_pending
    from compared order by ${keys}, name`.execute(trx)
  for (const { person_id, key: rest, name: column, stored, recomputed, is_pending } of rows) {
    if (is_pending) onPending(1)
    else onDifference({ table, key: { person_id, ...rest }, column, stored, recomputed })
  }
}

/** Agents that did something, or had it done to them, and are nobody's, although the worker has nothing to do for them. */
export async function verifyPersons(
  trx: Transaction<Database>,
  { tenantId, rebuiltTo }: Snapshot,
  { onDifference, onPending }: Findings
): Promise<void> {
  const limit = 1000
  for (let after: number | null = 0; after !== null; ) {
    const { rows }: { rows: { id: number; ifi: string; is_pending: boolean }[] } = await sql<{
      id: number
      ifi: string
      is_pending: boolean
    }>`
      select agent.id, agent.ifi,
        ${rebuiltTo}::integer is not null
          or exists (select from pending where pending.agent_id = agent.id) as is_pending
      from agent
      where agent.tenant_id = ${tenantId} and agent.id > ${after}
        and not exists (select from person_agent as held where held.tenant_id = ${tenantId} and held.agent_id = agent.id)
        and (exists (select from learning_event as done where done.tenant_id = ${tenantId} and done.agent_id = agent.id)
          or exists (select from learning_event as about
            where about.tenant_id = ${tenantId} and about.subject_agent_id = agent.id))
      order by agent.id limit ${limit}`.execute(trx)
    for (const { ifi, is_pending } of rows) {
      if (is_pending) onPending(1)
      else
        onDifference({
          table: 'person_agent',
          key: { agent: ifi },
          column: wholeRow,
          stored: null,
          recomputed: 'exists'
        })
    }
    after = rows.length < limit ? null : (rows.at(-1)?.id ?? null)
  }
}
