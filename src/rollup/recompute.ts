import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { activityColumns, activityEventColumns, countedActivities } from './learner-activities.js'
import { attemptColumns, attemptEventColumns, countedAttempts, isOfAttempt } from './learner-attempts.js'
import {
  beginsOf,
  categoryColumns,
  categoryEventColumns,
  categoryRows,
  isCategorisedDeed,
  storedWithoutDays
} from './learner-categories.js'
import { countedEvents, dayColumns, eventColumns } from './learner-days.js'
import { countedSteps, isOfStep, stepColumns, stepEventColumns } from './learner-steps.js'
import { isSessionDay } from './session.js'

/** One row of `learner_day` by its key. */
export interface LearnerDayKey {
  readonly tenantId: number
  readonly personId: number
  readonly day: string
}

/** One row of `learner_activity` by its key. */
export interface LearnerActivityKey {
  readonly tenantId: number
  readonly personId: number
  readonly moduleId: number
  readonly activityId: number
}

/** What one person came to in one module: its rows of `learner_step`. */
export interface LearnerModuleKey {
  readonly tenantId: number
  readonly personId: number
  readonly moduleId: number
}

/** What one person did with one activity, in whatever module: its rows of `learner_attempt`. */
export type LearnerAttemptKey = Omit<LearnerActivityKey, 'moduleId'>

/**
 * Decided once for a statement, so that every column of a row agrees on what is in the future. It is later than
 * whatever made the row due, for that was looked up by a statement before.
 */
const now = sql`statement_timestamp()`

/**
 * Recomputes learner-days from their events, and what of `learner_categories` lies on them: late data, voids and moved
 * agents are all this one path. A row that has no event left goes, and one that stays the same is not written.
 *
 * The persons must be locked in this transaction, by a statement before this one, so that the events are read in a
 * snapshot that no other recomputation of theirs can overtake.
 *
 * @returns the tenants of which a row changed.
 */
export async function recomputeLearnerDays(
  trx: Transaction<Database>,
  keys: readonly LearnerDayKey[]
): Promise<readonly number[]> {
  if (keys.length === 0) return []
  const key = sql`
    select distinct * from unnest(
      ${keys.map(key => key.tenantId)}::integer[],
      ${keys.map(key => key.personId)}::integer[],
      ${keys.map(key => key.day)}::date[]) as key(tenant_id, person_id, day)`
  const days = await replaceRows(trx, key, {
    ...learnerDay,
    known: sql`select * from key`,
    counted: countedEvents(eventsOfDays, now)
  })
  const categories = await replaceRows(trx, key, {
    ...learnerCategories,
    known: sql`select tenant_id, person_id, ${beginsOf(sql`day`)} from key`,
    counted: categoryRows(categorisedOfDays, storedWithoutDays(sql`select * from key`))
  })
  return [...days, ...categories]
}

/** Recomputes rows of `learner_activity`, as `recomputeLearnerDays` does those of `learner_day`. */
export async function recomputeLearnerActivities(
  trx: Transaction<Database>,
  keys: readonly LearnerActivityKey[]
): Promise<readonly number[]> {
  if (keys.length === 0) return []
  const key = sql`
    select distinct * from unnest(
      ${keys.map(key => key.tenantId)}::integer[],
      ${keys.map(key => key.personId)}::integer[],
      ${keys.map(key => key.moduleId)}::integer[],
      ${keys.map(key => key.activityId)}::integer[]) as key(tenant_id, person_id, module_id, activity_id)`
  const isOfKey = sql`event.module_id = key.module_id and event.activity_id = key.activity_id`
  return replaceRows(trx, key, {
    ...learnerActivity,
    known: sql`select * from key`,
    counted: countedActivities(doneOfKeys(activityEventColumns, isOfKey))
  })
}

/** Recomputes rows of `learner_step`, all of a person and module at once, as `recomputeLearnerDays` does learner-days. */
export async function recomputeLearnerSteps(
  trx: Transaction<Database>,
  keys: readonly LearnerModuleKey[]
): Promise<readonly number[]> {
  if (keys.length === 0) return []
  const key = sql`
    select distinct * from unnest(
      ${keys.map(key => key.tenantId)}::integer[],
      ${keys.map(key => key.personId)}::integer[],
      ${keys.map(key => key.moduleId)}::integer[]) as key(tenant_id, person_id, module_id)`
  const events = doneOfKeys(stepEventColumns, sql`event.module_id = key.module_id and ${isOfStep}`)
  const known = rowsOfKeys(learnerStep, sql`known.module_id = key.module_id`)
  return replaceRows(trx, key, { ...learnerStep, known, counted: countedSteps(events) })
}

