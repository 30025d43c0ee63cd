import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import type { DoomedStatement } from '../store/erase-statements.js'

/**
 * Finds the statements that name one of the agents anywhere but as their authority, at most so many, those that void
 * first: whether they keep their void depends on whether their target is named too, so it must still be there.
 */
export async function findDoomed(
  trx: Transaction<Database>,
  tenantId: number,
  agentIds: readonly number[],
  limit: number
): Promise<readonly DoomedStatement[]> {
  const agents = sql`any(${agentIds}::integer[])`
  const { rows } = await sql<DoomedStatement>`
    with named as materialized (
      select seq from statement_agent where tenant_id = ${tenantId} and agent_id = ${agents} and seq = via_seq
      union
      select statement_seq from learning_event where tenant_id = ${tenantId} and agent_id = ${agents}
      union
      select statement_seq from learning_event where tenant_id = ${tenantId} and subject_agent_id = ${agents}
    )
    select statement.seq, statement.voids is not null and not exists (
      select from statement as target join named on named.seq = target.seq
      where target.tenant_id = ${tenantId} and target.id = statement.voids) as "keepsVoid"
    from named join statement on statement.tenant_id = ${tenantId} and statement.seq = named.seq
    order by statement.voids is null, statement.seq
    limit ${limit}`.execute(trx)
  return rows
}
