import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { findNumbers } from '../store/dictionary.js'
import { holdAgents, withLiveNumbers } from '../store/erasure-fence.js'
import { lockOwners } from './lock-persons.js'
import {
  applyChange,
  type ChangeContext,
  type ChangeOutcome,
  changePersons,
  findParties,
  findPersonIds,
  nameOf,
  type Party,
  refusal,
  refuseMerged
} from './person-change.js'

/** Who is merged: a person of the roster, or whoever has the agent (in the form of `ifiOf`). */
export type MergedPerson = { readonly personId: string } | { readonly agent: string }

/**
 * Merges a person into another: all of its agents come to the other, now and when the roster gives it new ones. It keeps
 * its roster entries, so that the merge can be undone, and is no learner of its own meanwhile.
 *
 * An agent that belongs to nobody yet, because its statements are still in the queue, becomes a provisional person first.
 *
 * Merges don't nest: a person into whom others of the roster are merged can't be merged itself, so whoever is merged
 * points at the one who has the agents.
 *
 * @throws {LrsError} `not-found` when there is no such person or agent; `person-change-conflict` when both are the same,
 * one of them is merged already, or others are merged into the one.
 */
export async function mergePersons(
  db: Kysely<Database>,
  into: string,
  merged: MergedPerson,
  context: ChangeContext
): Promise<ChangeOutcome> {
  const { tenantId } = context
  return withLiveNumbers(db, tenantId, async () => {
    const agentId = 'agent' in merged ? await findAgent(db, tenantId, merged.agent) : null
    return changePersons(db, context, async trx => {
      if (agentId !== null) await holdAgents(trx, tenantId, [agentId])
      const ids = await lockBoth(trx, tenantId, { into, merged, agentId })
      const [from, to] = await findParties(trx, tenantId, ids)
      refuseUnmergeable(from, to)
      const agentIds = await findAgentIds(trx, tenantId, from.id)
      const outcome = await applyChange(trx, { kind: 'merge', from, to, agentIds, undoes: null }, context)
      await sql`
        update person set merged_into = ${to.id} where tenant_id = ${tenantId} and id = ${from.id}`.execute(trx)
      return outcome
    })
  })
}

async function findAgent(db: Kysely<Database>, tenantId: number, agent: string): Promise<number> {
  const agentId = (await findNumbers(db, { tenantId, dictionary: 'agent' }, [agent])).get(agent)
  if (agentId !== undefined) return agentId
  throw new LrsError('not-found', `No statement and no person has the agent ${agent}`, { pointer: '/from/agent' })
}

async function lockBoth(
  trx: Transaction<Database>,
  tenantId: number,
  { into, merged, agentId }: { readonly into: string; readonly merged: MergedPerson; readonly agentId: number | null }
): Promise<readonly [from: number, to: number]> {
  const named = 'personId' in merged ? [merged.personId] : []
  const ids = await findPersonIds(trx, tenantId, [into, ...named])
  const idOf = (personId: string, pointer: string) => {
    const id = ids.get(personId)
    if (id === undefined) throw new LrsError('not-found', `There is no person "${personId}"`, { pointer })
    return id
  }
  const toId = idOf(into, '/personId')
  const fromIds = named.map(personId => idOf(personId, '/from/personId'))
  const agents = agentId === null ? [] : [{ tenantId, agentId }]
  const ownerOf = await lockOwners(
    trx,
    agents,
    [toId, ...fromIds].map(personId => ({ tenantId, personId }))
  )
  const [fromId = toId] = [...fromIds, ...agents.map(ownerOf)]
  return [fromId, toId]
}

function refuseUnmergeable(from: Party, to: Party): void {
  if (from.id === to.id) throw refusal(`Nobody can be merged into themselves: both are ${nameOf(to.personId)}`, '/from')
  refuseMerged(to)
  refuseMerged(from)
  if (from.hasMerged) {
    throw refusal(
      `Others are merged into ${nameOf(from.personId)}: undo those merges, and merge each by itself`,
      '/from'
    )
  }
}

async function findAgentIds(trx: Transaction<Database>, tenantId: number, personId: number) {
  const { rows } = await sql<{ agent_id: number }>`
    select agent_id from person_agent
    where tenant_id = ${tenantId} and person_id = ${personId} order by agent_id`.execute(trx)
  return rows.map(row => row.agent_id)
}
