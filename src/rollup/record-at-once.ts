import { type Kysely, type RawBuilder, sql } from 'kysely'
import { toMicroseconds } from '../database/instant-text.js'
import { parameter, prepareQuery, runTogether, withoutScans } from '../database/prepared-query.js'
import type { Database } from '../database/schema.js'
import { plainArray, textArray } from '../database/wire-array.js'
import { type EventArrays, eventArrays, eventColumns, eventQuery } from '../events/event-rows.js'
import type { LearningEvent } from '../events/learning-event.js'
import type { InsertedStatement } from '../store/insert-statements.js'
import { linksOf, type StatementNumbers } from '../store/statement-links.js'
import { gateLock } from '../store/statement-references.js'
import { openText, type PreparedStatement } from '../xapi/prepare.js'
import { truncateFraction } from '../xapi/timestamp.js'
import { dueRows, touchedBy } from './touched.js'

/** What is recorded, with all that had to be found out before. */
export interface BatchAtOnce {
  readonly tenantId: number
  /** The version of the mapping that the events were read by. */
  readonly version: number
  readonly statements: readonly PreparedStatement[]
  /** What each of the statements stands for. */
  readonly events: readonly (LearningEvent | null)[]
  readonly numbers: StatementNumbers
}

/** The row is there already, stored meanwhile; a deadlock; a serialisation failure. */
const passing = new Set(['23505', '40P01', '40001'])

/**
 * Records a batch in a transaction of one round trip, if there is nothing special about it: all of its statements are
 * new, refer to no other and are referred to by none, and nothing that they were read by has changed.
 *
 * @returns the statements as they were stored, or null when nothing was, because something is special.
 * @see docs/explanation/write-path.md
 */
export async function recordAtOnce(
  db: Kysely<Database>,
  batch: BatchAtOnce
): Promise<readonly InsertedStatement[] | null> {
  const { statements } = batch
  if (statements.length === 0 || statements.some(({ refersTo }) => refersTo !== null)) return null
  try {
    const [, , rows] = await runTogether(db, [
      { query: withoutScans(db), values: {} },
      { query: gate(db), values: { tenant: String(batch.tenantId) } },
      { query: record(db), values: valuesOf(batch) }
    ])
    const [stored, seqs] = rows?.[0] ?? []
    return typeof stored === 'string' && typeof seqs === 'string' ? insertedOf(statements, stored, seqs) : null
  } catch (error) {
    if (passing.has(String((Object(error) as { readonly code?: unknown }).code))) return null
    throw error
  }
}

function insertedOf(statements: readonly PreparedStatement[], stored: string, seqs: string) {
  const numbers = seqs.slice(1, -1).split(',').map(Number)
  return statements.map(({ id, timestamp }, index) => ({
    index,
    seq: numbers[index] ?? 0,
    id,
    timestamp: truncateFraction(timestamp ?? stored, 6)
  }))
}

function valuesOf({ tenantId, version, statements, events, numbers }: BatchAtOnce) {
  const plain = (read: (statement: PreparedStatement) => string | number | null | undefined) =>
    plainArray(statements.map(read))
  return {
    tenant: String(tenantId),
    version: String(version),
    erasures: String(numbers.erasures),
    ids: plain(({ id }) => id),
    timestamps: plain(({ timestamp }) => (timestamp === null ? null : truncateFraction(timestamp, 6))),
    verbs: plain(({ verb }) => numbers.verb.get(verb)),
    authorities: plain(({ authority }) => numbers.agent.get(authority)),
    registrations: plain(({ registration }) => registration),
    texts: textArray(statements.map(openText)),
    ...linkValues(statements, numbers),
    ...eventValues(statements, events, numbers)
  }
}

function linkValues(statements: readonly PreparedStatement[], numbers: StatementNumbers) {
  // Numbered in the batch, from 1; the database knows which `seq` that is.
  const links = statements.flatMap((statement, index) =>
    linksOf(statement, { stored: '', seq: index + 1, viaSeq: index + 1 }, numbers)
  )
  const of = (wanted: 'agent' | 'activity') => {
    const own = links.filter(({ kind }) => kind === wanted)
    return {
      [`${wanted}s`]: plainArray(own.map(({ wordId }) => wordId)),
      [`${wanted}_related`]: plainArray(own.map(({ isRelated }) => isRelated)),
      [`${wanted}_positions`]: plainArray(own.map(({ seq }) => seq))
    }
  }
  return { ...of('agent'), ...of('activity') }
}

const textColumns = ['tags', 'categories', 'platform', 'cohort_tag', 'role', 'team', 'manager_id'] as const

