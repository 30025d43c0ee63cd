import type { CohortFilter, NameFilter } from '../../src/people/cohort-filter.js'
import { dateOf, type Stretch, type World } from './world.js'

/** Somebody on a day, and the day by which their tenure is reckoned. */
export interface Moment {
  /** The person's position in the world. */
  readonly at: number
  readonly day: number
  readonly tenureAt: number
}

/** Whether a person is a learner on a day, and the filter holds for them; by the rules alone, one person at a time. */
export function isMember(world: World, moment: Moment, filter: CohortFilter | null): boolean {
  const { at, day } = moment
  const person = world.people[at]
  const row = rowOn(world, at, day)
  if (!person?.known || typeof person.mergedInto === 'number' || row === null) return false
  if (typeof row.hired === 'number' && row.hired > day) return false
  if (typeof row.left === 'number' && row.left < day) return false
  return filter === null || holds(world, { ...moment, row }, filter)
}

function holds(world: World, moment: Moment & { readonly row: Stretch }, filter: CohortFilter): boolean {
  const { at, day, tenureAt, row } = moment
  if ('and' in filter) return filter.and.every(part => holds(world, moment, part))
  if ('or' in filter) return filter.or.some(part => holds(world, moment, part))
  if ('not' in filter) return !holds(world, moment, filter.not)
  if ('tenureBand' in filter) return filter.tenureBand.some(band => band === tenureBandOf(row.hired ?? null, tenureAt))
  if ('demographic' in filter) {
    const { key, values } = filter.demographic
    return values.includes(row.demographics?.[key] ?? '')
  }
  if ('cohort' in filter) return filter.cohort.some(name => row.cohorts.includes(name))
  if ('person' in filter) return filter.person.some(name => positionOf(world, name) === at)
  if ('manager' in filter) return isSomeone(world, managerOf(world, at, day), filter.manager)
  if ('line' in filter) return managersAbove(world, at, day).some(manager => isSomeone(world, manager, filter.line))
  const [attribute, values] = Object.entries(filter as NameFilter)[0] as [keyof Stretch, readonly string[]]
  return values.includes(String(row[attribute] ?? ''))
}

/** What the roster says of a person on a day. */
export function rowOn(world: World, at: number, day: number): Stretch | null {
  const row = world.people[at]?.roster.find(
    ({ from, to }) => (from === null || from <= day) && (to === null || day < to)
  )
  return row ?? null
}

/** The position of the person who has the name, or of whom they were merged into; null when nobody has it. */
function positionOf(world: World, name: string): number | null {
  let at = Number(/^person-(\d+)$/.exec(name)?.[1] ?? -1)
  if (!world.people[at]?.known) return null
  for (let next = world.people[at]?.mergedInto; typeof next === 'number'; next = world.people[at]?.mergedInto) at = next
  return at
}

/** The manager's name on a day; nobody reports to themself. */
export function managerOf(world: World, at: number, day: number): string | null {
  const manager = rowOn(world, at, day)?.manager ?? null
  return manager === `person-${at}` ? null : manager
}

function managersAbove(world: World, at: number, day: number): readonly string[] {
  const above: string[] = []
  let manager = managerOf(world, at, day)
  while (manager !== null && !above.includes(manager)) {
    above.push(manager)
    const position = positionOf(world, manager)
    manager = position === null ? null : managerOf(world, position, day)
  }
  return above
}

function isSomeone(world: World, manager: string | null, names: readonly string[]): boolean {
  if (manager === null) return false
  const position = positionOf(world, manager)
  return names.some(name => name === manager || (position !== null && positionOf(world, name) === position))
}

/** The band of tenure reached by a day; null when it is not known. */
export function tenureBandOf(hired: number | null, day: number): string | null {
  if (hired === null || hired > day) return null
  const months = wholeMonths(dateOf(hired), dateOf(day))
  if (months < 12) return '0-12'
  return months < 36 ? '12-36' : '36+'
}

function wholeMonths(from: string, to: string): number {
  const [fromYear = 0, fromMonth = 0, fromDay = 0] = from.split('-').map(Number)
  const [toYear = 0, toMonth = 0, toDay = 0] = to.split('-').map(Number)
  const lastOfMonth = new Date(Date.UTC(toYear, toMonth, 0)).getUTCDate()
  const months = (toYear - fromYear) * 12 + toMonth - fromMonth
  return toDay < Math.min(fromDay, lastOfMonth) ? months - 1 : months
}
