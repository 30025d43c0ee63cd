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
  | { readonly kind: 'put'; readonly person: number; readonly agents: readonly number[] }
  | { readonly kind: 'merge'; readonly into: number; readonly from: { person: number } | { agent: number } }
  | { readonly kind: 'split'; readonly person: number; readonly agents: readonly number[]; readonly into: number }
  | { readonly kind: 'undo'; readonly change: number }

type Verdict = 'done' | 'not-found' | 'people-conflict' | 'person-change-conflict'

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
  /** The person who has an agent: `p1`, or `agent 1` for a provisional one. */
  readonly ownerOf: (agent: number) => string
  /** Those of the roster who are nobody else: the target population. */
  readonly learners: () => readonly string[]
}

export function naivePersons(): NaivePersons {
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

  function put(person: string, agents: readonly number[]): Verdict {
    const survivor = mergedInto.get(person) ?? person
    if (agents.some(agent => ownerOf(agent).startsWith('p') && ownerOf(agent) !== survivor)) return 'people-conflict'
    known.add(person)
    give(agents, survivor)
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
      if (deal.kind === 'put') return put(`p${deal.person}`, deal.agents)
      if (deal.kind === 'split') return split(`p${deal.person}`, deal.agents, `p${deal.into}`)
      if (deal.kind === 'undo') return undo(trail[deal.change])
      return merge(`p${deal.into}`, 'agent' in deal.from ? ownerOf(deal.from.agent) : `p${deal.from.person}`)
    },
    changes: () => trail.length,
    ownerOf,
    learners: () => [...known].filter(person => !mergedInto.has(person))
  }
}

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
