import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import type { Mentions } from '../xapi/mentions.js'
import type { PreparedStatement } from '../xapi/prepare.js'
import type { Numbers } from './dictionary.js'

/** The numbers of the verbs, activities and agents that statements name. */
export interface StatementNumbers {
  readonly verb: Numbers
  readonly activity: Numbers
  readonly agent: Numbers
  /** The count of the tenant's erasures that the numbers of agents belong to. */
  readonly erasures: number
}

/** One name that a statement is found by. */
export interface Link {
  readonly kind: 'agent' | 'activity'
  readonly wordId: number
  readonly isRelated: boolean
  readonly stored: string
  readonly seq: number
  /** The statement that has the name: this one, or one that it refers to. */
  readonly viaSeq: number
}

/** The links of a statement to what it names, or to what one that it refers to names. */
export function linksOf(
  statement: Pick<PreparedStatement, 'agents' | 'activities'> | undefined,
  place: Pick<Link, 'stored' | 'seq' | 'viaSeq'>,
  numbers: Pick<StatementNumbers, 'agent' | 'activity'>
): readonly Link[] {
  if (statement === undefined) return []
  const links = (kind: Link['kind'], words: Mentions, known: Numbers) =>
    (['direct', 'related'] as const).flatMap(reach =>
      [...words[reach]].flatMap(word => {
        const wordId = known.get(word)
        return wordId === undefined ? [] : [{ kind, wordId, isRelated: reach === 'related', ...place }]
      })
    )
  return [
    ...links('agent', statement.agents, numbers.agent),
    ...links('activity', statement.activities, numbers.activity)
  ]
}

/** What was seen when links were written. */
export interface LinkOutcome {
  /** Whether a stored statement refers to one of the `ids`. */
  readonly isReferredTo: boolean
  /** How many erasures the tenant has had. */
  readonly erasures: number
}

/** Writes links; those there already are left. */
export async function insertLinks(
  trx: Transaction<Database>,
  tenantId: number,
  links: readonly Link[],
  ids: readonly string[]
): Promise<LinkOutcome> {
  const { rows } = await sql<LinkOutcome>`
    with given as (
      select * from unnest(
        ${links.map(link => link.kind === 'agent')}::boolean[],
        ${links.map(link => link.wordId)}::integer[],
        ${links.map(link => link.isRelated)}::boolean[],
        ${links.map(link => link.stored)}::timestamptz[],
        ${links.map(link => link.seq)}::bigint[],
        ${links.map(link => link.viaSeq)}::bigint[]) as given(is_agent, word_id, is_related, stored, seq, via_seq)
    ),
    agents as (
      insert into statement_agent (tenant_id, agent_id, is_related, stored, seq, via_seq)
      select ${tenantId}::integer, word_id, is_related, stored, seq, via_seq from given where is_agent
      on conflict do nothing
    ),
    activities as (
      insert into statement_activity (tenant_id, activity_id, is_related, stored, seq, via_seq)
      select ${tenantId}::integer, word_id, is_related, stored, seq, via_seq from given where not is_agent
      on conflict do nothing
    )
    select exists (
      select from statement where tenant_id = ${tenantId} and refers_to = any(${ids}::uuid[])) as "isReferredTo", erasures
    from tenant where id = ${tenantId}`.execute(trx)
  return rows[0] ?? { isReferredTo: false, erasures: 0 }
}

/** Deletes links; those that are not there are passed over. */
export async function deleteLinks(trx: Transaction<Database>, tenantId: number, links: readonly Link[]): Promise<void> {
  const given = sql`
    select * from unnest(
      ${links.map(link => link.kind === 'agent')}::boolean[],
      ${links.map(link => link.wordId)}::integer[],
      ${links.map(link => link.isRelated)}::boolean[],
      ${links.map(link => link.stored)}::timestamptz[],
      ${links.map(link => link.seq)}::bigint[],
      ${links.map(link => link.viaSeq)}::bigint[]) as given(is_agent, word_id, is_related, stored, seq, via_seq)`
  await sql`
    with given as (${given}),
    agents as (
      delete from statement_agent as link using given
      where link.tenant_id = ${tenantId} and given.is_agent
        and (link.agent_id, link.is_related, link.stored, link.seq, link.via_seq) =
          (given.word_id, given.is_related, given.stored, given.seq, given.via_seq)
    )
    delete from statement_activity as link using given
    where link.tenant_id = ${tenantId} and not given.is_agent
      and (link.activity_id, link.is_related, link.stored, link.seq, link.via_seq) =
        (given.word_id, given.is_related, given.stored, given.seq, given.via_seq)`.execute(trx)
}
