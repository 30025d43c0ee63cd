import type { GivenAttributes } from '../../src/people/attributes.js'
import type { HistoryRange } from '../../src/people/history.js'
import { forAllTime, isImpossible, naiveRoster } from './naive-roster.js'

/** A deed as the test invents it: who opened something, or gave whom feedback, on which day. */
export interface Deed {
  readonly id: string
  readonly actor: number
  /** Whom feedback is about; null where something was opened. */
  readonly subject: number | null
  readonly day: string
}

/** Something that is done to persons; persons and agents by their numbers, changes by their place in the trail. */
export type Deal =
  | {
      readonly kind: 'put'
      readonly person: number
      readonly agents: readonly number[]
      readonly given: GivenAttributes
      readonly validFrom: string | null
    }
  | { readonly kind: 'history'; readonly person: number; readonly ranges: readonly HistoryRange[] }
  | { readonly kind: 'merge'; readonly into: number; readonly from: { person: number } | { agent: number } }
  | { readonly kind: 'split'; readonly person: number; readonly agents: readonly number[]; readonly into: number }
  | { readonly kind: 'undo'; readonly change: number }

type Verdict = 'done' | 'not-found' | 'people-conflict' | 'person-change-conflict' | 'invalid-body'

interface Change {
  readonly kind: 'merge' | 'split' | 'undo'
  readonly from: string
  readonly to: string
  readonly agents: readonly number[]
  isUndone: boolean
}

/** Who is whom, as a reader of the how-to would keep it on paper: no SQL, no locks, nothing of the program. */
export interface NaivePersons {
  /** Does one deal, or says why not. */
  readonly deal: (deal: Deal) => Verdict
  /** How many changes the trail has. */
  readonly changes: () => number
  /** The person who has an agent: `person-1`, or `agent 1` for a provisional one. */
  readonly ownerOf: (agent: number) => string
  /** Everybody whom the roster may know, by their numbers. */
  readonly people: () => readonly NaivePerson[]
}

/** Somebody whom the roster may know. */
export interface NaivePerson {
  readonly name: string
  readonly isKnown: boolean
  /** The person into whom they are merged. */
  readonly mergedInto: string | null
  /** What the roster says of them, in the order of the days; a merged person has a history, too. */
  readonly ranges: readonly HistoryRange[]
}

export const personName = (person: number) => `person-${person}`

export function naivePersons(): NaivePersons {
  const roster = naiveRoster()
  const known = new Set<string>()
  const owner = new Map<number, string>()
  const mergedInto = new Map<string, string>()
  const trail: Change[] = []

  const ownerOf = (agent: number) => owner.get(agent) ?? `agent ${agent}`
  const agentsOf = (person: string, all: readonly number[]) => all.filter(agent => ownerOf(agent) === person)
  const give = (agents: readonly number[], to: string) => {
    for (const agent of agents) owner.set(agent, to)
  }
  const record = (change: Omit<Change, 'isUndone'>): Verdict => {
    trail.push({ ...change, isUndone: false })
    give(change.agents, change.to)
    return 'done'
  }

  function put(person: string, { agents, given, validFrom }: Extract<Deal, { kind: 'put' }>): Verdict {
    const survivor = mergedInto.get(person) ?? person
    if (agents.some(agent => ownerOf(agent).startsWith('p') && ownerOf(agent) !== survivor)) return 'people-conflict'
    if (roster.put(person, given, validFrom) === 'invalid-body') return 'invalid-body'
    known.add(person)
    give(agents, survivor)
    return 'done'
  }

  function correct(person: string, ranges: readonly HistoryRange[]): Verdict {
    if (ranges.some(isImpossible)) return 'invalid-body'
    if (!known.has(person)) return 'not-found'
    roster.replace(person, ranges)
    return 'done'
  }

  function merge(into: string, from: string): Verdict {
    if (!known.has(into) || (from.startsWith('p') && !known.has(from))) return 'not-found'
    if (into === from || mergedInto.has(into) || mergedInto.has(from)) return 'person-change-conflict'
    if ([...mergedInto].some(([merged, survivor]) => survivor === from && merged.startsWith('p'))) {
      return 'person-change-conflict'
    }
    const verdict = record({ kind: 'merge', from, to: into, agents: agentsOf(from, everyAgent) })
    mergedInto.set(from, into)
    return verdict
  }

  function split(person: string, agents: readonly number[], into: string): Verdict {
    if (person === into) return 'person-change-conflict'
    if (!known.has(person)) return 'not-found'
    if (mergedInto.has(person) || mergedInto.has(into)) return 'person-change-conflict'
    if (agents.some(agent => ownerOf(agent) !== person)) return 'people-conflict'
    if (!known.has(into)) roster.replace(into, forAllTime)
    known.add(into)
    return record({ kind: 'split', from: person, to: into, agents })
  }

  function undo(change: Change | undefined): Verdict {
    if (change === undefined) return 'not-found'
    const { kind, from, to, agents } = change
    if (kind === 'undo' || change.isUndone || mergedInto.has(to)) return 'person-change-conflict'
    if (kind === 'split' && mergedInto.has(from)) return 'person-change-conflict'
    change.isUndone = true
    if (kind === 'merge') mergedInto.delete(from)
    return record({ kind: 'undo', from: to, to: from, agents: agents.filter(agent => ownerOf(agent) === to) })
  }

  return {
    deal: deal => {
      if (deal.kind === 'undo') return undo(trail[deal.change])
      if (deal.kind === 'merge') {
        return merge(
          personName(deal.into),
          'agent' in deal.from ? ownerOf(deal.from.agent) : personName(deal.from.person)
        )
      }
      const person = personName(deal.person)
      if (deal.kind === 'put') return put(person, deal)
      return deal.kind === 'split' ? split(person, deal.agents, personName(deal.into)) : correct(person, deal.ranges)
    },
    changes: () => trail.length,
    ownerOf,
    people: () =>
      everyPerson.map(personName).map(name => ({
        name,
        isKnown: known.has(name),
        mergedInto: mergedInto.get(name) ?? null,
        ranges: roster.rangesOf(name)
      }))
  }
}

/** The persons of the test's world. */
export const everyPerson: readonly number[] = [0, 1, 2]

/** The agents of the test's world. */
export const everyAgent: readonly number[] = [0, 1, 2, 3, 4, 5]

/** Counts every deed anew: `person day` → column → count, zeros left out. */
export function countDeeds(
  deeds: readonly Deed[],
  voided: ReadonlySet<string>,
  ownerOf: (agent: number) => string
): Record<string, Record<string, number>> {
  const days: Record<string, Record<string, number>> = {}
  const add = (agent: number, day: string, column: string) => {
    const counts = days[`${ownerOf(agent)} ${day}`] ?? {}
    counts[column] = (counts[column] ?? 0) + 1
    days[`${ownerOf(agent)} ${day}`] = counts
  }
  for (const { id, actor, subject, day } of deeds) {
    if (voided.has(id)) add(actor, day, 'voided')
    else if (subject === null) add(actor, day, 'opened')
    else {
      add(actor, day, 'peer_feedback')
      add(subject, day, 'peer_feedback_received')
    }
  }
  return days
}
