import { type Attribute, plainAttributes } from './roster.js'
import { personsOf, type Roll, recordsWithAll } from './traits-of-group.js'

/** The people who are asked for, and what they are told apart by. */
export interface Asked {
  /** The traits that all of them have; null where one of them is nobody's. */
  readonly traits: readonly number[] | null
  readonly breakdown: readonly Attribute[]
  /** The only cohort by which they are told apart, as a trait; null for all. */
  readonly only: number | null
}

/** A group of those who are asked for, with one combination of the values of the breakdown. */
export interface Part {
  /** The values, as `keyOf` writes them. */
  readonly key: string
  /** The traits that stand for the values, in the order of the breakdown. */
  readonly values: readonly number[]
  readonly records: Int32Array
  /** Its persons, up to k of them: if there are k, they are k or more. */
  readonly persons: readonly number[]
}

/** Those who are asked for, in parts. */
export interface Partition {
  readonly parts: readonly Part[]
  /** The part of each record, -1 for those who are not asked for. */
  readonly partOf: Int32Array
  /** Whether a record belongs to several parts, as it may where people are told apart by cohorts. */
  readonly isOverlapping: boolean
}

/** Writes the values of a breakdown as a text. */
export function keyOf(values: readonly (string | null)[]): string {
  return JSON.stringify(values)
}

/** Parts those who are asked for. */
export function partitionOf(roll: Roll, { traits, breakdown, only }: Asked, k: number): Partition {
  const { records } = roll
  const { length } = records.roster.numbers.traits
  const partOf = new Int32Array(records.rows.length).fill(-1)
  const members = traits === null ? new Int32Array(0) : recordsWithAll(roll, traits)
  const [one = () => [0], other = () => [0]] = breakdown.map(attribute => valuesOf(roll, attribute, only))
  const groups = new Map<number, { readonly position: number; readonly records: number[] }>()
  let isOverlapping = false
  for (const at of members) {
    for (const first of one(at)) {
      for (const second of other(at)) {
        const value = first * length + second
        const group = groups.get(value) ?? { position: groups.size, records: [] }
        groups.set(value, group)
        group.records.push(at)
        isOverlapping ||= partOf[at] !== -1
        partOf[at] = group.position
      }
    }
  }
  const { traits: known } = records.roster.numbers
  const parts = [...groups].map(([value, group]) => {
    const values = [Math.floor(value / length), value % length].slice(0, breakdown.length)
    return {
      key: keyOf(values.map(trait => known[trait]?.value ?? null)),
      values,
      records: Int32Array.from(group.records),
      persons: personsOf(records, group.records, k)
    }
  })
  return { parts, partOf, isOverlapping }
}

/** Gives the traits that a record has of an attribute. */
function valuesOf(
  { records, tenure }: Roll,
  attribute: Attribute,
  only: number | null
): (at: number) => readonly number[] {
  const { traits, starts, roster } = records
  const isOf = (trait: number) => roster.numbers.traits[trait]?.attribute === attribute
  if (attribute === 'tenureBand') {
    const bands = [...(tenure ?? [])].filter(([trait]) => isOf(trait))
    return at => bands.flatMap(([trait, { flags }]) => (flags[at] === 1 ? [trait] : []))
  }
  const position = (plainAttributes as readonly Attribute[]).indexOf(attribute)
  if (position >= 0) return at => [traits[(starts[at] as number) + position] as number]
  if (only !== null) return () => [only]
  return at => [...traits.subarray(starts[at], starts[at + 1])].filter(isOf)
}
