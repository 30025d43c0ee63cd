import { type Kysely, type RawBuilder, sql } from 'kysely'
import { toMilliseconds } from '../database/instant-text.js'
import type { Database, LearningEventKind } from '../database/schema.js'
import { futureTolerance, isVoided } from '../rollup/learner-days.js'
import { isOfModule } from '../rollup/of-module.js'
import type { MeasureRequest, Metric, MetricOptions } from './metric.js'
import { extent, shares } from './shares.js'
import { addDays, maxDay } from './window.js'

/** A learning event that a numerator rests on. */
export interface EvidenceEvent {
  /** The id of the statement, which `GET /xapi/statements` gives. */
  readonly statementId: string
  /** The learner in whose numerator it is. */
  readonly personId: string
  readonly kind: LearningEventKind
  /** ISO instant at which it happened. */
  readonly timestamp: string
  /** Local day of the query's zone. */
  readonly day: string
  /** IRI of the module, where the statement names one. */
  readonly module: string | null
}

/** Where a page of evidence begins: behind this event. */
export interface EvidencePlace {
  /** The timestamp, with every digit that PostgreSQL keeps. */
  readonly timestamp: string
  readonly seq: number
}

/** A page of evidence. */
export interface EvidencePage {
  readonly events: readonly EvidenceEvent[]
  /** Where the next page begins; null after the last. */
  readonly next: EvidencePlace | null
}

interface Row extends EvidenceEvent {
  readonly exact: string
  readonly seq: number
}

/**
 * Finds the learning events behind a metric's numerator: of the kinds that the metric counts, of the learners of P who
 * add to the numerator, on the days that count for them, with the days after the period that the metric waits for. In
 * the order in which they happened.
 *
 * The events themselves are read, also where the metric is counted from rollups; with work still queued the two may
 * differ for about a second.
 *
 * @param page where it begins, null for the first, and how many events it has.
 */
export async function findEvidence<Options extends MetricOptions>(
  db: Kysely<Database>,
  metric: Metric<Options>,
  request: MeasureRequest<Options>,
  page: { readonly after: EvidencePlace | null; readonly limit: number }
): Promise<EvidencePage> {
  const { after, limit } = page
  const { from, to } = extent(request, metric.counting(request))
  const first = after === null ? from : maxDay(from, addDays(after.timestamp.slice(0, 10), -1))
  for (const days of reaches) {
    const before = addDays(first, days)
    if (before >= to) break
    const rows = await readRows(db, { metric, request, page, first, to, before })
    if (rows.length > limit) return toPage(rows, limit)
  }
  return toPage(await readRows(db, { metric, request, page, first, to, before: null }), limit)
}

/**
 * How many days are looked through for a page, before all that are left are: a page of many learners is full with the
 * events of a day, and to read and sort those of the whole window for each page took most of a second.
 */
const reaches = [2, 16] as const

interface Reading<Options extends MetricOptions> {
  readonly metric: Metric<Options>
  readonly request: MeasureRequest<Options>
  readonly page: { readonly after: EvidencePlace | null; readonly limit: number }
  /** No event of the page is of an earlier local day. */
  readonly first: string
  /** The local day after the last that counts. */
  readonly to: string
  /** Only events from before this day of UTC; all when null. */
  readonly before: string | null
}

/** Reads the events of a page, and the one behind them. */
async function readRows<Options extends MetricOptions>(
  db: Kysely<Database>,
  reading: Reading<Options>
): Promise<readonly Row[]> {
  const { metric, request, page } = reading
  const counting = metric.counting(request)
  const { rows } = await sql<Row>`
    with recursive ${shares(request, counting)},
    contributor as (select distinct person_id from share where ${adds(metric)}),
    event as (${eventsOf(reading)}),
    page as (
      select * from event where ${counts(request)} and ${isBehind(page.after)}
      order by event."timestamp", event.statement_seq
      limit ${page.limit + 1}
    )
    select page.statement_id as "statementId", person.external_id as "personId", page.kind,
      ${toMilliseconds(sql`page."timestamp"`)} as "timestamp", page.day::text as day, module.iri as module,
      page."timestamp"::text as exact, page.statement_seq as seq
    from page
    join person on person.tenant_id = ${request.tenantId} and person.id = page.person_id
    left join activity as module on module.tenant_id = ${request.tenantId} and module.id = page.module_id
    order by page."timestamp", page.statement_seq`.execute(db)
  return rows
}

function toPage(rows: readonly Row[], limit: number): EvidencePage {
  const events = rows.slice(0, limit)
  const last = rows.length > limit ? events.at(-1) : undefined
  return {
    events: events.map(({ exact: _exact, seq: _seq, ...event }) => event),
    next: last === undefined ? null : { timestamp: last.exact, seq: last.seq }
  }
}

/** Whether an event is from before a day of UTC; its stored day is of a zone at most a day away. */
function isBefore(day: string | null): RawBuilder<boolean> {
  if (day === null) return sql<boolean>`true`
  return sql<boolean>`(event.day < ${day}::date + 2 and event."timestamp" < ${day}::date at time zone 'UTC')`
}

/** Whether a learner adds to the numerator; of a ratio also by nothing, as with a score of 0, or by less. */
function adds({ calculation }: Pick<Metric, 'calculation'>): RawBuilder<boolean> {
  return calculation === 'ratio' ? sql<boolean>`y <> 0` : sql<boolean>`x > 0`
}

/** The contributors' live events of the kinds, each with its local day in the query's zone. */
function eventsOf<Options extends MetricOptions>({
  metric,
  request,
  first,
  to,
  before
}: Reading<Options>): RawBuilder<unknown> {
  const { tenantId, timeZone, asOf, module } = request
  const { kinds, side } = metric.evidence(request.options)
  const agent = side === 'doer' ? sql`event.agent_id` : sql`event.subject_agent_id`
  const day = sql`(event."timestamp" at time zone ${timeZone})::date`
  // The stored day is of the tenant's zone: two zones' days of one instant are at most two apart.
  return sql`
    select event.statement_id, event.statement_seq, event.kind, event."timestamp", event.module_id, ${day} as day,
      contributor.person_id
    from contributor
    join person_agent on person_agent.tenant_id = ${tenantId} and person_agent.person_id = contributor.person_id
    join learning_event as event on event.tenant_id = ${tenantId} and ${agent} = person_agent.agent_id
      and event.day >= ${first}::date - 2 and event.day < ${to}::date + 2
    where event.kind = any(${kinds}::learning_event_kind[]) and ${day} >= ${first}::date and ${day} < ${to}::date
      and ${isBefore(before)}
      and event."timestamp" <= ${asOf.toISOString()}::timestamptz + ${futureTolerance}::interval
      and not ${isVoided}
      and ${isOfModule(sql`event.module_id`, { tenantId, module })}`
}

/** With `at_event` a deed counts on the days on which its doer belongs to P, and after the period on any. */
function counts({ membership, periods }: Pick<MeasureRequest, 'membership' | 'periods'>): RawBuilder<boolean> {
  if (membership !== 'at_event') return sql<boolean>`true`
  return sql<boolean>`(event.day >= ${periods[0]?.to}::date or exists (
    select from member where member.person_id = event.person_id and event.day >= member.since and event.day < member.until))`
}

function isBehind(after: EvidencePlace | null): RawBuilder<boolean> {
  if (after === null) return sql<boolean>`true`
  return sql<boolean>`(event."timestamp", event.statement_seq) > (${after.timestamp}::timestamptz, ${after.seq}::bigint)`
}
