import type { World } from '../world.js'
import { dateOf } from '../world.js'
import { type Deed, dayOf } from './events.js'
import { countedDays, type NaiveJourney } from './naive-steps.js'

type Unit = 'day' | 'week' | 'month'

interface NaiveActivity extends NaiveJourney {
  readonly unit: Unit
}

/** The number of the unit that a day lies in; day 0 is a Monday. */
function unitOf(day: number, unit: Unit): number {
  if (unit === 'day') return day
  if (unit === 'week') return Math.floor(day / 7)
  const [year = 0, month = 0] = dateOf(day).split('-').map(Number)
  return year * 12 + month
}

/** The window's days by their units, in order. */
function periodsOf({ from, to, unit }: NaiveActivity): readonly { from: number; to: number; number: number }[] {
  const periods: { from: number; to: number; number: number }[] = []
  for (let day = from; day < to; day++) {
    const last = periods.at(-1)
    if (last?.number === unitOf(day, unit)) last.to = day + 1
    else periods.push({ from: day, to: day + 1, number: unitOf(day, unit) })
  }
  return periods
}

/** The local days on which a person did something. */
function activeDaysOf(deeds: readonly Deed[], at: number, timeZone: string): readonly number[] {
  return deeds
    .filter(({ by, kind, voided }) => by === at && kind !== 'delivered' && !voided)
    .map(deed => dayOf(deed.at, timeZone))
    .sort((a, b) => a - b)
}

export function naiveLifecycle(world: World, deeds: readonly Deed[], asked: NaiveActivity) {
  return periodsOf(asked).map(period => {
    const states = [...world.people.keys()].map(at => stateOf(world, deeds, at, { ...asked, ...period }))
    const count = (...wanted: readonly string[]) => states.filter(state => wanted.includes(state)).length
    return {
      population: states.length - count('outside'),
      active: count('new', 'returning', 'resurrecting'),
      new: count('new'),
      returning: count('returning'),
      resurrecting: count('resurrecting'),
      dormant: count('dormant')
    }
  })
}

function stateOf(
  world: World,
  deeds: readonly Deed[],
  at: number,
  asked: NaiveActivity & { readonly number: number }
): string {
  const counted = countedDays(world, at, asked)
  if (counted.length === 0) return 'outside'
  const active = activeDaysOf(deeds, at, asked.timeZone)
  const before = active.filter(day => day < asked.from)
  const isBefore = before.some(day => [asked.number, asked.number - 1].includes(unitOf(day, asked.unit)))
  if (!active.some(day => counted.includes(day))) return isBefore ? 'dormant' : 'away'
  if (before.length === 0) return 'new'
  return isBefore ? 'returning' : 'resurrecting'
}

interface NaiveMatrix extends NaiveActivity {
  readonly type: string
  readonly count: number
}

export function naiveRetention(world: World, deeds: readonly Deed[], asked: NaiveMatrix) {
  return periodsOf(asked).map(({ from, to }) => {
    const cohort = [...world.people.keys()].flatMap(at => {
      const active = activeDaysOf(deeds, at, asked.timeZone)
      const first = active[0]
      const isIn = first !== undefined && countedDays(world, at, { ...asked, from, to }).includes(first)
      return isIn ? [learnerOf(first, active, asked)] : []
    })
    const periods = Array.from({ length: asked.count }, (_, nth) => nth)
    const eligible = periods.map(nth => cohort.filter(({ closed }) => nth < closed))
    return {
      size: cohort.length,
      eligible: eligible.map(learners => learners.length),
      retained: eligible.map((learners, nth) => learners.filter(({ isRetained }) => isRetained(nth)).length)
    }
  })
}

function learnerOf(first: number, active: readonly number[], asked: NaiveMatrix) {
  const periods = active.map(day => periodNumber(first, day, asked))
  return {
    closed: periodNumber(first, asked.today, asked),
    isRetained: (nth: number) => periods.some(period => (asked.type === 'unbounded' ? period >= nth : period === nth))
  }
}

function periodNumber(
  first: number,
  day: number,
  { unit, type }: { readonly unit: Unit; readonly type: string }
): number {
  if (type !== 'rolling') return unitOf(day, unit) - unitOf(first, unit)
  if (unit === 'day') return day - first
  if (unit === 'week') return Math.floor((day - first) / 7)
  let months = 0
  while (monthsLater(first, months + 1) <= dateOf(day)) months += 1
  return months
}

/** The same day some months later, or the last of a month that is too short. */
function monthsLater(day: number, months: number): string {
  const [year = 0, month = 0, date = 0] = dateOf(day).split('-').map(Number)
  const last = new Date(Date.UTC(year, month + months, 0)).getUTCDate()
  return new Date(Date.UTC(year, month - 1 + months, Math.min(date, last))).toISOString().slice(0, 10)
}