/** Recomputes rows of `learner_attempt`, all of a person and activity at once, as `recomputeLearnerDays` does learner-days. */
export async function recomputeLearnerAttempts(
  trx: Transaction<Database>,
  keys: readonly LearnerAttemptKey[]
): Promise<readonly number[]> {
  if (keys.length === 0) return []
  const key = sql`
    select distinct * from unnest(
      ${keys.map(key => key.tenantId)}::integer[],
      ${keys.map(key => key.personId)}::integer[],
      ${keys.map(key => key.activityId)}::integer[]) as key(tenant_id, person_id, activity_id)`
  const events = doneOfKeys(attemptEventColumns, sql`event.activity_id = key.activity_id and ${isOfAttempt}`)
  const known = rowsOfKeys(learnerAttempt, sql`known.activity_id = key.activity_id`)
  return replaceRows(trx, key, { ...learnerAttempt, known, counted: countedAttempts(events) })
}

/** The rows of a table that keys of persons and something else have now, each key by itself. */
function rowsOfKeys({ table, primaryKey }: DerivedRows, isOfKey: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    select event.* from key ${eachKeyAlone(sql`
      select ${namesOf('known', primaryKey)} from ${sql.table(table)} as known
      where known.tenant_id = key.tenant_id and known.person_id = key.person_id and ${isOfKey}`)}`
}

/** Recomputes all rows of persons, who must be locked as for `recomputeLearnerDays`; says whether any changed. */
export async function recomputeAllOf(
  trx: Transaction<Database>,
  tenantId: number,
  personIds: readonly number[]
): Promise<boolean> {
  if (personIds.length === 0) return false
  const key = sql`select ${tenantId}::integer as tenant_id, id as person_id from unnest(${personIds}::integer[]) as id`
  const events = (agent: RawBuilder<unknown>, columns: RawBuilder<unknown>) => sql`
    select event.tenant_id, key.person_id, ${columns}
    from key
    join person_agent on person_agent.tenant_id = key.tenant_id and person_agent.person_id = key.person_id
    join learning_event as event on event.tenant_id = key.tenant_id and ${agent} = person_agent.agent_id`
  const side = (role: 'doer' | 'subject', agent: RawBuilder<unknown>) =>
    events(
      agent,
      sql`event.day, ${sql.lit(role)} as role, null::integer as lone_agent_id, null::date as stretch,
        false as is_carried, ${eventColumns}`
    )
  const ofDays = sql`${side('doer', sql`event.agent_id`)} union all ${side('subject', sql`event.subject_agent_id`)}`
  const done = (columns: RawBuilder<unknown>, condition: RawBuilder<unknown>) =>
    sql`${events(sql`event.agent_id`, columns)} where ${condition}`
  const isOfActivity = sql`event.module_id is not null and event.activity_id is not null`
  const replaceAll = async (table: DerivedRows, counted: RawBuilder<unknown>) =>
    (await replaceRows(trx, key, { ...table, known: storedOf(table), counted })).length > 0
  const changes = [
    await replaceAll(learnerDay, countedEvents(ofDays, now)),
    await replaceAll(learnerActivity, countedActivities(done(activityEventColumns, isOfActivity))),
    await replaceAll(learnerStep, countedSteps(done(stepEventColumns, isOfStep))),
    await replaceAll(learnerAttempt, countedAttempts(done(attemptEventColumns, isOfAttempt))),
    await replaceAll(learnerCategories, categoryRows(done(categoryEventColumns, isCategorisedDeed), null))
  ]
  return changes.includes(true)
}

/** A derived table. */
interface DerivedRows {
  readonly table: string
  readonly primaryKey: readonly string[]
  readonly columns: readonly string[]
}

/** A derived table and what is to stand in it. */
interface Replacement extends DerivedRows {
  /** A query for the primary keys, in their order, of the rows that may be there; it may read `key`. */
  readonly known: RawBuilder<unknown>
  /** A query for the rows of the keys, which may read `key`. */
  readonly counted: RawBuilder<unknown>
}

const learnerDay = { table: 'learner_day', primaryKey: ['tenant_id', 'person_id', 'day'], columns: dayColumns }
const learnerActivity = {
  table: 'learner_activity',
  primaryKey: ['tenant_id', 'person_id', 'module_id', 'activity_id'],
  columns: activityColumns
}
const learnerStep = {
  table: 'learner_step',
  primaryKey: ['tenant_id', 'person_id', 'step', 'day', 'module_id'],
  columns: stepColumns
}
const learnerAttempt = {
  table: 'learner_attempt',
  primaryKey: ['tenant_id', 'person_id', 'activity_id', 'scale', 'day'],
  columns: attemptColumns
}
const learnerCategories = {
  table: 'learner_categories',
  primaryKey: ['tenant_id', 'person_id', 'begins'],
  columns: categoryColumns
}

function namesOf(table: string, columns: readonly string[]): RawBuilder<unknown> {
  return sql.join(columns.map(column => sql.ref(`${table}.${column}`)))
}

/** A query for the primary keys of the rows that are stored of the persons that `key` names. */
function storedOf({ table, primaryKey }: DerivedRows): RawBuilder<unknown> {
  return sql`select ${namesOf('known', primaryKey)} from ${sql.table(table)} as known
    where (known.tenant_id, known.person_id) in (select tenant_id, person_id from key)`
}

/**
 * Makes the rows of keys what was counted: those that are missing there go, those that differ are written. They are
 * compared bit by bit (`*<>`), for 0.5 equals 0.50.
 *
 * What is missing is told by `except`, which hashes or sorts: PostgreSQL expects a single row of `counted`, and would
 * compare each row with each to find the ones that are not in it. For 100 learners with 3,200 days that took 5 s, and
 * for busy ones more than a statement may take.
 *
 * @returns the tenants of which a row went or was written.
 */
async function replaceRows(
  trx: Transaction<Database>,
  key: RawBuilder<unknown>,
  { table, primaryKey, columns, known, counted }: Replacement
): Promise<readonly number[]> {
  const keyNames = sql.join(primaryKey.map(column => sql.ref(column)))
  const all = sql.join([...primaryKey, ...columns].map(column => sql.ref(column)))
  const { rows } = await sql<{ tenant_id: number }>`
    with key as materialized (${key}),
    counted as materialized (${counted}),
    emptied as (
      delete from ${sql.table(table)} as stored
      where (${namesOf('stored', primaryKey)}) in (${known} except select ${namesOf('counted', primaryKey)} from counted)
      returning stored.tenant_id
    ),
    written as (
      insert into ${sql.table(table)} (${all})
      select ${all} from counted
      on conflict (${keyNames}) do update
        set (${sql.join(columns.map(column => sql.ref(column)))}) = row (${namesOf('excluded', columns)})
        where (${sql.table(table)}.*) *<> (excluded.*)
      returning ${sql.ref(`${table}.tenant_id`)}
    )
    select tenant_id from emptied union select tenant_id from written`.execute(trx)
  return rows.map(({ tenant_id }) => tenant_id)
}

/**
 * Joins the events of a key, found by all columns of an index. As a plain join PostgreSQL would look them up by tenant
 * and agent alone, whatever its statistics say, and read all that a learner ever did for each of their days: the tenant
 * stands in the condition for the key and in the one for the agent, and of two such the planner takes one. `offset 0`
 * keeps the query from being made a plain join.
 */
function eachKeyAlone(events: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`cross join lateral (${events} offset 0) as event`
}

/** What the keys' persons did, of the events that a condition over `event` and `key` lets through. */
function doneOfKeys(columns: RawBuilder<unknown>, condition: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    select key.tenant_id, key.person_id, event.*
    from key
    join person_agent on person_agent.tenant_id = key.tenant_id and person_agent.person_id = key.person_id
    ${eachKeyAlone(sql`
      select ${columns} from learning_event as event
      where event.tenant_id = key.tenant_id and event.agent_id = person_agent.agent_id and ${condition}`)}`
}

