import { type RawBuilder, sql } from 'kysely'
import type { LearnerDayCounts, LearnerDayTable, LearningEventKind } from '../database/schema.js'
import { deedKinds } from '../events/deed-kinds.js'
import { isOfModule } from './of-module.js'
import { isSessionDay, sessionGap, sessionGapMinutes, sessionGapOf } from './session.js'

/** Where the counts of learner-days are taken from. */
export interface LearnerDaysRequest {
  readonly tenantId: number
  /** `rollup` reads `learner_day`, which lags by the queue; `events` counts the events anew, which is exact at once. */
  readonly source: 'rollup' | 'events'
  /** IANA zone that local days are cut in; `rollup` is right only for the tenant's own. */
  readonly timeZone: string
  /** First local day, `YYYY-MM-DD`. */
  readonly from: string
  /** The local day after the last. */
  readonly to: string
  /** The instant that decides which events still lie in the future. */
  readonly asOf: Date
  /** IRI of the only module whose events count, which only `events` can tell; null for all. */
  readonly module?: string | null
  /** The pause that ends a session, in minutes; only `events` can tell another than the usual one. */
  readonly sessionGapMinutes?: number
}

/** One row per person and local day; `person_id` is null for an agent that belongs to no person yet. */
export interface LearnerDay extends Omit<LearnerDayTable, 'person_id'> {
  person_id: number | null
}

/** How far ahead of the clock a timestamp may lie before its event waits for its time to come. */
export const futureTolerance = '5 minutes'

/** The same in milliseconds, for a bound that is reckoned once and not for each event. */
export const futureToleranceMs = 5 * 60_000

/** The column in which events of a kind are counted. */
export function columnOf(kind: LearningEventKind): keyof LearnerDayCounts {
  return kind.replace('-', '_') as keyof LearnerDayCounts
}

/** The counted columns of `learner_day`, in its order. */
export const countColumns: readonly (keyof LearnerDayCounts)[] = [
  'delivered',
  'opened',
  'completed_task',
  'repeated_session',
  'peer_feedback',
  'peer_feedback_received',
  'manager_check',
  'manager_check_received',
  'assessed',
  'completed',
  'started',
  'terminated',
  'posted',
  'replied',
  'endorsed',
  'reward_offered',
  'reward_claimed',
  'visited',
  'voided',
  'future'
]

const done = (kind: LearningEventKind) => sql`(is_live and role = 'doer' and kind = ${sql.lit(kind)})`
const received = (kind: LearningEventKind) => sql`(is_live and role = 'subject' and kind = ${sql.lit(kind)})`

/**
 * The columns beside the counts, in the table's order, each with its aggregate. Sums are exact, so that no order of
 * summing can change them; what is too long for `bigint` to come through JSON, 285,000 years, is cut.
 */
const measures: Readonly<Record<string, RawBuilder<unknown>>> = {
  duration_ms: cutSum(sql`duration_ms`, done('terminated')),
  durations: sql`count(duration_ms) filter (where ${done('terminated')})::integer`,
  calendar_durations: sql`count(*) filter (where ${done('terminated')} and has_calendar_duration)::integer`,
  score_n: sql`count(score_scaled) filter (where ${done('assessed')})::integer`,
  score_sum: sql`coalesce(sum(score_scaled) filter (where ${done('assessed')}), 0)`,
  score_sum_squares: sql`coalesce(sum(score_scaled * score_scaled) filter (where ${done('assessed')}), 0)`,
  ...sessionMeasures(sessionGap),
  first_delivered_at: firstOf(done('delivered')),
  first_opened_at: firstOf(done('opened')),
  first_completed_task_at: firstOf(done('completed-task')),
  first_peer_feedback_at: firstOf(done('peer-feedback')),
  first_peer_feedback_received_at: firstOf(received('peer-feedback')),
  first_manager_check_received_at: firstOf(received('manager-check'))
}

/** The columns that depend on the pause which ends a session. */
function sessionMeasures(gap: RawBuilder<unknown>): Readonly<Record<string, RawBuilder<unknown>>> {
  const starts = sql`is_deed and (previous_at is null or "timestamp" - previous_at > ${gap})`
  const goesOn = sql`is_deed and "timestamp" - previous_at <= ${gap}`
  return {
    session_starts: sql`count(*) filter (where ${starts})::integer`,
    active_ms: sql`coalesce(
      trunc(sum(extract(epoch from "timestamp" - previous_at) * 1000) filter (where ${goesOn})), 0)::bigint`
  }
}

/** Every column of `learner_day` but its key, in its order. */
export const dayColumns: readonly string[] = [...countColumns, ...Object.keys(measures)]

/** The sum of a column of milliseconds. */
export function cutSum(column: RawBuilder<unknown>, condition: RawBuilder<unknown>): RawBuilder<number> {
  const most = sql.lit(Number.MAX_SAFE_INTEGER)
  return sql<number>`least(coalesce(sum(${column}) filter (where ${condition}), 0), ${most})::bigint`
}

function firstOf(condition: RawBuilder<unknown>): RawBuilder<string | null> {
  return sql<string | null>`min("timestamp") filter (where ${condition})`
}

