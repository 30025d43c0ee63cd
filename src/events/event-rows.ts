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

/** The arrays that events are handed to PostgreSQL in, a column each. */
export type EventArrays = ReturnType<typeof eventArrays>

/** Events as one array a column, in the order of the events; `statement` need not be known. */
export function eventArrays(events: readonly LearningEvent[], numbers: EventNumbers) {
  const column = <Value>(read: (event: LearningEvent) => Value) => events.map(read)
  const json = (value: readonly unknown[] | null) => (value === null ? null : JSON.stringify(value))
  // The empty string is in no dictionary.
  const agent = (word: string | null) => numbers.agent.get(word ?? '') ?? null
  const activity = (word: string | null) => numbers.activity.get(word ?? '') ?? null
  return {
    kind: column(event => event.kind),
    agent_id: column(event => agent(event.agent)),
    subject_agent_id: column(event => agent(event.subject)),
    module_id: column(event => activity(event.module)),
    score_scaled: column(event => event.scoreScaled),
    duration_ms: column(event => event.durationMs),
    success: column(event => event.success),
    completion: column(event => event.completion),
    tags: column(event => json(event.outcomeTags)),
    activity_id: column(event => activity(event.activity)),
    activity_type_id: column(event => activity(event.activityType)),
    categories: column(event => json(event.categories?.map(activity) ?? null)),
    registration: column(event => event.registration),
    platform: column(event => event.platform),
    cohort_tag: column(event => event.cohortTag),
    role: column(event => event.role),
    team: column(event => event.team),
    manager_id: column(event => event.managerId),
    manager_agent_id: column(event => agent(event.manager)),
    score_ratio: column(event => event.scoreRatio),
    has_calendar_duration: column(event => event.hasCalendarDuration)
  }
}

/** Where the statements of events come from, as SQL. */
export interface StatementsOfEvents {
  /** Arrays of the same length as those of the events: what `seq` is read from, ids, and instants. */
  readonly seq: RawBuilder<unknown>
  readonly id: RawBuilder<unknown>
  readonly timestamp: RawBuilder<unknown>
}

/** What of a row follows from its statement, where it is more than the value given. */
interface Read {
  readonly from: RawBuilder<unknown>
  readonly seq: RawBuilder<unknown>
  readonly timestamp: RawBuilder<unknown>
}

const asGiven: Read = { from: sql`tenant`, seq: sql`event.seq`, timestamp: sql`event."timestamp"` }

/**
 * A query for events as rows of `learning_event`; `day` is the tenant's local day.
 *
 * @param array gives the array of a column, or what stands for it.
 */
export function eventQuery(
  tenantId: RawBuilder<unknown>,
  statements: StatementsOfEvents,
  array: (column: keyof EventArrays) => unknown,
  read: Read = asGiven
): RawBuilder<unknown> {
  return sql`
    select tenant.id as tenant_id, ${read.seq} as statement_seq, statement_id, kind, agent_id, subject_agent_id, module_id,
      ${read.timestamp} as "timestamp", (${read.timestamp} at time zone tenant.time_zone)::date as day, score_scaled,
      duration_ms, success, completion,
      case when tags is not null then array(select jsonb_array_elements_text(tags::jsonb)) end as outcome_tags,
      activity_id, activity_type_id,
      case when categories is not null then array(select jsonb_array_elements_text(categories::jsonb)::integer) end
        as category_ids,
      registration, platform, cohort_tag, role, team, manager_id, manager_agent_id, score_ratio, has_calendar_duration
    from ${read.from}, unnest(
      ${statements.seq}::bigint[],
      ${statements.id}::uuid[],
      ${statements.timestamp}::timestamptz[],
      ${array('kind')}::learning_event_kind[],
      ${array('agent_id')}::integer[],
      ${array('subject_agent_id')}::integer[],
      ${array('module_id')}::integer[],
      ${array('score_scaled')}::numeric[],
      ${array('duration_ms')}::bigint[],
      ${array('success')}::boolean[],
      ${array('completion')}::boolean[],
      ${array('tags')}::text[],
      ${array('activity_id')}::integer[],
      ${array('activity_type_id')}::integer[],
      ${array('categories')}::text[],
      ${array('registration')}::uuid[],
      ${array('platform')}::text[],
      ${array('cohort_tag')}::text[],
      ${array('role')}::text[],
      ${array('team')}::text[],
      ${array('manager_id')}::text[],
      ${array('manager_agent_id')}::integer[],
      ${array('score_ratio')}::numeric[],
      ${array('has_calendar_duration')}::boolean[]
    ) as event(seq, statement_id, "timestamp", kind, agent_id, subject_agent_id, module_id, score_scaled, duration_ms,
      success, completion, tags, activity_id, activity_type_id, categories, registration, platform, cohort_tag, role,
      team, manager_id, manager_agent_id, score_ratio, has_calendar_duration)
    where tenant.id = ${tenantId}::integer`
}

/** The same for events whose statements are stored. */
export function eventRows(
  tenantId: number,
  events: readonly EventOfStatement[],
  numbers: EventNumbers
): RawBuilder<unknown> {
  const arrays = eventArrays(
    events.map(({ event }) => event),
    numbers
  )
  const statements = {
    seq: sql`${events.map(({ statement }) => statement.seq)}`,
    id: sql`${events.map(({ statement }) => statement.id)}`,
    timestamp: sql`${events.map(({ statement }) => statement.timestamp)}`
  }
  return eventQuery(sql`${tenantId}`, statements, column => arrays[column])
}
