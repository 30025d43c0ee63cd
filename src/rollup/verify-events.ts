import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { findMapping } from '../events/find-mapping.js'
import { type LearningEvent, learningEventOf } from '../events/learning-event.js'
import type { EventMapping } from '../events/mapping.js'
import type { Statement } from '../xapi/statement.js'
import { type Findings, wholeRow } from './difference.js'

/** So many statements are read at once. */
const statementsAtOnce = 500

/** A row of `learning_event` as text, agents and activities by their words, beside its statement. */
interface StoredEvent {
  readonly kind: string
  readonly agent: string | null
  readonly subject: string | null
  readonly module: string | null
  readonly activity: string | null
  readonly score_scaled: string | null
  readonly duration_ms: string | null
  readonly success: string | null
  readonly completion: string | null
  readonly outcome_tags: readonly string[] | null
  readonly activity_type: string | null
  readonly categories: readonly string[] | null
  readonly registration: string | null
  readonly platform: string | null
  readonly cohort_tag: string | null
  readonly role: string | null
  readonly team: string | null
  readonly manager_id: string | null
  readonly manager: string | null
  readonly score_ratio: string | null
  readonly has_calendar_duration: string | null
  readonly statement_id: string
  readonly timestamp: string
  readonly day: string
}

interface Row {
  readonly seq: number
  readonly id: string
  readonly timestamp: string
  readonly day: string
  readonly text: string
  readonly event: StoredEvent | null
}

const textOf = (value: string | number | boolean | null) => (value === null ? null : String(value))

/** How each column follows from the statement. */
const columns: readonly {
  readonly column: keyof StoredEvent
  readonly read: (event: LearningEvent, row: Row) => string | null
}[] = [
  { column: 'kind', read: event => event.kind },
  { column: 'agent', read: event => event.agent },
  { column: 'subject', read: event => event.subject },
  { column: 'module', read: event => event.module },
  { column: 'activity', read: event => event.activity },
  { column: 'score_scaled', read: event => textOf(event.scoreScaled) },
  { column: 'duration_ms', read: event => textOf(event.durationMs) },
  { column: 'success', read: event => textOf(event.success) },
  { column: 'completion', read: event => textOf(event.completion) },
  { column: 'outcome_tags', read: event => event.outcomeTags && JSON.stringify(event.outcomeTags) },
  { column: 'activity_type', read: event => event.activityType },
  { column: 'categories', read: event => event.categories && JSON.stringify(event.categories) },
  { column: 'registration', read: event => event.registration },
  { column: 'platform', read: event => event.platform },
  { column: 'cohort_tag', read: event => event.cohortTag },
  { column: 'role', read: event => event.role },
  { column: 'team', read: event => event.team },
  { column: 'manager_id', read: event => event.managerId },
  { column: 'manager', read: event => event.manager },
  { column: 'score_ratio', read: event => event.scoreRatio },
  { column: 'has_calendar_duration', read: event => textOf(event.hasCalendarDuration) },
  { column: 'statement_id', read: (_, row) => row.id },
  { column: 'timestamp', read: (_, row) => row.timestamp },
  { column: 'day', read: (_, row) => row.day }
]

/**
 * Compares `learning_event` with what the texts of the statements mean, in the order of arrival: a statement that
 * stands for an event has one and no other has, and each column says what the text says.
 *
 * @param isPending whether all differences are explained by events that are being derived anew.
 * @returns how many statements there are.
 */
export async function verifyEvents(
  trx: Transaction<Database>,
  { tenantId, isPending }: { readonly tenantId: number; readonly isPending: boolean },
  findings: Findings
): Promise<number> {
  const report: Findings = isPending ? { ...findings, onDifference: () => findings.onPending(1) } : findings
  const mapping = await findMapping(trx, tenantId)
  let count = 0
  for (let after = 0, isLast = false; !isLast; ) {
    const rows = await readStatements(trx, tenantId, after)
    for (const row of rows) compareEvent(row, mapping, report)
    count += rows.length
    after = rows.at(-1)?.seq ?? after
    isLast = rows.length < statementsAtOnce
  }
  await findStrayEvents(trx, tenantId, report)
  return count
}

