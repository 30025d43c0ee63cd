import { type CohortFilter, leavesOf, tenureBands } from '../../people/cohort-filter.js'
import { predicateOf } from './predicate.js'
import {
  numberTraits,
  openAfter,
  openBefore,
  plainAttributes,
  type Roster,
  type SavedFilter,
  type TraitNumbers
} from './roster.js'

/** A row of the roster. Days are counted from 2000-01-01; a manager of oneself is none. */
export type RosterRow = readonly [
  person: number,
  name: string,
  since: number | null,
  until: number | null,
  hired: number | null,
  left: number | null,
  year1: number | null,
  year3: number | null,
  role: string | null,
  team: string | null,
  manager: string | null,
  region: string | null,
  jobFamily: string | null,
  assignmentType: string | null,
  cohorts: readonly string[],
  demographics: Readonly<Record<string, string>>
]

/** All that the database says of a roster. */
export interface RosterRead {
  readonly version: number
  readonly learners: readonly RosterRow[]
  readonly merged: readonly (readonly [string, string])[]
  readonly saved: readonly { readonly id: string; readonly filter: CohortFilter }[]
}

/** A roster that is being made, some rows at a time. */
export interface Filling {
  readonly fill: (from: number, to: number) => void
  readonly end: () => Roster
}

/** Begins to make columns of rows: `fill` takes all of them, in order, before `end`. */
export function beginColumns({ version, learners, merged, saved }: RosterRead): Filling {
  const survivors = new Map(merged)
  const nameNow = (name: string) => survivors.get(name) ?? name
  const numbers = numberTraits()
  for (const band of [null, ...tenureBands]) numbers.numberOf('tenureBand', band)
  const column = () => new Int32Array(learners.length)
  const days = { since: column(), until: column(), hired: column(), gone: column(), year1: column(), year3: column() }
  const persons = column()
  const own = column()
  const directManagers = column()
  const starts = new Int32Array(learners.length + 1)
  const traits: number[] = []
  const demographics: Readonly<Record<string, string>>[] = []
  const personNumbers = numbersOf<number>()
  const names = numbersOf<string>()
  const filters = sortFilters(saved, numbers)
  const fill = (from: number, to: number) => {
    for (const [nth, row] of learners.slice(from, to).entries()) {
      const at = from + nth
      fillDays(days, at, row)
      const manager = row[10] || null
      persons[at] = personNumbers.numberOf(row[0])
      own[at] = names.numberOf(row[1])
      directManagers[at] = manager === null ? -1 : names.numberOf(nameNow(manager))
      demographics.push(row[15])
      traits.push(...traitsOf(row, numbers))
      starts[at + 1] = traits.length
    }
  }
  const end = (): Roster => {
    const named = { own, directManagers, names: names.all, lines: linesOf(directManagers, names.all, numbers), nameNow }
    const plain = {
      version,
      numbers,
      persons,
      ...days,
      ...named,
      demographics,
      starts,
      traits: Int32Array.from(traits)
    }
    const { ofLines, ofTenure } = filters
    return { ...plain, ...withSaved(plain, filters.ofRows), ofLines, ofTenure }
  }
  return { fill, end }
}

function fillDays(
  days: Readonly<Record<'since' | 'until' | 'hired' | 'gone' | 'year1' | 'year3', Int32Array>>,
  at: number,
  [, , since, until, hired, left, year1, year3]: RosterRow
): void {
  days.since[at] = since ?? openBefore
  days.until[at] = until ?? openAfter
  days.hired[at] = hired ?? openBefore
  days.gone[at] = left === null ? openAfter : left + 1
  days.year1[at] = year1 ?? openAfter
  days.year3[at] = year3 ?? openAfter
}

function traitsOf(row: RosterRow, { numberOf }: TraitNumbers): readonly number[] {
  const cohorts = row[14].length === 0 ? [null] : [...new Set(row[14])]
  return [
    ...plainAttributes.map((attribute, nth) => numberOf(attribute, (row[8 + nth] as string | null) || null)),
    ...cohorts.map(name => numberOf('cohort', name))
  ]
}

function linesOf(directManagers: Int32Array, names: readonly string[], { numberOf }: TraitNumbers): Int32Array {
  const lines = new Int32Array(names.length).fill(-1)
  for (const manager of directManagers) {
    if (manager >= 0 && lines[manager] === -1) lines[manager] = numberOf('line', names[manager] as string)
  }
  return lines
}

/** Parts saved filters by what has to be known to say for whom they hold: the row, lines of managers, or the day. */
function sortFilters(saved: RosterRead['saved'], { numberOf }: TraitNumbers) {
  const filters = saved.map(({ id, filter }): SavedFilter => ({ trait: numberOf('saved', id), filter }))
  const asks = ({ filter }: SavedFilter, member: string) => leavesOf(filter).some(leaf => member in leaf)
  const ofTenure = filters.filter(one => asks(one, 'tenureBand'))
  const ofLines = filters.filter(one => asks(one, 'line') && !ofTenure.includes(one))
  return { ofTenure, ofLines, ofRows: filters.filter(one => !ofTenure.includes(one) && !ofLines.includes(one)) }
}

/** The traits of the rows, and of them the saved filters that each row decides by itself. */
function withSaved(
  roster: Omit<Roster, 'ofLines' | 'ofTenure'>,
  filters: readonly SavedFilter[]
): Pick<Roster, 'starts' | 'traits'> {
  if (filters.length === 0) return roster
  const predicates = filters.map(({ trait, filter }) => ({ trait, holds: predicateOf(filter, roster) }))
  const traits: number[] = []
  const starts = new Int32Array(roster.starts.length)
  for (let at = 0; at < roster.persons.length; at += 1) {
    traits.push(...roster.traits.subarray(roster.starts[at], roster.starts[at + 1]))
    for (const { trait, holds } of predicates) if (holds(at)) traits.push(trait)
    starts[at + 1] = traits.length
  }
  return { starts, traits: Int32Array.from(traits) }
}

/** Numbers for things, given as they are met. */
function numbersOf<Thing>() {
  const all: Thing[] = []
  const known = new Map<Thing, number>()
  const numberOf = (thing: Thing) => {
    const found = known.get(thing)
    if (found !== undefined) return found
    known.set(thing, all.length)
    return all.push(thing) - 1
  }
  return { all, numberOf }
}
