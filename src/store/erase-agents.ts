import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'

/** How much went with agents. */
export interface ErasedAgents {
  readonly documents: number
  readonly names: number
  readonly agents: number
}

/**
 * Finds the pairs of an OAuth consumer and its user that one of the agents belongs to: their numbers in the dictionary
 * of agents, where they stand for authorities only.
 */
export async function findAuthorityPairs(
  trx: Transaction<Database>,
  tenantId: number,
  identifiers: readonly string[]
): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    select id from agent
    where tenant_id = ${tenantId}
      and case when ifi like '["group",%' then ifi::jsonb ?| ${identifiers}::text[] else false end`.execute(trx)
  return rows.map(({ id }) => id)
}

/** Locks agents, so that whoever holds one of them is waited for, and nobody takes one up any more. */
export async function lockAgents(trx: Transaction<Database>, tenantId: number, ids: readonly number[]): Promise<void> {
  await sql`
    select from agent where tenant_id = ${tenantId} and id = any(${ids}::integer[]) order by id for update`.execute(trx)
}

/**
 * Erases agents themselves, with their documents and names, and counts the erasure, so that nobody uses their numbers
 * again. No statement may name them any more, and no person have them.
 */
export async function eraseAgents(
  trx: Transaction<Database>,
  tenantId: number,
  ids: readonly number[]
): Promise<ErasedAgents> {
  const { rows } = await sql<ErasedAgents>`
    with documents as (
      delete from document where tenant_id = ${tenantId} and agent_id = any(${ids}::integer[]) returning 1
    ),
    names as (
      delete from agent_name where tenant_id = ${tenantId} and agent_id = any(${ids}::integer[]) returning 1
    ),
    links as (
      delete from statement_agent where tenant_id = ${tenantId} and agent_id = any(${ids}::integer[])
    ),
    agents as (
      delete from agent where tenant_id = ${tenantId} and id = any(${ids}::integer[]) returning 1
    ),
    counted as (
      update tenant set erasures = erasures + 1 where id = ${tenantId} and exists (select from agents)
    )
    select (select count(*)::integer from documents) as documents, (select count(*)::integer from names) as names,
      (select count(*)::integer from agents) as agents`.execute(trx)
  return rows[0] ?? { documents: 0, names: 0, agents: 0 }
}