/** A query for the learner-days of a window, to stand in parentheses or behind `with … as`. */
export function learnerDays(request: LearnerDaysRequest): RawBuilder<LearnerDay> {
  const { tenantId, source, from, to } = request
  if (source === 'events') {
    const gap = sessionGapOf(request.sessionGapMinutes ?? sessionGapMinutes)
    return countedEvents(eventsOfWindow(request, gap), sql`${request.asOf.toISOString()}::timestamptz`, gap)
  }
  return sql<LearnerDay>`
    select tenant_id, person_id, day, ${sql.join(dayColumns.map(column => sql.ref(column)))}
    from learner_day
    where tenant_id = ${tenantId} and day >= ${from}::date and day < ${to}::date`
}

/**
 * Counts events by person and day.
 *
 * @param events a query for `eventColumns`, `tenant_id`, `person_id` and `lone_agent_id` (the agent that belongs to no
 * person, otherwise null); `role`, `doer` or `subject`; `stretch`, within which sessions are looked for; and
 * `is_carried`, of events that are there for the session of a later one only.
 * @param gap the pause that ends a session.
 */
export function countedEvents(
  events: RawBuilder<unknown>,
  asOf: RawBuilder<unknown>,
  gap: RawBuilder<unknown> = sessionGap
): RawBuilder<LearnerDay> {
  const counts = countColumns.map(column => sql`${countOf(column)}::integer as ${sql.ref(column)}`)
  const others = Object.entries({ ...measures, ...sessionMeasures(gap) }).map(
    ([column, measure]) => sql`${measure} as ${sql.ref(column)}`
  )
  return sql<LearnerDay>`
    select tenant_id, person_id, day, ${sql.join([...counts, ...others])}
    from (
      select *, lag("timestamp") over (
        partition by tenant_id, person_id, lone_agent_id, stretch, is_deed order by "timestamp", statement_seq
      ) as previous_at
      from (
        select *, is_live and role = 'doer' and kind in (${sql.join(deedKinds.map(kind => sql.lit(kind)))}) as is_deed
        from (
          select *, not is_voided and "timestamp" <= ${asOf} + ${futureTolerance}::interval as is_live
          from (${events}) as event
        ) as event
      ) as event
    ) as event
    where not is_carried and (role = 'doer' or kind in ('peer-feedback', 'manager-check') and is_live)
    group by tenant_id, person_id, day`
}

function countOf(column: keyof LearnerDayCounts): RawBuilder<unknown> {
  if (column === 'voided') return sql`count(*) filter (where role = 'doer' and is_voided)`
  if (column === 'future') return sql`count(*) filter (where role = 'doer' and not is_voided and not is_live)`
  const kind = column.replace('_received', '').replace('_', '-') as LearningEventKind
  return sql`count(*) filter (where ${column.endsWith('_received') ? received(kind) : done(kind)})`
}

/** Looked up and never copied, so that it does not matter which of the two statements came first. */
export const isVoided = sql`exists (
  select from statement as voiding
  where voiding.tenant_id = event.tenant_id and voiding.voids = event.statement_id and voiding.voids is not null)`

/** What `countedEvents` needs of each row of `learning_event as event`. */
export const eventColumns = sql`
  event.kind, event."timestamp", event.statement_seq, event.duration_ms, event.has_calendar_duration, event.score_scaled,
  ${isVoided} as is_voided`

/**
 * The events of a window in a zone that may not be the tenant's, and those before it whose session may reach into it.
 * `day`, which has an index, is the tenant's local day: two zones' days of one instant are at most two apart.
 */
function eventsOfWindow(
  { tenantId, timeZone, from, to, module = null }: LearnerDaysRequest,
  gap: RawBuilder<unknown>
): RawBuilder<unknown> {
  const zone = sql`${timeZone}`
  const day = sql`(event."timestamp" at time zone ${zone})::date`
  const inWindow = sql`(${day} >= ${from}::date and ${day} < ${to}::date)`
  const side = (role: 'doer' | 'subject', agent: RawBuilder<unknown>, wanted: RawBuilder<unknown>) => sql`
    select event.tenant_id, person_agent.person_id, ${day} as day, ${sql.lit(role)} as role,
      case when person_agent.person_id is null then ${agent} end as lone_agent_id,
      null::date as stretch, not ${inWindow} as is_carried, ${eventColumns}
    from learning_event as event
    left join person_agent on person_agent.tenant_id = event.tenant_id and person_agent.agent_id = ${agent}
    where event.tenant_id = ${tenantId} and ${agent} is not null
      and event.day >= ${from}::date - 4 and event.day < ${to}::date + 4
      and ${isOfModule(sql`event.module_id`, { tenantId, module })}
      and ${wanted}`
  const carried = isSessionDay(zone, laterDay => sql`${laterDay} >= ${from}::date and ${laterDay} < ${to}::date`, gap)
  return sql`
    ${side('doer', sql`event.agent_id`, sql`(${inWindow} or ${carried})`)}
    union all
    ${side('subject', sql`event.subject_agent_id`, inWindow)}`
}