async function readStatements(trx: Transaction<Database>, tenantId: number, after: number): Promise<readonly Row[]> {
  const { rows } = await sql<Row>`
    select statement.seq, statement.id, statement."timestamp"::text as timestamp,
      ((statement."timestamp" at time zone tenant.time_zone)::date)::text as day, statement.text,
      case when event.tenant_id is not null then json_build_object(
        'kind', event.kind, 'agent', doer.ifi, 'subject', subject.ifi, 'module', module.iri, 'activity', activity.iri,
        'score_scaled', event.score_scaled::text, 'duration_ms', event.duration_ms::text,
        'success', event.success::text, 'completion', event.completion::text, 'outcome_tags', event.outcome_tags,
        'activity_type', activity_type.iri, 'registration', event.registration, 'platform', event.platform,
        'categories', (select json_agg(category.iri order by place)
          from unnest(event.category_ids) with ordinality as listed(id, place)
          join activity as category on category.tenant_id = ${tenantId} and category.id = listed.id),
        'cohort_tag', event.cohort_tag, 'role', event.role, 'team', event.team, 'manager_id', event.manager_id,
        'manager', manager.ifi, 'score_ratio', event.score_ratio::text,
        'has_calendar_duration', event.has_calendar_duration::text,
        'statement_id', event.statement_id, 'timestamp', event."timestamp"::text, 'day', event.day::text) end as event
    from statement
    join tenant on tenant.id = statement.tenant_id
    left join learning_event as event on event.tenant_id = ${tenantId} and event.statement_seq = statement.seq
    left join agent as doer on doer.tenant_id = ${tenantId} and doer.id = event.agent_id
    left join agent as subject on subject.tenant_id = ${tenantId} and subject.id = event.subject_agent_id
    left join activity as module on module.tenant_id = ${tenantId} and module.id = event.module_id
    left join activity on activity.tenant_id = ${tenantId} and activity.id = event.activity_id
    left join activity as activity_type
      on activity_type.tenant_id = ${tenantId} and activity_type.id = event.activity_type_id
    left join agent as manager on manager.tenant_id = ${tenantId} and manager.id = event.manager_agent_id
    where statement.tenant_id = ${tenantId} and statement.seq > ${after}
    order by statement.seq limit ${statementsAtOnce}`.execute(trx)
  return rows
}

function compareEvent(row: Row, mapping: EventMapping, { onDifference }: Findings): void {
  const value = JSON.parse(row.text) as Statement
  const wanted = learningEventOf({ value }, mapping)
  const { event: stored } = row
  const table = 'learning_event'
  const key = { statement: row.id }
  if (wanted === null || stored === null) {
    if (wanted !== null) onDifference({ table, key, column: wholeRow, stored: null, recomputed: wanted.kind })
    if (stored !== null) onDifference({ table, key, column: wholeRow, stored: stored.kind, recomputed: null })
    return
  }
  for (const { column, read } of columns) {
    const is = storedText(stored, column)
    const ought = read(wanted, row)
    if (is !== ought) onDifference({ table, key, column, stored: is, recomputed: ought })
  }
}

/** As JavaScript writes it: the database keeps a score with the digits that it was given. */
function storedText(stored: StoredEvent, column: keyof StoredEvent): string | null {
  const value = stored[column]
  if (value === null || typeof value !== 'string') return value && JSON.stringify(value)
  return column === 'score_scaled' ? String(Number(value)) : value
}

async function findStrayEvents(
  trx: Transaction<Database>,
  tenantId: number,
  { onDifference }: Findings
): Promise<void> {
  const { rows } = await sql<{ statement: string; kind: string }>`
    select event.statement_id as statement, event.kind from learning_event as event
    where event.tenant_id = ${tenantId} and not exists (
      select from statement where statement.tenant_id = ${tenantId} and statement.seq = event.statement_seq)
    order by event.statement_seq`.execute(trx)
  for (const { statement, kind } of rows) {
    onDifference({ table: 'learning_event', key: { statement }, column: wholeRow, stored: kind, recomputed: null })
  }
}
