import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import type { PersonChangeKind } from '../database/schema-people.js'
import { LrsError } from '../errors.js'
import { raiseRosterVersion } from '../store/data-version.js'
import { rehearse, transact } from '../store/transact.js'
import { type MoveContext, type MovedAgent, moveAgents } from './move-agents.js'

/** What a merge, a split or the undoing of one needs besides the persons. */
export interface ChangeContext extends MoveContext {
  /** The credential's key, for the trail. */
  readonly changedBy: string
  readonly reason: string | null
  /** Whether all of it is done to see what would come of it, and taken back again. */
  readonly isDryRun: boolean
  /** Counts the learner-days that moves touch. */
  readonly countDays: (trx: Transaction<Database>, moves: readonly MovedAgent[]) => Promise<number>
}

/** What a change came to. */
export interface ChangeOutcome {
  /** The change's number in the trail; null for a dry run. */
  readonly changeId: number | null
  /** The person who had the agents; null for a provisional one. */
  readonly fromPersonId: string | null
  readonly toPersonId: string | null
  /** The agents that were moved, in the form of `ifiOf`. */
  readonly agents: readonly string[]
  /** How many days of the two persons are derived anew. */
  readonly learnerDays: number
}

/** A person who gives or gets agents. */
export interface Party {
  readonly id: number
  /** Null for a provisional person. */
  readonly personId: string | null
  /** Into whom the person is merged; null when it is not. */
  readonly mergedInto: string | null
  /** Whether persons of the roster are merged into it. */
  readonly hasMerged: boolean
}

/** Does a change in one transaction; after a dry run everything is as it was. */
export async function changePersons<Result>(
  db: Kysely<Database>,
  { tenantId, isDryRun }: ChangeContext,
  work: (trx: Transaction<Database>) => Promise<Result>
): Promise<Result> {
  if (isDryRun) return rehearse(db, work)
  return transact(db, async trx => {
    const result = await work(trx)
    await raiseRosterVersion(trx, tenantId)
    return result
  })
}

/** Finds the numbers of persons of the roster by the names that the organisation gives them. */
export async function findPersonIds(
  trx: Transaction<Database>,
  tenantId: number,
  personIds: readonly string[]
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ id: number; external_id: string }>`
    select id, external_id from person
    where tenant_id = ${tenantId} and external_id = any(${personIds}::text[])`.execute(trx)
  return new Map(rows.map(row => [row.external_id, row.id]))
}

/** Finds what is true of two persons, who must be locked: from whom, to whom. */
export async function findParties(
  trx: Transaction<Database>,
  tenantId: number,
  ids: readonly [from: number, to: number]
): Promise<readonly [from: Party, to: Party]> {
  const { rows } = await sql<Party>`
    select person.id, person.external_id as "personId", survivor.external_id as "mergedInto",
      exists (select from person as merged where merged.tenant_id = person.tenant_id
        and merged.merged_into = person.id and merged.external_id is not null) as "hasMerged"
    from person
    left join person as survivor on survivor.tenant_id = person.tenant_id and survivor.id = person.merged_into
    where person.tenant_id = ${tenantId} and person.id = any(${ids}::integer[])`.execute(trx)
  const byId = new Map(rows.map(row => [row.id, row]))
  const [from, to] = ids.map(id => byId.get(id))
  if (from === undefined || to === undefined) throw new LrsError('not-found', 'One of the persons is there no more')
  return [from, to]
}

/** Refuses a person who is merged: another has its agents. */
export function refuseMerged({ personId, mergedInto }: Party): void {
  if (mergedInto === null) return
  throw refusal(`The person ${nameOf(personId)} is merged into "${mergedInto}"`)
}

/** A change that the state of the persons forbids. */
export function refusal(message: string, pointer?: string): LrsError {
  return new LrsError('person-change-conflict', message, pointer === undefined ? {} : { pointer })
}

/** A person as messages name it. */
export function nameOf(personId: string | null): string {
  return personId === null ? 'of an agent that no roster names' : `"${personId}"`
}

/** A change that is allowed, between persons who are locked. */
export interface AllowedChange {
  readonly kind: PersonChangeKind
  readonly from: Party
  readonly to: Party
  readonly agentIds: readonly number[]
  /** The change that this one takes back. */
  readonly undoes: number | null
}

/** Moves the agents and writes the trail. */
export async function applyChange(
  trx: Transaction<Database>,
  { kind, from, to, agentIds, undoes }: AllowedChange,
  context: ChangeContext
): Promise<ChangeOutcome> {
  const { tenantId, changedBy, reason, isDryRun, countDays } = context
  const moves = agentIds.map(agentId => ({ agentId, fromPersonId: from.id, toPersonId: to.id }))
  const learnerDays = await countDays(trx, moves)
  await moveAgents(trx, context, moves)
  const { rows } = await sql<{ id: number; agents: readonly string[] }>`
    insert into person_change (tenant_id, kind, from_person_id, to_person_id, agent_ids, undoes, reason, changed_by)
    values (${tenantId}, ${kind}, ${from.id}, ${to.id}, ${agentIds}::integer[], ${undoes}, ${reason}, ${changedBy})
    returning id, array(select ifi from agent
      where agent.tenant_id = person_change.tenant_id and agent.id = any(agent_ids) order by agent.id) as agents`.execute(
    trx
  )
  const [change] = rows
  return {
    changeId: isDryRun ? null : (change?.id ?? null),
    fromPersonId: from.personId,
    toPersonId: to.personId,
    agents: change?.agents ?? [],
    learnerDays
  }
}
