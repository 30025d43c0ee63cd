import { type RawBuilder, sql } from 'kysely'
import type { LearningEventTable } from '../database/schema.js'
import type { Numbers } from '../store/dictionary.js'
import type { LearningEvent } from './learning-event.js'

/** A learning event beside the stored statement that it was read from. */
export interface EventOfStatement {
  readonly statement: {
    readonly seq: number
    readonly id: string
    /** The instant of the event, UTC with microseconds at most. */
    readonly timestamp: string
  }
  readonly event: LearningEvent
}

/** The numbers of the agents and activities that events name. */
export interface EventNumbers {
  readonly agent: Numbers
  readonly activity: Numbers
}

/** The columns of `learning_event` that follow from the statement alone, but for its key and local day. */
export const eventColumns = [
  'statement_id',
  'kind',
  'agent_id',
  'subject_agent_id',
  'module_id',
  'timestamp',
  'score_scaled',
  'duration_ms',
  'success',
  'completion',
  'outcome_tags',
  'activity_id',
  'activity_type_id',
  'category_ids',
  'registration',
  'platform',
  'cohort_tag',
  'role',
  'team',
  'manager_id',
  'manager_agent_id',
  'score_ratio',
  'has_calendar_duration'
] as const satisfies readonly (keyof LearningEventTable)[]

/** The words of events that need numbers. */
export function wordsOfEvents(events: readonly (LearningEvent | null)[]) {
  const present = (words: readonly (string | null | undefined)[]) => words.filter(word => typeof word === 'string')
  return {
    agents: present(events.flatMap(event => [event?.agent, event?.subject, event?.manager])),
    activities: present(
      events.flatMap(event => [event?.module, event?.activity, event?.activityType, ...(event?.categories ?? [])])
    )
  }
}

/** A query for events as rows of `learning_event`, in one array a column; `day` is the tenant's local day. */
export function eventRows(
  tenantId: number,
  events: readonly EventOfStatement[],
  numbers: EventNumbers
): RawBuilder<unknown> {
  const column = <Value>(read: (entry: EventOfStatement) => Value) => events.map(read)
  const json = (value: readonly unknown[] | null) => (value === null ? null : JSON.stringify(value))
  // The empty string is in no dictionary.
  const agent = (word: string | null) => numbers.agent.get(word ?? '') ?? null
  const activity = (word: string | null) => numbers.activity.get(word ?? '') ?? null
  return sql`
    select tenant.id as tenant_id, seq as statement_seq, statement_id, kind, agent_id, subject_agent_id, module_id,
      "timestamp", ("timestamp" at time zone tenant.time_zone)::date as day, score_scaled, duration_ms, success,
      completion, case when tags is not null then array(select jsonb_array_elements_text(tags)) end as outcome_tags,
      activity_id, activity_type_id,
      case when categories is not null then array(select jsonb_array_elements_text(categories)::integer) end
        as category_ids,
      registration, platform, cohort_tag, role, team, manager_id, manager_agent_id, score_ratio, has_calendar_duration
    from tenant, unnest(
      ${column(({ statement }) => statement.seq)}::bigint[],
      ${column(({ statement }) => statement.id)}::uuid[],
      ${column(({ event }) => event.kind)}::learning_event_kind[],
      ${column(({ event }) => agent(event.agent))}::integer[],
      ${column(({ event }) => agent(event.subject))}::integer[],
      ${column(({ event }) => activity(event.module))}::integer[],
      ${column(({ statement }) => statement.timestamp)}::timestamptz[],
      ${column(({ event }) => event.scoreScaled)}::numeric[],
      ${column(({ event }) => event.durationMs)}::bigint[],
      ${column(({ event }) => event.success)}::boolean[],
      ${column(({ event }) => event.completion)}::boolean[],
      ${column(({ event }) => json(event.outcomeTags))}::jsonb[],
      ${column(({ event }) => activity(event.activity))}::integer[],
      ${column(({ event }) => activity(event.activityType))}::integer[],
      ${column(({ event }) => json(event.categories?.map(activity) ?? null))}::jsonb[],
      ${column(({ event }) => event.registration)}::uuid[],
      ${column(({ event }) => event.platform)}::text[],
      ${column(({ event }) => event.cohortTag)}::text[],
      ${column(({ event }) => event.role)}::text[],
      ${column(({ event }) => event.team)}::text[],
      ${column(({ event }) => event.managerId)}::text[],
      ${column(({ event }) => agent(event.manager))}::integer[],
      ${column(({ event }) => event.scoreRatio)}::numeric[],
      ${column(({ event }) => event.hasCalendarDuration)}::boolean[]
    ) as event(seq, statement_id, kind, agent_id, subject_agent_id, module_id, "timestamp", score_scaled, duration_ms,
      success, completion, tags, activity_id, activity_type_id, categories, registration, platform, cohort_tag, role,
      team, manager_id, manager_agent_id, score_ratio, has_calendar_duration)
    where tenant.id = ${tenantId}`
}
