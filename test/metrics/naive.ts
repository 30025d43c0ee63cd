import type { Membership } from '../../src/metrics/cohort-query.js'
import type { Measurement } from '../../src/metrics/measurement.js'
import type { CohortFilter } from '../../src/people/cohort-filter.js'
import { isMember } from './naive-members.js'
import type { Person, World } from './world.js'

/** What the learners of one period add up to. */
export interface PeriodCount {
  readonly numerator: number
  readonly denominator: number
  readonly population: number
  readonly immature: number
}

/** The counts of a measurement that is not broken down, to be compared with naive ones. */
export function countsOf({ cells }: Measurement): readonly PeriodCount[] {
  return cells.map(({ sumX, sumY, population, immature }) => ({
    numerator: sumX,
    denominator: sumY,
    population,
    immature
  }))
}

/** A question in whole days: periods are half-open. */
export interface NaiveQuestion {
  readonly period: { readonly from: number; readonly to: number }
  readonly filter: CohortFilter | null
  readonly membership: Membership
  readonly today: number
}

const kindsReceived = ['delivered', 'reward_offered', 'peer_feedback_received', 'manager_check_received']
const kindsLeftOut = ['voided', 'future']

/** A learner of the target population, with the days of the period on which their deeds count. */
interface Learner extends Person {
  readonly countedDays: readonly number[]
}

function populationOf(world: World, { period, filter, membership, today }: NaiveQuestion): readonly Learner[] {
  const days = Array.from({ length: period.to - period.from }, (_, nth) => period.from + nth)
  return world.people.flatMap((person, at) => {
    const belongsOn = (day: number) => isMember(world, { at, day, tenureAt: period.to }, filter)
    if (membership === 'at_event') {
      const countedDays = days.filter(belongsOn)
      return countedDays.length > 0 ? [{ ...person, countedDays }] : []
    }
    return belongsOn(membership === 'current' ? today : period.from) ? [{ ...person, countedDays: days }] : []
  })
}

export function naiveActiveUsers(world: World, question: NaiveQuestion, kinds: readonly string[]): PeriodCount {
  const population = populationOf(world, question)
  const active = population.filter(({ days, countedDays }) =>
    days.some(
      ({ day, counts }) => countedDays.includes(day) && Object.keys(counts).some(column => kinds.includes(column))
    )
  )
  return { numerator: active.length, denominator: population.length, population: population.length, immature: 0 }
}

export function naiveRepeatRate(
  world: World,
  question: NaiveQuestion,
  options: { readonly windowDays: number; readonly denominator: string }
): PeriodCount {
  const population = populationOf(world, question)
  let repeated = 0
  let closed = 0
  let immature = 0
  for (const person of population) {
    const activeDays = activeDaysOf(person)
    const inPeriod = activeDays.filter(day => person.countedDays.includes(day))
    if (inPeriod.length === 0) continue
    const start = Math.min(...inPeriod)
    const lastDay = start + options.windowDays
    if (lastDay >= question.today) {
      immature += 1
      continue
    }
    closed += 1
    if (activeDays.some(day => day > start && day <= lastDay)) repeated += 1
  }
  const denominator = options.denominator === 'active' ? closed : population.length
  return { numerator: repeated, denominator, population: population.length, immature }
}

/** The days on which a person did something themself. */
export function activeDaysOf({ days }: Pick<Person, 'days'>): number[] {
  return days
    .filter(({ counts }) =>
      Object.keys(counts).some(column => !kindsReceived.includes(column) && !kindsLeftOut.includes(column))
    )
    .map(({ day }) => day)
}

/** Events in the window that no metric counts. */
export function naiveExcluded({ people }: World, window: { readonly from: number; readonly to: number }) {
  const sum = (person: Person, isCounted: (column: string) => boolean) =>
    person.days
      .filter(({ day }) => day >= window.from && day < window.to)
      .flatMap(({ counts }) => Object.entries(counts))
      .reduce((total, [column, count]) => total + (isCounted(column) ? count : 0), 0)
  const sumAll = (persons: readonly Person[], isCounted: (column: string) => boolean) =>
    persons.reduce((total, person) => total + sum(person, isCounted), 0)
  return {
    voided: sumAll(people, column => column === 'voided'),
    unresolvedActor: sumAll(
      people.filter(({ known }) => !known),
      column => !kindsLeftOut.includes(column) && !column.endsWith('_received')
    ),
    future: sumAll(people, column => column === 'future')
  }
}
