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
  numbers: Omit<StatementNumbers, 'verb'>
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

/**
 * Writes links; those there already are left.
 *
 * @returns whether a stored statement refers to one of the `ids`.
 */
export async function insertLinks(
  trx: Transaction<Database>,
  tenantId: number,
  links: readonly Link[],
  ids: readonly string[]
): Promise<boolean> {
  const { rows } = await sql<{ is_referred_to: boolean }>`
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
      select from statement where tenant_id = ${tenantId} and refers_to = any(${ids}::uuid[])) as is_referred_to`.execute(
    trx
  )
  return rows.some(row => row.is_referred_to)
}