const eventsOfDays = sql`
  ${eventsOf('doer', sql`event.agent_id`)} union all ${eventsOf('subject', sql`event.subject_agent_id`)}`

/** The events of the keys' days, and the doer's on the days about them that may be of the same session. */
function eventsOf(role: 'doer' | 'subject', agent: RawBuilder<unknown>) {
  const reach =
    role === 'subject'
      ? sql`event.day = key.day`
      : sql`event.day between key.day - 2 and key.day + 1
        and (event.day = key.day or ${isSessionDay(sql`tenant.time_zone`, day => sql`${day} = key.day`)})`
  return sql`
    select key.tenant_id, key.person_id, ${sql.lit(role)} as role, null::integer as lone_agent_id,
      key.day as stretch, event.*
    from key
    join tenant on tenant.id = key.tenant_id
    join person_agent on person_agent.tenant_id = key.tenant_id and person_agent.person_id = key.person_id
    ${eachKeyAlone(sql`
      select event.day, event.day <> key.day as is_carried, ${eventColumns} from learning_event as event
      where event.tenant_id = key.tenant_id and ${agent} = person_agent.agent_id and ${reach}`)}`
}

/** The categorised deeds of the keys' days. */
const categorisedOfDays = doneOfKeys(categoryEventColumns, sql`event.day = key.day and ${isCategorisedDeed}`)
