import type { TenureBand } from '../../people/cohort-filter.js'
import type { Membership } from '../cohort-query.js'
import { walkLines } from './lines.js'
import { predicateOf } from './predicate.js'
import { dayNumber, openBefore, type Roster } from './roster.js'

/** The moment, or the days, whose roster is wanted; local days, half-open. */
export interface Moment {
  readonly membership: Membership
  readonly from: string
  readonly to: string
  readonly today: string
}

/**
 * Who is on the roster at a moment, with all that can be asked for: a record for each learner, or by day (`at_event`)
 * for each row of the roster that has a day of employment in the period. Who is in a line on any of the row's days is
 * then taken to be in it on all.
 */
export interface Records {
  readonly roster: Roster
  /** The row of each record, and its person's number. */
  readonly rows: Int32Array
  readonly persons: Int32Array
  /** The traits of record `at`, from `starts[at]` to `starts[at + 1]`; without those of tenure. */
  readonly starts: Int32Array
  readonly traits: Int32Array
  /** The records that have trait `t`, in their order, from `firsts[t]` to `firsts[t + 1]`. */
  readonly firsts: Int32Array
  readonly having: Int32Array
  /** The most records of one person. */
  readonly mostRows: number
  /** Room for counting traits, empty between uses. */
  readonly counts: Int32Array
  /** The numbers of the names of all managers above a row. */
  readonly above: (row: number) => readonly number[]
}

/** What depends on the day by which tenure is reckoned: of each trait, the records that have it, and a 1 for each. */
export type TenureFlags = ReadonlyMap<number, { readonly flags: Uint8Array; readonly records: Int32Array }>

/** The first day that counts, and the one after the last. */
export function extentOf({ membership, from, to, today }: Moment): readonly [first: number, after: number] {
  if (membership === 'at_event') return [dayNumber(from), dayNumber(to)]
  const day = dayNumber(membership === 'current' ? today : from)
  return [day, day + 1]
}

/** Finds who is on the roster in an extent of days. */
export function recordsIn(roster: Roster, [first, after]: readonly [first: number, after: number]): Records {
  const { since, until, hired, gone, persons } = roster
  const valid: number[] = []
  const rows: number[] = []
  for (let at = 0; at < persons.length; at += 1) {
    const from = Math.max(first, since[at] as number)
    const to = Math.min(after, until[at] as number)
    if (from >= to) continue
    valid.push(at)
    if (Math.max(from, hired[at] as number) < Math.min(to, gone[at] as number)) rows.push(at)
  }
  const above = walkLines(roster, valid)
  return {
    roster,
    rows: Int32Array.from(rows),
    persons: Int32Array.from(rows, row => persons[row] as number),
    mostRows: mostRows(roster, rows),
    above,
    ...traitsOf(roster, rows, above)
  }
}

function traitsOf(roster: Roster, rows: readonly number[], above: Records['above']) {
  const { numbers, lines, ofLines } = roster
  const filters = ofLines.map(({ trait, filter }) => ({ trait, holds: predicateOf(filter, roster, { above }) }))
  const starts = new Int32Array(rows.length + 1)
  let traits = new Int32Array(roster.traits.length + 4 * rows.length)
  let length = 0
  const push = (trait: number) => {
    if (length === traits.length) traits = grown(traits)
    traits[length] = trait
    length += 1
  }
  for (const [at, row] of rows.entries()) {
    const end = roster.starts[row + 1] as number
    for (let place = roster.starts[row] as number; place < end; place += 1) push(roster.traits[place] as number)
    for (const name of above(row)) push(lines[name] as number)
    for (const { trait, holds } of filters) if (holds(row)) push(trait)
    starts[at + 1] = length
  }
  const all = traits.slice(0, length)
  const howMany = numbers.traits.length
  return { starts, traits: all, counts: new Int32Array(howMany), ...postings(starts, all, howMany) }
}

function grown(column: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * column.length + 16)
  larger.set(column)
  return larger
}

function mostRows({ persons }: Roster, rows: readonly number[]): number {
  const counts = new Int32Array(persons.length)
  let most = 1
  for (const row of rows) {
    const person = persons[row] as number
    const count = (counts[person] as number) + 1
    counts[person] = count
    if (count > most) most = count
  }
  return most
}

/** The records by their traits. */
function postings(starts: Int32Array, traits: Int32Array, howMany: number) {
  const firsts = new Int32Array(howMany + 1)
  for (const trait of traits) firsts[trait + 1] = (firsts[trait + 1] as number) + 1
  for (let trait = 0; trait < howMany; trait += 1) {
    firsts[trait + 1] = (firsts[trait + 1] as number) + (firsts[trait] as number)
  }
  const next = firsts.slice()
  const having = new Int32Array(traits.length)
  for (let at = 0; at + 1 < starts.length; at += 1) {
    for (let place = starts[at] as number; place < (starts[at + 1] as number); place += 1) {
      const trait = traits[place] as number
      const end = next[trait] as number
      having[end] = at
      next[trait] = end + 1
    }
  }
  return { firsts, having }
}

/** Finds the traits that follow from tenure, as it is by the end of a period. */
export function tenureFlags({ roster, rows, above }: Records, end: number): TenureFlags {
  const { numbers, ofTenure } = roster
  const bandOf = (row: number) => tenureBandOf(roster, row, end)
  const flags = new Map<number, Uint8Array>()
  const flagsOf = (trait: number) => {
    const known = flags.get(trait) ?? new Uint8Array(rows.length)
    flags.set(trait, known)
    return known
  }
  const filters = ofTenure.map(({ trait, filter }) => ({
    flags: flagsOf(trait),
    holds: predicateOf(filter, roster, { above, bandOf })
  }))
  for (const [at, row] of rows.entries()) {
    flagsOf(numbers.numberOf('tenureBand', bandOf(row)))[at] = 1
    for (const { flags, holds } of filters) if (holds(row)) flags[at] = 1
  }
  return new Map([...flags].map(([trait, ofTrait]) => [trait, { flags: ofTrait, records: indexesOf(ofTrait) }]))
}

function indexesOf(flags: Uint8Array): Int32Array {
  const found: number[] = []
  for (let at = flags.indexOf(1); at >= 0; at = flags.indexOf(1, at + 1)) found.push(at)
  return Int32Array.from(found)
}

function tenureBandOf({ hired, year1, year3 }: Roster, row: number, end: number): TenureBand | null {
  // Of an unknown day of hire the years never come.
  if ((year3[row] as number) <= end) return '36+'
  if ((year1[row] as number) <= end) return '12-36'
  const isHired = (hired[row] as number) <= end && hired[row] !== openBefore
  return isHired ? '0-12' : null
}
