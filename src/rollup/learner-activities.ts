import { type RawBuilder, sql } from 'kysely'
import type { LearningEventKind } from '../database/schema.js'
import { columnOf, cutSum, futureTolerance, isVoided } from './learner-days.js'

const counted = ['delivered', 'opened', 'started', 'completed-task', 'completed'] as const
const isKind = (kind: LearningEventKind) => sql`kind = ${sql.lit(kind)}`
const isScore = sql`${isKind('assessed')} and score_scaled is not null`
const hasTags = sql`outcome_tags is not null`
const inTime = sql`"timestamp", statement_seq`
const backInTime = sql`"timestamp" desc, statement_seq desc`

/** Equal scores may be written with more digits or fewer, so that even the best one needs an order. */
const bestFirst = sql`score_scaled desc, ${inTime}`

/** Every column of `learner_activity` but its key, in its order, each with its aggregate over live events. */
const aggregates: Readonly<Record<string, RawBuilder<unknown>>> = {
  ...Object.fromEntries(counted.map(kind => [columnOf(kind), sql`count(*) filter (where ${isKind(kind)})::integer`])),
  ...Object.fromEntries(
    counted.map(kind => [`first_${columnOf(kind)}_at`, sql`min("timestamp") filter (where ${isKind(kind)})`])
  ),
  attempts: sql`count(*) filter (where ${isKind('assessed')})::integer`,
  first_score: firstBy(sql`score_scaled`, inTime, isScore),
  first_score_at: sql`min("timestamp") filter (where ${isScore})`,
  best_score: firstBy(sql`score_scaled`, bestFirst, isScore),
  last_score: firstBy(sql`score_scaled`, backInTime, isScore),
  last_score_at: sql`max("timestamp") filter (where ${isScore})`,
  duration_ms: cutSum(sql`duration_ms`, isKind('terminated')),
  // Lists of different lengths make no array of arrays.
  outcome_tags: sql`case when bool_or(${hasTags}) then
    array(select jsonb_array_elements_text(${firstBy(sql`to_jsonb(outcome_tags)`, backInTime, hasTags)})) end`,
  outcome_tags_at: sql`max("timestamp") filter (where ${hasTags})`,
  first_at: sql`min("timestamp")`,
  last_at: sql`max("timestamp")`
}

/** Every column of `learner_activity` but its key, in its order. */
export const activityColumns: readonly string[] = Object.keys(aggregates)

function firstBy(value: RawBuilder<unknown>, order: RawBuilder<unknown>, condition: RawBuilder<unknown>) {
  return sql`(array_agg(${value} order by ${order}) filter (where ${condition}))[1]`
}

/**
 * Counts what persons did with activities.
 *
 * @param events a query for `tenant_id`, `person_id` and the columns of `learning_event as event`; only what the person
 * did, not what others did about them.
 */
export function countedActivities(events: RawBuilder<unknown>): RawBuilder<unknown> {
  const columns = Object.entries(aggregates).map(([column, value]) => sql`${value} as ${sql.ref(column)}`)
  return sql`
    select tenant_id, person_id, module_id, activity_id, ${sql.join(columns)}
    from (${events}) as event
    where not is_voided and "timestamp" <= statement_timestamp() + ${futureTolerance}::interval
    group by tenant_id, person_id, module_id, activity_id`
}

/** What `countedActivities` needs of each row of `learning_event as event`. */
export const activityEventColumns = sql`
  event.module_id, event.activity_id, event.kind, event."timestamp", event.statement_seq, event.score_scaled,
  event.duration_ms, event.outcome_tags, ${isVoided} as is_voided`
