import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import { truncateFraction } from '../xapi/timestamp.js'
import { findNumbers } from './dictionary.js'

/** Which statements a query asks for; absent filters let everything through. */
export interface StatementFilter {
  /** Verb IRI. */
  readonly verb?: string
  /** Identifier, in the form of `ifiOf`, of the agent or identified group that is actor or object. */
  readonly agent?: string
  /** IRI of the Activity that is the object. */
  readonly activity?: string
  readonly registration?: string
  /** Stored after this instant (RFC 3339, UTC). */
  readonly since?: string
  /** Stored at or before this instant (RFC 3339, UTC). */
  readonly until?: string
}

/** A page's place in the reading order: `stored`, then the order of arrival. */
export interface Cursor {
  /** RFC 3339 in UTC, with microseconds. */
  readonly stored: string
  readonly seq: number
}

/** Which part of the answer is wanted. */
export interface PageRequest {
  readonly ascending: boolean
  /** Statements on the page at most; 1 or more. */
  readonly limit: number
  /** The last statement of the page before, or null for the first page. */
  readonly after: Cursor | null
}

/** Statements as their texts, and the cursor of the next page, null where this one is the last. */
export interface StatementPage {
  readonly texts: readonly string[]
  readonly next: Cursor | null
}

interface Row extends Cursor {
  readonly text: string
}

/**
 * Finds statements that are not voided, newest first unless `ascending`.
 *
 * Each page costs the same, wherever it lies: the cursor is a place in the index, not an offset.
 *
 * @see xAPI 1.0.3 Communication 2.1.3
 */
export async function findStatements(
  db: Kysely<Database>,
  tenantId: number,
  filter: StatementFilter,
  page: PageRequest
): Promise<StatementPage> {
  const conditions = await conditionsOf(db, tenantId, filter)
  if (conditions === null) return { texts: [], next: null }
  const order = page.ascending ? sql`order by stored, seq` : sql`order by stored desc, seq desc`
  const { after, limit } = page
  const beyond = page.ascending ? sql`>` : sql`<`
  const cursor =
    after === null ? sql`` : sql`and (stored, seq) ${beyond} (${after.stored}::timestamptz, ${after.seq}::bigint)`
  // One row more than the page holds tells whether there is another page, so that no last page comes empty.
  const branches = conditions.map(
    condition => sql`(
      select stored, seq, text from statement
      where tenant_id = ${tenantId} and ${condition} ${cursor} and ${notVoided}
      ${order} limit ${limit + 1})`
  )
  const { rows } = await sql<Row>`
    select to_char(stored at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as stored, seq, text
    from (${sql.join(branches, sql` union all `)}) as statement
    ${order} limit ${limit + 1}`.execute(db)
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const next = rows.length > limit && last !== undefined ? { stored: last.stored, seq: last.seq } : null
  return { texts: shown.map(row => row.text), next }
}

/** Finds one statement's text by its id: one that is not voided, or one that is. */
export async function findStatement(
  db: Kysely<Database>,
  tenantId: number,
  id: string,
  wanted: 'live' | 'voided'
): Promise<string | null> {
  const { rows } = await sql<{ text: string }>`
    select text from statement
    where tenant_id = ${tenantId} and id = ${id}::uuid and ${wanted === 'live' ? notVoided : sql`not ${notVoided}`}`.execute(
    db
  )
  return rows[0]?.text ?? null
}

/** A voiding statement can't itself be voided. */
const notVoided = sql`(voids is not null or not exists (
  select from statement as voiding where voiding.tenant_id = statement.tenant_id and voiding.voids = statement.id))`

/**
 * The filter as conditions, one for each index that the answer is merged from, or null where a word of the filter is
 * in no dictionary and so in no statement.
 *
 * An agent may be actor or object: two reads along two indexes, each ending in the reading order, stay as cheap as
 * one, whereas `or` would sort everything that matches.
 */
async function conditionsOf(
  db: Kysely<Database>,
  tenantId: number,
  filter: StatementFilter
): Promise<readonly RawBuilder<unknown>[] | null> {
  const numberOf = async (dictionary: 'verb' | 'activity' | 'agent', word: string | undefined) =>
    word === undefined ? undefined : ((await findNumbers(db, { tenantId, dictionary }, [word])).get(word) ?? null)
  const [verb, activity, agent] = await Promise.all([
    numberOf('verb', filter.verb),
    numberOf('activity', filter.activity),
    numberOf('agent', filter.agent)
  ])
  if (verb === null || activity === null || agent === null) return null
  const common = [
    verb === undefined ? null : sql`verb_id = ${verb}`,
    activity === undefined ? null : sql`object_activity_id = ${activity}`,
    filter.registration === undefined ? null : sql`registration = ${filter.registration}::uuid`,
    filter.since === undefined ? null : sql`stored > ${microseconds(filter.since)}::timestamptz`,
    filter.until === undefined ? null : sql`stored <= ${microseconds(filter.until)}::timestamptz`
  ].filter(condition => condition !== null)
  const all = (conditions: readonly RawBuilder<unknown>[]) => sql.join([sql`true`, ...conditions], sql` and `)
  if (agent === undefined) return [all(common)]
  return [
    all([...common, sql`actor_id = ${agent}`]),
    all([...common, sql`object_agent_id = ${agent}`, sql`actor_id is distinct from ${agent}`])
  ]
}

/** `stored` has six fraction digits: to round instead would hide a statement that was stored just before the instant. */
function microseconds(instant: string): string {
  return truncateFraction(instant, 6)
}
