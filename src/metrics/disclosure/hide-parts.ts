import type { Partition } from './partition.js'
import type { Whole, Wholes } from './wholes.js'

/** What the parts of an answer are held against, with the parts by their values. */
export interface Held extends Wholes {
  readonly positions: ReadonlyMap<string, number>
  /** The persons of each part, up to k. */
  readonly persons: readonly (readonly number[])[]
}

/** A part of an answer as it was counted. */
export interface Counted {
  readonly key: string
  /** How many learners its numbers rest on. */
  readonly n: number
}

/** Keeps of a partition what deciding needs. */
export function held({ parts }: Partition, wholes: Wholes): Held {
  return {
    ...wholes,
    positions: new Map(parts.map(({ key }, position) => [key, position])),
    persons: parts.map(({ persons }) => persons)
  }
}

/**
 * Which parts of an answer are hidden: those of 1 to k - 1 learners, and more of them, until no sum of shown parts lies
 * in a group that can be asked for and leaves 1 to k - 1 of its people, nor holds one with 1 to k - 1 people more, nor
 * leaves a single hidden part of it. Each time it is the smallest shown part that goes, on a tie the first.
 *
 * Of k people and more it may be told that none of them counts, so such parts stay; of fewer it may not.
 *
 * @see docs/decisions/0029-groups-that-differ-by-few.md for the proof
 */
export function hideParts<One extends Counted>(
  { wholes, unknown, positions, persons }: Held,
  counted: readonly One[],
  k: number
): ReadonlySet<One> {
  const hidden = new Set<One>()
  const byPosition = new Map<number, One>()
  const isUnknown = new Set(unknown)
  for (const one of counted) {
    const position = positions.get(one.key)
    if (position === undefined) continue
    byPosition.set(position, one)
    const isSmall = (one.n > 0 && one.n < k) || (persons[position]?.length ?? 0) < k
    if (isSmall || isUnknown.has(position)) hidden.add(one)
  }
  const of = (places: readonly number[]) => places.flatMap(place => byPosition.get(place) ?? [])
  const personsOf = (one: One) => persons[positions.get(one.key) ?? -1] ?? []
  for (let before = -1; before < hidden.size; ) {
    before = hidden.size
    for (const whole of wholes) hideMore(whole, { of, personsOf, hidden, k })
  }
  return hidden
}

interface Hiding<One> {
  readonly of: (places: readonly number[]) => readonly One[]
  readonly personsOf: (one: One) => readonly number[]
  readonly hidden: Set<One>
  readonly k: number
}

function hideMore<One extends Counted>(whole: Whole, hiding: Hiding<One>): void {
  const { of, hidden } = hiding
  const isCounted = (one: One) => one.n > 0 || hidden.has(one)
  const inside = of(whole.inside).filter(isCounted)
  while (tells(whole, inside, hiding)) {
    const least = leastOf(inside.filter(one => !hidden.has(one)))
    if (least === undefined) break
    hidden.add(least)
  }
  const cut = of(whole.cut).filter(isCounted)
  const touched = [...inside, ...cut]
  const least = leastOf(touched)
  const isAllShown = touched.every(one => !hidden.has(one))
  if (least !== undefined && isAllShown && (whole.excess?.length ?? 0) > 0) hidden.add(least)
}

/** The part of the fewest learners, on a tie the first. */
function leastOf<One extends Counted>(parts: readonly One[]): One | undefined {
  return parts.reduce<One | undefined>(
    (least, one) => (least === undefined || one.n < least.n ? one : least),
    undefined
  )
}

/** Whether a whole less its shown parts tells of too few people, or of one hidden part alone. */
function tells<One extends Counted>(
  { rest }: Whole,
  inside: readonly One[],
  { personsOf, hidden, k }: Hiding<One>
): boolean {
  if (rest === null) return false
  const hiddenInside = inside.filter(one => hidden.has(one))
  const people = new Set(rest)
  for (const one of hiddenInside) {
    for (const person of personsOf(one)) people.add(person)
    if (people.size >= k) break
  }
  if (people.size > 0 && people.size < k) return true
  if (rest.length > 0 || hiddenInside.length === 0) return false
  return hiddenInside.length === 1 || hiddenInside.reduce((sum, { n }) => sum + n, 0) < k
}
