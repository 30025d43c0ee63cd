import type { Records, TenureFlags } from './records.js'

/** Records of a moment, with what follows from tenure; null where that is left out. */
export interface Roll {
  readonly records: Records
  readonly tenure: TenureFlags | null
}

/** The records that have a trait, in their order. */
export function recordsWith({ records, tenure }: Roll, trait: number): Int32Array {
  const ofTenure = tenure?.get(trait)
  if (ofTenure !== undefined) return ofTenure.records
  const { firsts, having } = records
  return having.subarray(firsts[trait] ?? 0, firsts[trait + 1] ?? firsts[trait] ?? 0)
}

/** The records that have all of some traits, in their order. */
export function recordsWithAll(roll: Roll, traits: readonly number[]): Int32Array {
  const { length } = roll.records.rows
  if (traits.length === 0) return Int32Array.from({ length }, (_, at) => at)
  const lists = traits.map(trait => recordsWith(roll, trait)).sort((a, b) => a.length - b.length)
  const [first, ...others] = lists as [Int32Array, ...Int32Array[]]
  let found = first
  for (const list of others) {
    const isIn = new Uint8Array(length)
    for (const at of list) isIn[at] = 1
    found = found.filter(at => isIn[at] === 1)
  }
  return found
}

/** How many of some records have each trait that occurs among them. */
export function countTraits({ records, tenure }: Roll, group: Int32Array): ReadonlyMap<number, number> {
  const { starts, traits, counts } = records
  const met: number[] = []
  for (const at of group) {
    const end = starts[at + 1] as number
    for (let place = starts[at] as number; place < end; place += 1) {
      const trait = traits[place] as number
      const count = counts[trait] as number
      if (count === 0) met.push(trait)
      counts[trait] = count + 1
    }
  }
  const found = new Map(met.map(trait => [trait, counts[trait] as number]))
  for (const trait of met) counts[trait] = 0
  for (const [trait, { flags }] of tenure ?? []) {
    const count = group.reduce((sum, at) => sum + (flags[at] as number), 0)
    if (count > 0) found.set(trait, count)
  }
  return found
}

/** The persons of some records, each once, and no more than `most`. */
export function personsOf({ persons }: Records, group: Iterable<number>, most: number): readonly number[] {
  const found = new Set<number>()
  for (const at of group) {
    found.add(persons[at] as number)
    if (found.size >= most) break
  }
  return [...found]
}

/** The persons of some records; null where they are `k` or more. */
export function fewPersons({ records }: Roll, group: Iterable<number>, k: number): readonly number[] | null {
  const persons = personsOf(records, group, k)
  return persons.length < k ? persons : null
}
