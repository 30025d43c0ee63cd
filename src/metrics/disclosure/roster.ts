import type { CohortFilter } from '../../people/cohort-filter.js'
import type { Dimension } from '../dimension.js'

/** What the roster tells of learners that a question may ask for; `line` is everybody below a manager. */
export type Attribute = Dimension | 'saved' | 'line'

/** Attributes that a row has one value of, and each by itself; null stands for none. */
export const plainAttributes = ['role', 'team', 'manager', 'region', 'jobFamily', 'assignmentType'] as const

/** A value of an attribute, such as the role `engineer`; null stands for none. */
export interface Trait {
  readonly attribute: Attribute
  readonly value: string | null
}

/** Numbers for traits, given as they are met. */
export interface TraitNumbers {
  readonly traits: readonly Trait[]
  readonly numberOf: (attribute: Attribute, value: string | null) => number
  /** The number of a trait; undefined where nobody ever had it. */
  readonly find: (attribute: Attribute, value: string | null) => number | undefined
}

/** A saved filter, with the number of the trait that it is. */
export interface SavedFilter {
  readonly trait: number
  readonly filter: CohortFilter
}

/**
 * A tenant's whole roster of all times, in columns: a position in each is a row. Days are counted from 2000-01-01;
 * `openBefore` and `openAfter` stand for unknown ends.
 */
export interface Roster {
  readonly version: number
  readonly numbers: TraitNumbers
  /** Numbers of persons, from 0. */
  readonly persons: Int32Array
  /** The first day that the row holds on, and the one after the last. */
  readonly since: Int32Array
  readonly until: Int32Array
  /** The first day of employment, and the one after the last. */
  readonly hired: Int32Array
  readonly gone: Int32Array
  /** The days on which 12 and 36 months are complete. */
  readonly year1: Int32Array
  readonly year3: Int32Array
  /** The traits of the row, whatever the day: those of row `at` stand from `starts[at]` to `starts[at + 1]`. */
  readonly starts: Int32Array
  readonly traits: Int32Array
  /** The numbers, among `names`, of the row's own person and of the direct manager, -1 for none. */
  readonly own: Int32Array
  readonly directManagers: Int32Array
  readonly names: readonly string[]
  /** Of each name the trait of being below it; -1 where nobody is. */
  readonly lines: Int32Array
  readonly demographics: readonly Readonly<Record<string, string>>[]
  /** Saved filters that ask for a line, and those that ask for tenure, which changes by the day. */
  readonly ofLines: readonly SavedFilter[]
  readonly ofTenure: readonly SavedFilter[]
  /** The name that a merged person goes by now. */
  readonly nameNow: (name: string) => string
}

/** Stand for ends that are not known. */
export const openBefore = -2_147_483_648
export const openAfter = 2_147_483_647

/** Counts the days from 2000-01-01 to a local day. */
export function dayNumber(day: string): number {
  return Math.round((Date.parse(`${day}T00:00:00Z`) - Date.UTC(2000, 0, 1)) / 86_400_000)
}

/** Begins to number traits. */
export function numberTraits(): TraitNumbers {
  const traits: Trait[] = []
  const known = new Map<Attribute, Map<string | null, number>>()
  const find = (attribute: Attribute, value: string | null) => known.get(attribute)?.get(value)
  const numberOf = (attribute: Attribute, value: string | null) => {
    const found = find(attribute, value)
    if (found !== undefined) return found
    const ofAttribute = known.get(attribute) ?? new Map<string | null, number>()
    known.set(attribute, ofAttribute.set(value, traits.length))
    return traits.push({ attribute, value }) - 1
  }
  return { traits, numberOf, find }
}
