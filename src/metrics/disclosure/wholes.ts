import type { Partition } from './partition.js'
import { countTraits, fewPersons, type Roll, recordsWith } from './traits-of-group.js'

/**
 * A group that can be asked for and that parts of an answer make up, but for fewer than k people: either the parts that
 * lie in it leave `rest`, or those that it touches have `excess` beside it.
 */
export interface Whole {
  /** The positions of the parts that lie in it. */
  readonly inside: readonly number[]
  /** Its persons outside those parts; null where they are k or more. */
  readonly rest: readonly number[] | null
  /** The positions of the parts that it cuts. */
  readonly cut: readonly number[]
  /** The persons of those parts who are not in it; null where they are k or more, or it reaches beyond the parts. */
  readonly excess: readonly number[] | null
}

/** What the parts of an answer could be held against. */
export interface Wholes {
  readonly wholes: readonly Whole[]
  /** Positions of parts that have too much in common to be looked into; they are to be hidden. */
  readonly unknown: readonly number[]
}

/** More traits in common, or more groups that a part may be held against, are not looked into. */
const limits = { traits: 30, groups: 1000 } as const

interface Search {
  readonly roll: Roll
  readonly partition: Partition
  readonly k: number
  /** Room for what is counted of each record, empty between uses. */
  readonly shared: Int32Array
  readonly isMember: Uint8Array
}

/**
 * Finds the groups that parts of an answer nearly make up. A group that holds a whole part asks for some of what the
 * part's people have in common; so no others need be looked at, whatever their conditions. Beyond them, every group that
 * asks for one thing more than the answer does is held against the parts that it cuts.
 *
 * @param k from how many people on a group speaks of nobody
 */
export function wholesOf(roll: Roll, partition: Partition, k: number): Wholes {
  const { length } = roll.records.rows
  const search = { roll, partition, k, shared: new Int32Array(length), isMember: new Uint8Array(length) }
  const found = new Map<string, Whole | null>()
  const unknown: number[] = []
  for (const [position, { records, persons }] of partition.parts.entries()) {
    if (persons.length < k) continue
    const { common, cutting } = traitsAround(search, records)
    if (!holdAgainst(search, common, found)) unknown.push(position)
    for (const trait of partition.parts.length > 1 ? cutting : []) {
      const name = `within ${trait}`
      if (!found.has(name)) found.set(name, weigh(search, within(search, trait)))
    }
  }
  return { wholes: [...found.values()].filter(whole => whole !== null), unknown }
}

/** The traits that all of a part have and not everyone, and those that some of it have and few may lack. */
function traitsAround({ roll, k }: Search, part: Int32Array) {
  const most = k * roll.records.mostRows
  const counts = [...countTraits(roll, part)].filter(([, count]) => count > part.length - most)
  const common = counts.filter(
    ([trait, count]) => count === part.length && recordsWith(roll, trait).length < roll.records.rows.length
  )
  return {
    common: common.map(([trait]) => trait),
    cutting: counts.filter(([, count]) => count < part.length).map(([trait]) => trait)
  }
}

/**
 * Weighs the groups that ask for some of these traits, but for all of them; false where they are too many. Such a group
 * is told by what all its people share of the traits: the intersections of what anybody shares.
 */
function holdAgainst(search: Search, common: readonly number[], found: Map<string, Whole | null>): boolean {
  if (common.length > limits.traits) return false
  const { roll, shared } = search
  const touched: number[] = []
  for (const [bit, trait] of common.entries()) {
    for (const at of recordsWith(roll, trait)) {
      if (shared[at] === 0) touched.push(at)
      shared[at] = (shared[at] as number) | (1 << bit)
    }
  }
  const groups = closedMasks(touched, search, common.length)
  for (const wanted of groups ?? []) {
    const traits = common.filter((_trait, bit) => wanted & (1 << bit)).sort((a, b) => a - b)
    const name = traits.join()
    if (!found.has(name)) found.set(name, weigh(search, membersSharing(search, traits, wanted)))
  }
  for (const at of touched) shared[at] = 0
  return groups !== null
}

function closedMasks(touched: readonly number[], { shared }: Search, traits: number): ReadonlySet<number> | null {
  const masks = new Set(touched.map(at => shared[at] as number))
  if (touched.length < shared.length) masks.add(0)
  const all = 2 ** traits - 1
  const closed = new Set([all])
  for (const mask of masks) {
    for (const other of [...closed]) closed.add(other & mask)
    if (closed.size > limits.groups) return null
  }
  closed.delete(all)
  return closed
}

function membersSharing({ roll, shared }: Search, traits: readonly number[], wanted: number): Int32Array {
  if (wanted === 0) return Int32Array.from(shared, (_, at) => at)
  const lists = traits.map(trait => recordsWith(roll, trait))
  const shortest = lists.reduce((least, list) => (list.length < least.length ? list : least))
  return shortest.filter(at => ((shared[at] as number) & wanted) === wanted)
}

/** The group that asks for one thing more than the answer does. */
function within({ roll, partition }: Search, trait: number): Int32Array {
  return recordsWith(roll, trait).filter(at => partition.partOf[at] !== -1)
}

/** Holds a group against the parts; null where it is far from any sum of them. */
function weigh({ roll, partition, k, isMember }: Search, members: Int32Array): Whole | null {
  const { parts, partOf } = partition
  const counts = new Map<number, number>()
  for (const at of members) {
    const part = partOf[at] as number
    counts.set(part, (counts.get(part) ?? 0) + 1)
    isMember[at] = 1
  }
  const isInside = (part: number) => parts[part]?.records.length === counts.get(part)
  const touched = [...counts.keys()].filter(part => part !== -1)
  const inside = touched.filter(isInside)
  const cut = touched.filter(part => !isInside(part))
  const outside = new Set(counts.has(-1) ? [...cut, -1] : cut)
  const ofRest = function* () {
    if (outside.size > 0) for (const at of members) if (outside.has(partOf[at] as number)) yield at
  }
  const ofExcess = function* () {
    for (const part of cut) for (const at of parts[part]?.records ?? []) if (isMember[at] === 0) yield at
  }
  const isCovered = cut.length > 0 && touched.length > 1 && !counts.has(-1)
  const isLarge = (part: number) => parts[part]?.persons.length === k
  const rest = inside.length === 0 ? null : fewPersons(roll, ofRest(), k)
  const excess = isCovered && cut.every(isLarge) ? fewPersons(roll, ofExcess(), k) : null
  for (const at of members) isMember[at] = 0
  return rest === null && excess === null ? null : { inside, rest, cut, excess }
}
