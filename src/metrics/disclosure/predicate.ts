import type { CohortFilter, NameFilter, TenureBand } from '../../people/cohort-filter.js'
import type { Roster } from './roster.js'

/** Whether something holds for a row of the roster. */
export type Predicate = (row: number) => boolean

/** What a moment adds to a row: the numbers of the names of all managers above, and the tenure band. */
export interface Surroundings {
  readonly above?: (row: number) => readonly number[]
  readonly bandOf?: (row: number) => TenureBand | null
}

/** A roster as far as filters need it. */
export type FilterableRoster = Pick<
  Roster,
  'numbers' | 'starts' | 'traits' | 'own' | 'directManagers' | 'names' | 'demographics' | 'nameNow'
>

/** Makes of a filter what says whether it holds for a row, as the SQL of `compileFilter` does. */
export function predicateOf(filter: CohortFilter, roster: FilterableRoster, around: Surroundings = {}): Predicate {
  if ('and' in filter) {
    const parts = filter.and.map(part => predicateOf(part, roster, around))
    return row => parts.every(holds => holds(row))
  }
  if ('or' in filter) {
    const parts = filter.or.map(part => predicateOf(part, roster, around))
    return row => parts.some(holds => holds(row))
  }
  if ('not' in filter) {
    const part = predicateOf(filter.not, roster, around)
    return row => !part(row)
  }
  if ('demographic' in filter) {
    const { key, values } = filter.demographic
    return row => values.includes(roster.demographics[row]?.[key] ?? '')
  }
  if ('tenureBand' in filter) {
    return row => {
      const band = around.bandOf?.(row) ?? null
      return band !== null && filter.tenureBand.includes(band)
    }
  }
  return ofNames(filter, roster, around)
}

function ofNames(filter: NameFilter, roster: FilterableRoster, { above }: Surroundings): Predicate {
  const named = (names: readonly string[]) => {
    const now = new Set(names.map(roster.nameNow))
    return new Set(roster.names.flatMap((name, number) => (now.has(name) ? [number] : [])))
  }
  if ('person' in filter) return isAmong(roster.own, named(filter.person))
  if ('manager' in filter) return isAmong(roster.directManagers, named(filter.manager))
  if ('line' in filter) {
    const managers = named(filter.line)
    return row => above?.(row).some(name => managers.has(name)) ?? false
  }
  const [attribute, values] = Object.entries(filter)[0] as ['role', readonly string[]]
  const wanted = new Set(values.flatMap(value => roster.numbers.find(attribute, value) ?? []))
  return row => roster.traits.subarray(roster.starts[row], roster.starts[row + 1]).some(trait => wanted.has(trait))
}

function isAmong(column: Int32Array, wanted: ReadonlySet<number>): Predicate {
  return row => wanted.has(column[row] as number)
}
