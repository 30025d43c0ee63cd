import { type RawBuilder, sql, type Transaction } from 'kysely'
import { toMicroseconds } from '../database/instant-text.js'
import type { Database } from '../database/schema.js'
import { activitiesIn, agentsIn } from '../xapi/mentions.js'
import type { Statement } from '../xapi/statement.js'
import { findNumbers } from './dictionary.js'
import { insertLinks, linksOf } from './statement-links.js'

/** Names the family of advisory locks; the second key is the tenant. */
const gate = 0x78415049

/** The keys of the advisory lock that is a tenant's gate of writers. */
export function gateLock(tenantId: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`${sql.lit(gate)}::integer, ${tenantId}`
}

/**
 * Enters the tenant's gate of writers, together with all others, or alone to store references; and stamps the
 * transaction.
 *
 * A reference and its target stored at the same time by two transactions would each miss the other. So one that
 * stores references waits until no other writes, and others wait for it.
 *
 * The stamp is taken last, after the transaction's id: `consistentThrough` looks for transactions with an id, and one
 * without must not have taken its stamp yet.
 *
 * @returns the instant of `stored`, RFC 3339 in UTC.
 */
export async function enterGate(trx: Transaction<Database>, tenantId: number, isAlone: boolean): Promise<string> {
  const lock = isAlone ? sql`pg_advisory_xact_lock` : sql`pg_advisory_xact_lock_shared`
  // PostgreSQL evaluates the columns of a select without a table from left to right.
  const { rows } = await sql<{ stored: string }>`
    select ${lock}(${gateLock(sql`${tenantId}::integer`)}), pg_current_xact_id(),
      ${toMicroseconds(sql`clock_timestamp()`)} as stored`.execute(trx)
  return rows.map(row => row.stored).join()
}

/** A statement that refers to another, directly or through others, and what the other is found by. */
interface Reference {
  readonly seq: number
  readonly stored: string
  readonly via_seq: number
  readonly text: string
}

/**
 * Gives statements that refer to others what the others are found by, as far as the new statements change that: they
 * may refer, or be referred to, over any number of steps and in circles.
 *
 * @see xAPI 1.0.3 Communication 2.1.3, Filter Conditions for StatementRefs
 */
export async function linkReferences(
  trx: Transaction<Database>,
  tenantId: number,
  newIds: readonly string[]
): Promise<void> {
  const references = await insertReferences(trx, tenantId, newIds)
  if (references.length === 0) return
  const targets = new Map(references.map(({ via_seq, text }) => [via_seq, mentionsOf(text)]))
  const words = [...targets.values()]
  // The targets are stored, so all their words have numbers.
  const numbers = {
    agent: await findNumbers(
      trx,
      { tenantId, dictionary: 'agent' },
      words.flatMap(({ agents }) => [...agents.direct, ...agents.related])
    ),
    activity: await findNumbers(
      trx,
      { tenantId, dictionary: 'activity' },
      words.flatMap(({ activities }) => [...activities.direct, ...activities.related])
    )
  }
  const links = references.flatMap(({ stored, seq, via_seq }) =>
    linksOf(targets.get(via_seq), { stored, seq, viaSeq: via_seq }, numbers)
  )
  await insertLinks(trx, tenantId, links, [])
}

function mentionsOf(text: string) {
  const statement = JSON.parse(text) as Statement
  return { agents: agentsIn(statement), activities: activitiesIn(statement) }
}

async function insertReferences(
  trx: Transaction<Database>,
  tenantId: number,
  newIds: readonly string[]
): Promise<readonly Reference[]> {
  const { rows } = await sql<Reference>`
    with recursive referrer as (
      select seq, stored, id, refers_to from statement
      where tenant_id = ${tenantId} and id = any(${newIds}::uuid[])
      union
      select statement.seq, statement.stored, statement.id, statement.refers_to
      from referrer join statement on statement.tenant_id = ${tenantId} and statement.refers_to = referrer.id
    ),
    chain as (
      select seq, stored, refers_to as target from referrer where refers_to is not null
      union
      select chain.seq, chain.stored, statement.refers_to
      from chain join statement on statement.tenant_id = ${tenantId} and statement.id = chain.target
      where statement.refers_to is not null
    ),
    made as (
      insert into statement_reference (tenant_id, seq, stored, via_seq, verb_id, authority_id, registration)
      select target.tenant_id, chain.seq, chain.stored, target.seq, target.verb_id, target.authority_id, target.registration
      from chain join statement as target on target.tenant_id = ${tenantId} and target.id = chain.target
      on conflict do nothing
      returning seq, stored, via_seq
    )
    select made.seq, made.stored, made.via_seq, statement.text
    from made join statement on statement.tenant_id = ${tenantId} and statement.seq = made.via_seq`.execute(trx)
  return rows
}
