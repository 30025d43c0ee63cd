import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { findNumbers, type Numbers } from '../store/dictionary.js'
import { withLiveNumbers } from '../store/erasure-fence.js'
import { rehearse } from '../store/transact.js'
import { type Differences, differencesOf, noAttributes } from './attributes.js'
import type { NumberedRecord, PersonRecord } from './person-record.js'
import {
  type PutPeopleContext,
  type PutPeopleOutcome,
  refuseRepeated,
  type WrittenPeople,
  writePeople
} from './put-people.js'
import type { RosterChange } from './put-roster.js'

/** Changes that one answer shows at most; the counts are of all. */
export const mostChanges = 1000

/** What would change of one person. */
export interface PersonChange {
  readonly personId: string
  readonly change: 'created' | 'updated'
  /** First day of what changes in the history; null for all time before, or when nothing in it changes. */
  readonly validFrom: string | null
  /** The name and the attributes that differ on that day. */
  readonly attributes: Differences
  /** How many ranges that begin on that day or later would give way. */
  readonly replacedRanges: number
  /** Agents that no person has, in the form of `ifiOf`. */
  readonly agentsAdded: readonly string[]
  /** Agents that would come from provisional persons, with all that they have done. */
  readonly agentsMoved: readonly string[]
}

/** What `putPeople` would answer, and the first of the persons who would be made or changed. */
export interface PeopleRehearsal extends PutPeopleOutcome {
  readonly changes: readonly PersonChange[]
}

/**
 * Does all that `putPeople` does, tells what changed, and rolls it back.
 *
 * @throws {LrsError} what `putPeople` throws.
 */
export async function rehearsePeople(
  db: Kysely<Database>,
  records: readonly PersonRecord[],
  context: PutPeopleContext
): Promise<PeopleRehearsal> {
  refuseRepeated(records)
  if (records.length === 0) return { received: 0, created: 0, updated: 0, unchanged: 0, changes: [] }
  const { tenantId } = context
  return withLiveNumbers(db, tenantId, async () => {
    const agents = records.flatMap(record => record.agents)
    // Agents that no statement or person has named stay unnumbered: nobody can have them, so no conflict is missed.
    const agentNumbers = await findNumbers(db, { tenantId, dictionary: 'agent' }, agents)
    return rehearse(db, async trx => tell(await writePeople(trx, { records, agentNumbers }, context), agentNumbers))
  })
}

function tell({ numbered, claimed, rosterChanges }: WrittenPeople, agentNumbers: Numbers): PeopleRehearsal {
  const rosterChangeOf = new Map(rosterChanges.map(change => [change.id, change]))
  const given = new Set(claimed.given)
  const moved = new Set(claimed.held.map(agent => agent.agentId))
  const changes = numbered.flatMap(person => {
    const agents = [...new Set(person.record.agents)].map(agent => ({ agent, agentId: agentNumbers.get(agent) }))
    const change: PersonChange = {
      ...describe(person, rosterChangeOf.get(person.id)),
      agentsAdded: agents.flatMap(({ agent, agentId }) => (agentId === undefined || given.has(agentId) ? [agent] : [])),
      agentsMoved: agents.flatMap(({ agent, agentId }) => (agentId !== undefined && moved.has(agentId) ? [agent] : []))
    }
    return isChange(change, rosterChangeOf.has(person.id)) ? [change] : []
  })
  const created = numbered.filter(person => person.created).length
  return {
    received: numbered.length,
    created,
    updated: changes.length - created,
    unchanged: numbered.length - changes.length,
    changes: changes.slice(0, mostChanges)
  }
}

function describe({ record, name, created }: NumberedRecord, change: RosterChange | undefined) {
  // A person who was just made has the name already.
  const before = created ? null : name
  const isRenamed = record.name !== undefined && record.name !== before
  return {
    personId: record.personId,
    change: created ? ('created' as const) : ('updated' as const),
    validFrom: change?.validFrom ?? null,
    attributes: {
      ...(isRenamed ? { name: { from: before, to: record.name } } : {}),
      ...(change === undefined ? {} : differencesOf(change.from ?? noAttributes, change.to))
    },
    replacedRanges: change?.replacedRanges ?? 0
  }
}

function isChange({ change, attributes, agentsAdded, agentsMoved }: PersonChange, inHistory: boolean): boolean {
  const differs = Object.keys(attributes).length + agentsAdded.length + agentsMoved.length > 0
  return change === 'created' || inHistory || differs
}
