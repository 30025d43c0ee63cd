import { type Kysely, type RawBuilder, sql } from 'kysely'
import { toMicroseconds } from '../database/instant-text.js'
import { executeKept } from '../database/kept-plan.js'
import type { Database } from '../database/schema.js'
import { truncateFraction } from '../xapi/timestamp.js'
import { chooseTrail } from './choose-trail.js'
import { type Dictionary, findNumbers } from './dictionary.js'
import { branchesOf, notVoided, type ResolvedFilter } from './statement-branches.js'

/** Which statements a query asks for; absent filters let everything through. */
export interface StatementFilter {
  /** Verb IRI. */
  readonly verb?: string
  /** Identifier, in the form of `ifiOf`, of an agent or identified group. */
  readonly agent?: string
  /** Whether the agent may stand in any place, or only as actor, object or member of one. */
  readonly relatedAgents?: boolean
  /** Activity IRI. */
  readonly activity?: string
  /** Whether the activity may stand in any place, or only as the object. */
  readonly relatedActivities?: boolean
  readonly registration?: string
  /** Stored after this instant (RFC 3339, UTC). */
  readonly since?: string
  /** Stored at or before this instant (RFC 3339, UTC). */
  readonly until?: string
  /** Only what this authority has stored, in the form of `authorityKey`. */
  readonly authority?: string
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

/** A statement as it is returned, and when it was stored. */
export interface FoundStatement extends Cursor {
  readonly text: string
}

/** Statements, and the cursor of the next page, null where this one is the last. */
export interface StatementPage {
  readonly statements: readonly FoundStatement[]
  readonly next: Cursor | null
}

/**
 * Finds statements that are not voided, newest first unless `ascending`. One that refers to another is found by what
 * the other is found by, too.
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
  const resolved = await resolve(db, tenantId, filter)
  if (resolved === null) return { statements: [], next: null }
  const order = page.ascending ? sql`order by stored, seq` : sql`order by stored desc, seq desc`
  // One row more than the page holds tells whether there is another page, so that no last page comes empty.
  const limit = sql`${order} limit ${page.limit + 1}`
  const range = (row: RawBuilder<unknown>) => rangeOf(row, filter, page)
  const trail = await chooseTrail(db, resolved, range)
  const branches = branchesOf(resolved, trail, range).map(branch => sql`(${branch} ${limit})`)
  const rows = await executeKept(
    db,
    sql<FoundStatement>`
    select ${toMicroseconds(sql`found.stored`)} as stored, found.seq, statement.text
    from (select stored, seq from (${sql.join(branches, sql` union `)}) as branch ${limit}) as found
    join statement on statement.tenant_id = ${tenantId} and statement.seq = found.seq
    ${page.ascending ? sql`order by found.stored, found.seq` : sql`order by found.stored desc, found.seq desc`}`
  )
  const statements = rows.slice(0, page.limit)
  const last = statements.at(-1)
  const next = rows.length > page.limit && last !== undefined ? { stored: last.stored, seq: last.seq } : null
  return { statements, next }
}

/**
 * Finds one statement by its id: one that is not voided, or one that is.
 *
 * @param authority only what this authority has stored, in the form of `authorityKey`, or null for any.
 */
export async function findStatement(
  db: Kysely<Database>,
  tenantId: number,
  id: string,
  { voided, authority }: { readonly voided: boolean; readonly authority: string | null }
): Promise<FoundStatement | null> {
  const authorityId =
    authority === null ? null : (await findNumbers(db, { tenantId, dictionary: 'agent' }, [authority])).get(authority)
  if (authorityId === undefined) return null
  const rows = await executeKept(
    db,
    sql<FoundStatement>`
    select ${toMicroseconds(sql`stored`)} as stored, seq, text
    from statement
    where tenant_id = ${tenantId} and id = ${id}::uuid and ${voided ? sql`not ${notVoided}` : notVoided}
      and (${authorityId}::integer is null or authority_id = ${authorityId}::integer)`
  )
  return rows[0] ?? null
}

/** The filter with numbers for words; null where a word is in no dictionary, and so in no statement. */
async function resolve(
  db: Kysely<Database>,
  tenantId: number,
  filter: StatementFilter
): Promise<ResolvedFilter | null> {
  const numberOf = async (dictionary: Dictionary, word: string | undefined) =>
    word === undefined ? null : (await findNumbers(db, { tenantId, dictionary }, [word])).get(word)
  const [verbId, agentId, activityId, authorityId] = await Promise.all([
    numberOf('verb', filter.verb),
    numberOf('agent', filter.agent),
    numberOf('activity', filter.activity),
    numberOf('agent', filter.authority)
  ])
  if (verbId === undefined || agentId === undefined || activityId === undefined || authorityId === undefined)
    return null
  return {
    tenantId,
    verbId,
    agentId,
    relatedAgents: filter.relatedAgents ?? false,
    activityId,
    relatedActivities: filter.relatedActivities ?? false,
    registration: filter.registration ?? null,
    authorityId
  }
}

/** Since, until and the cursor, which always ask of the statement itself and never of one that it refers to. */
function rangeOf(row: RawBuilder<unknown>, { since, until }: StatementFilter, page: PageRequest): RawBuilder<unknown> {
  const { after, ascending } = page
  const conditions = [
    since === undefined ? null : sql`${row}.stored > ${truncateFraction(since, 6)}::timestamptz`,
    until === undefined ? null : sql`${row}.stored <= ${truncateFraction(until, 6)}::timestamptz`,
    after === null
      ? null
      : sql`(${row}.stored, ${row}.seq) ${ascending ? sql`>` : sql`<`} (${after.stored}::timestamptz, ${after.seq}::bigint)`
  ].filter(condition => condition !== null)
  return sql.join([sql`true`, ...conditions], sql` and `)
}
