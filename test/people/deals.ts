import fc from 'fast-check'
import type { Kysely } from 'kysely'
import type { Database } from '../../src/database/schema.js'
import { LrsError } from '../../src/errors.js'
import type { GivenAttributes } from '../../src/people/attributes.js'
import { mergePersons } from '../../src/people/merge-persons.js'
import { putHistory } from '../../src/people/put-history.js'
import { putPeople } from '../../src/people/put-people.js'
import { splitPerson } from '../../src/people/split-person.js'
import { undoChange } from '../../src/people/undo-change.js'
import { countMovedDays } from '../../src/rollup/count-moved-days.js'
import { enqueueMovedAgents } from '../../src/rollup/enqueue.js'
import { type Deal, everyAgent, everyPerson, personName } from './naive-persons.js'
import { rangeOf, today } from './naive-roster.js'

export const mboxOf = (agent: number) => `mailto:agent-${agent}@example.org`
export const ifiOf = (agent: number) => JSON.stringify(['mbox', mboxOf(agent)])

export const agent = fc.constantFrom(...everyAgent)
const person = fc.constantFrom(...everyPerson)
const someAgents = fc.subarray([...everyAgent], { minLength: 1, maxLength: 3 })

/** Days on which the roster changes: about the instants of a story. */
const rosterDay = fc.constantFrom(
  ...['2024-03-09', '2024-03-10', '2024-03-11', '2024-03-30', today, '2024-04-01'],
  ...['2024-04-06', '2024-04-07', '2024-10-26', '2024-10-27', '2024-10-28']
)

/** What a record says: any part of all that can be known; null clears. Some would leave before they are hired. */
const given = fc.record(
  {
    role: fc.constantFrom('engineer', 'seller', 'lead', null),
    team: fc.constantFrom('red', 'blue', null),
    managerId: fc.constantFrom(...everyPerson.map(personName), 'ghost', null),
    region: fc.constantFrom('emea', 'apac', null),
    jobFamily: fc.constantFrom('tech', 'sales', null),
    assignmentType: fc.constantFrom('contributor', 'manager', null),
    hiredOn: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('2021-03-31', '2023-03-11', '2023-04-07', null) },
      { weight: 1, arbitrary: rosterDay }
    ),
    leftOn: fc.oneof(fc.constantFrom('2025-01-01', null), rosterDay),
    cohorts: fc.option(fc.subarray(['south', 'north', 'east'])),
    demographics: fc.constantFrom({ age: 'young' }, { age: 'old', site: 'north' }, { age: null }, null)
  },
  { requiredKeys: [] }
) as fc.Arbitrary<GivenAttributes>

/** A whole history: the calendar cut at some days; of a stretch there may be nothing known. */
const ranges = fc
  .record({
    cuts: fc.uniqueArray(rosterDay, { maxLength: 3 }),
    stretches: fc.array(fc.option(given, { freq: 4 }), { minLength: 4, maxLength: 4 })
  })
  .map(({ cuts, stretches }) => {
    const bounds = [null, ...cuts.sort(), null]
    return bounds.slice(1).flatMap((to, at) => {
      const said = stretches[at] ?? null
      return said === null && cuts.length > 0 ? [] : [rangeOf(said ?? {}, bounds[at] ?? null, to)]
    })
  })

/** A person comes into the roster, or is said to be otherwise from a day on. */
export const puts: fc.Arbitrary<Extract<Deal, { kind: 'put' }>> = fc.record({
  kind: fc.constant('put' as const),
  person,
  agents: someAgents,
  given,
  validFrom: fc.option(rosterDay, { freq: 2 })
})

/** What may be done to persons; most often merges and their undoing, for these need each other to be of any effect. */
export const deals: fc.Arbitrary<Deal> = fc.oneof(
  { weight: 2, arbitrary: puts },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('history' as const), person, ranges }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('merge' as const),
      into: person,
      from: fc.oneof(
        { weight: 3, arbitrary: person.map(person => ({ person })) },
        { weight: 1, arbitrary: agent.map(agent => ({ agent })) }
      )
    })
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('split' as const), person, agents: someAgents, into: person })
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('undo' as const), change: fc.nat(2) }) }
)

/**
 * Turns most deals into ones that can be done: a change to undo is counted from the newest, and agents are split from
 * the person who has the first of them.
 */
export function aim(deal: Deal, changes: number, ownerOf: (agent: number) => string): Deal {
  if (deal.kind === 'undo') return { ...deal, change: Math.max(0, changes - 1 - deal.change) }
  const [first = 0] = deal.kind === 'split' ? deal.agents : []
  const owner = /^person-(\d)$/.exec(ownerOf(first))?.[1]
  if (deal.kind !== 'split' || owner === undefined || deal.agents.length === 3) return deal
  return {
    ...deal,
    person: Number(owner),
    agents: deal.agents.filter(agent => ownerOf(agent) === personName(Number(owner)))
  }
}

/** Does deals in a tenant, whose agents must all be known. */
export function dealer(db: Kysely<Database>, tenantId: number) {
  const context = {
    tenantId,
    today,
    changedBy: 'test',
    reason: null,
    isDryRun: false,
    onMoved: (trx, moves) => enqueueMovedAgents(trx, tenantId, moves),
    countDays: (trx, moves) => countMovedDays(trx, tenantId, moves)
  } satisfies Parameters<typeof putPeople>[2] & Parameters<typeof mergePersons>[3]
  const changeIds: number[] = []
  const change = (deal: Extract<Deal, { kind: 'merge' | 'split' | 'undo' }>) => {
    if (deal.kind === 'undo') return undoChange(db, changeIds[deal.change] ?? 1_000_000_000, context)
    if (deal.kind === 'split') {
      const split = { personId: personName(deal.person), agents: deal.agents.map(ifiOf), into: personName(deal.into) }
      return splitPerson(db, split, context)
    }
    const from = 'agent' in deal.from ? { agent: ifiOf(deal.from.agent) } : { personId: personName(deal.from.person) }
    return mergePersons(db, personName(deal.into), from, context)
  }
  return {
    /** @returns what came of it: `done`, or the code of the refusal. */
    deal: async (deal: Deal): Promise<string> => {
      try {
        if (deal.kind === 'history') {
          await putHistory(db, { tenantId, personId: personName(deal.person) }, deal.ranges, { dryRun: false })
        } else if (deal.kind === 'put') {
          const { given, validFrom } = deal
          const record = { ...given, personId: personName(deal.person), agents: deal.agents.map(ifiOf) }
          await putPeople(db, [validFrom === null ? record : { ...record, validFrom }], context)
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
