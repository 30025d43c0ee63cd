import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import type { Numbers } from '../store/dictionary.js'
import type { InsertedStatement } from '../store/insert-statements.js'
import type { LearningEvent } from './learning-event.js'

/** A learning event beside the stored statement that it was read from. */
export interface EventOfStatement {
  readonly statement: InsertedStatement
  readonly event: LearningEvent
}

/** The numbers of the agents and activities that the events name. */
export interface EventNumbers {
  readonly agent: Numbers
  readonly activity: Numbers
}

/**
 * Writes the learning events of stored statements, each on the tenant's local day of its statement's timestamp.
 *
 * One round trip, none for an empty list.
 */
export async function insertEvents(
  trx: Transaction<Database>,
  tenantId: number,
  events: readonly EventOfStatement[],
  numbers: EventNumbers
): Promise<void> {
  if (events.length === 0) return
  const column = <Value>(read: (entry: EventOfStatement) => Value) => events.map(read)
  // The empty string is in no dictionary.
  const numberOf = (words: Numbers, word: string | null) => words.get(word ?? '') ?? null
  await sql`
    insert into learning_event (tenant_id, statement_seq, statement_id, kind, agent_id, subject_agent_id, module_id,
      "timestamp", day, score_scaled, duration_ms, success, completion, outcome_tags, activity_id)
    select tenant.id, seq, statement_id, kind, agent_id, subject_agent_id, module_id,
      "timestamp", ("timestamp" at time zone tenant.time_zone)::date, score_scaled, duration_ms, success, completion,
      case when outcome_tags is not null then array(select jsonb_array_elements_text(outcome_tags)) end, activity_id
    from tenant, unnest(
      ${column(({ statement }) => statement.seq)}::bigint[],
      ${column(({ statement }) => statement.id)}::uuid[],
      ${column(({ event }) => event.kind)}::learning_event_kind[],
      ${column(({ event }) => numberOf(numbers.agent, event.agent))}::integer[],
      ${column(({ event }) => numberOf(numbers.agent, event.subject))}::integer[],
      ${column(({ event }) => numberOf(numbers.activity, event.module))}::integer[],
      ${column(({ statement }) => statement.timestamp)}::timestamptz[],
      ${column(({ event }) => event.scoreScaled)}::numeric[],
      ${column(({ event }) => event.durationMs)}::bigint[],
      ${column(({ event }) => event.success)}::boolean[],
      ${column(({ event }) => event.completion)}::boolean[],
      ${column(({ event }) => (event.outcomeTags === null ? null : JSON.stringify(event.outcomeTags)))}::jsonb[],
      ${column(({ event }) => numberOf(numbers.activity, event.activity))}::integer[]
    ) as event(seq, statement_id, kind, agent_id, subject_agent_id, module_id, "timestamp", score_scaled, duration_ms,
      success, completion, outcome_tags, activity_id)
    where tenant.id = ${tenantId}`.execute(trx)
}