function eventValues(
  statements: readonly PreparedStatement[],
  events: readonly (LearningEvent | null)[],
  numbers: StatementNumbers
) {
  const meant = events.flatMap((event, index) => {
    const statement = statements[index]
    return event === null || statement === undefined ? [] : [{ event, statement, position: index + 1 }]
  })
  const arrays = eventArrays(
    meant.map(({ event }) => event),
    numbers
  )
  const isText = new Set<string>(textColumns)
  const columns = Object.entries(arrays).map(([name, values]) => [
    name,
    isText.has(name) ? textArray(values as readonly (string | null)[]) : plainArray(values)
  ])
  return {
    event_positions: plainArray(meant.map(({ position }) => position)),
    event_ids: plainArray(meant.map(({ statement }) => statement.id)),
    event_timestamps: plainArray(
      meant.map(({ statement: { timestamp } }) => (timestamp === null ? null : truncateFraction(timestamp, 6)))
    ),
    ...(Object.fromEntries(columns) as Record<keyof EventArrays, string | Buffer>)
  }
}

const tenant = sql`${parameter('tenant')}::integer`

/** Enters the gate and gives the transaction its id, before the snapshot of what follows. */
const gate = prepareQuery(
  'gate',
  () => sql`select pg_advisory_xact_lock_shared(${gateLock(tenant)}), pg_current_xact_id()`
)

/** Nothing of it is inserted unless `fit` has a row; the answer is one row, or none. */
const record = prepareQuery('record', () => {
  const ids = sql`${parameter('ids')}::uuid[]`
  const columns = sql.join(['tenant_id', 'statement_seq', 'day', ...eventColumns].map(column => sql.ref(column)))
  return sql`
    with fit as materialized (
      select clock_timestamp() as stored from tenant
      where id = ${tenant} and erasures <= ${parameter('erasures')}::integer
        and ${parameter('version')}::integer = coalesce((select max(version) from event_mapping where tenant_id = ${tenant}), 0)
        and not exists (select from statement where tenant_id = ${tenant} and id = any(${ids}))
        and not exists (select from statement where tenant_id = ${tenant} and refers_to = any(${ids}))
    ),
    stamp as materialized (
      select stored, ${toMicroseconds(sql`stored`)} as instant,
        array(
          select nextval((select pg_get_serial_sequence('statement', 'seq')::regclass))
          from generate_series(1, cardinality(${ids}))
        ) as seqs
      from fit
    ),
    inserted as (
      insert into statement (seq, tenant_id, id, stored, "timestamp", verb_id, authority_id, registration, text)
      overriding system value
      select seqs[position], ${tenant}, id, stored, coalesce("timestamp", stored), verb_id, authority_id, registration,
        text || ',"stored":"' || instant || case when "timestamp" is null then '","timestamp":"' || instant else '' end || '"}'
      from stamp, unnest(${ids}, ${parameter('timestamps')}::timestamptz[], ${parameter('verbs')}::integer[],
        ${parameter('authorities')}::integer[], ${parameter('registrations')}::uuid[], ${parameter('texts')}::text[])
        with ordinality as given(id, "timestamp", verb_id, authority_id, registration, text, position)
      order by id
    ),
    ${insertLinks('agent')},
    ${insertLinks('activity')},
    event as materialized (${eventsOfStamp()}),
    inserted_events as (insert into learning_event (${columns}) select ${columns} from event),
    touched as (${touchedBy(sql`select * from event`)}),
    due as (${dueRows}),
    queued as (
      insert into rollup_queue (tenant_id, agent_id, day, module_id, activity_id, due_at)
      select ${tenant}, agent_id, day, module_id, activity_id, coalesce(due_at, clock_timestamp()) from due
    )
    select instant, seqs from stamp`
})

function insertLinks(of: 'agent' | 'activity'): RawBuilder<unknown> {
  return sql`${sql.ref(`${of}_links`)} as (
    insert into ${sql.table(`statement_${of}`)} (tenant_id, ${sql.ref(`${of}_id`)}, is_related, stored, seq, via_seq)
    select ${tenant}, word_id, is_related, stored, seqs[position], seqs[position]
    from stamp, unnest(${parameter(`${of}s`)}::integer[], ${parameter(`${of}_related`)}::boolean[],
      ${parameter(`${of}_positions`)}::integer[]) as given(word_id, is_related, position)
  )`
}

function eventsOfStamp(): RawBuilder<unknown> {
  return eventQuery(
    tenant,
    {
      seq: parameter('event_positions'),
      id: parameter('event_ids'),
      timestamp: parameter('event_timestamps')
    },
    parameter,
    {
      from: sql`stamp, tenant`,
      seq: sql`seqs[event.seq]`,
      timestamp: sql`coalesce(event."timestamp", stored)`
    }
  )
}
