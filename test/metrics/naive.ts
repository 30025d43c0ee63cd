import type { PeriodCount } from '../../src/metrics/metric.js'
import type { Person, World } from './world.js'

/** A question in whole days: periods are half-open. */
export interface NaiveQuestion {
  readonly period: { readonly from: number; readonly to: number }
  readonly cohort: string | null
  readonly today: number
}

const kindsReceived = ['delivered', 'reward_offered', 'peer_feedback_received', 'manager_check_received']
const kindsLeftOut = ['voided', 'future']

/** The target population: known, and placed in the cohort on the first day. */
function populationOf({ people }: World, { period, cohort }: NaiveQuestion): Person[] {
  return people.filter(
    ({ known, roster }) =>
      known &&
      roster.some(
        ({ from, to, cohorts }) =>
          (from === null || from <= period.from) &&
          (to === null || period.from < to) &&
          (cohort === null || cohorts.includes(cohort))
      )
  )
}

export function naiveActiveUsers(world: World, question: NaiveQuestion, kinds: readonly string[]): PeriodCount {
  const population = populationOf(world, question)
  const active = population.filter(({ days }) =>
    days.some(
      ({ day, counts }) =>
        day >= question.period.from &&
        day < question.period.to &&
        Object.keys(counts).some(column => kinds.includes(column))
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
    const inPeriod = activeDays.filter(day => day >= question.period.from && day < question.period.to)
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

function activeDaysOf({ days }: Person): number[] {
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
