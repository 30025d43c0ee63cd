import fc from 'fast-check'
import type { Kysely } from 'kysely'
import type { Database } from '../../src/database/schema.js'
import { LrsError } from '../../src/errors.js'
import { mergePersons } from '../../src/people/merge-persons.js'
import { putPeople } from '../../src/people/put-people.js'
import { splitPerson } from '../../src/people/split-person.js'
import { undoChange } from '../../src/people/undo-change.js'
import { countMovedDays } from '../../src/rollup/count-moved-days.js'
import { enqueueMovedAgents } from '../../src/rollup/enqueue.js'
import { type Deal, everyAgent } from './naive-persons.js'

const personCount = 3

export const mboxOf = (agent: number) => `mailto:agent-${agent}@example.org`
export const ifiOf = (agent: number) => JSON.stringify(['mbox', mboxOf(agent)])

export const agent = fc.constantFrom(...everyAgent)
const person = fc.nat(personCount - 1)
const someAgents = fc.subarray([...everyAgent], { minLength: 1, maxLength: 3 })

/** What may be done to persons. */
export const deals: fc.Arbitrary<Deal> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), person, agents: someAgents }),
  fc.record({
    kind: fc.constant('merge' as const),
    into: person,
    from: fc.oneof(
      person.map(person => ({ person })),
      agent.map(agent => ({ agent }))
    )
  }),
  fc.record({ kind: fc.constant('split' as const), person, agents: someAgents, into: person }),
  fc.record({ kind: fc.constant('undo' as const), change: fc.nat(2) })
)

/**
 * Turns most deals into ones that can be done: a change to undo is counted from the newest, and agents are split from
 * the person who has the first of them.
 */
export function aim(deal: Deal, changes: number, ownerOf: (agent: number) => string): Deal {
  if (deal.kind === 'undo') return { ...deal, change: Math.max(0, changes - 1 - deal.change) }
  const [first = 0] = deal.kind === 'split' ? deal.agents : []
  const owner = /^p(\d)$/.exec(ownerOf(first))?.[1]
  if (deal.kind !== 'split' || owner === undefined || deal.agents.length === 3) return deal
  return { ...deal, person: Number(owner), agents: deal.agents.filter(agent => ownerOf(agent) === `p${owner}`) }
}

/** Does deals in a tenant, whose agents must all be known. */
export function dealer(db: Kysely<Database>, tenantId: number) {
  const context = {
    tenantId,
    today: '2024-01-01',
    changedBy: 'test',
    reason: null,
    isDryRun: false,
    onMoved: (trx, moves) => enqueueMovedAgents(trx, tenantId, moves),
    countDays: (trx, moves) => countMovedDays(trx, tenantId, moves)
  } satisfies Parameters<typeof putPeople>[2] & Parameters<typeof mergePersons>[3]
  const changeIds: number[] = []
  const change = (deal: Exclude<Deal, { kind: 'put' }>) => {
    if (deal.kind === 'undo') return undoChange(db, changeIds[deal.change] ?? 1_000_000_000, context)
    if (deal.kind === 'split') {
      const split = { personId: `p${deal.person}`, agents: deal.agents.map(ifiOf), into: `p${deal.into}` }
      return splitPerson(db, split, context)
    }
    const from = 'agent' in deal.from ? { agent: ifiOf(deal.from.agent) } : { personId: `p${deal.from.person}` }
    return mergePersons(db, `p${deal.into}`, from, context)
  }
  return {
    /** @returns what came of it: `done`, or the code of the refusal. */
    deal: async (deal: Deal): Promise<string> => {
      try {
        if (deal.kind === 'put') {
          await putPeople(db, [{ personId: `p${deal.person}`, agents: deal.agents.map(ifiOf) }], context)
        } else changeIds.push((await change(deal)).changeId ?? 0)
        return 'done'
      } catch (error) {
        if (error instanceof LrsError) return error.code
        throw error
      }
    },
    changes: () => changeIds.length
  }
}
