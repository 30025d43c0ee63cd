import type { PersonRecord } from '../openapi/paths.d.ts'
import { randomFrom } from './random.js'

/** How the learners of one cohort behave. Chances are 0..1; `week` counts from 0. */
export interface Habit {
  /** The cohort's name, `pilot-…`. */
  readonly cohort: string
  readonly learners: number
  /** Chance that a learner turns up at all in a week. */
  readonly turnsUp: (week: number) => number
  /** In a week in which they turn up: the chance of each weekday beyond the one that is certain. */
  readonly furtherWeekday: number
  readonly weekendDay: number
  /** Modules opened in a session at most. */
  readonly modules: number
  /** Chance that an opened module's task is done. */
  readonly task: number
  /** Chance that a session ends with feedback to a peer. */
  readonly feedback: number
  /** Chance per week that the manager checks in. */
  readonly managerCheck: number
}

/** Somebody who acts in the demo. */
export interface Person {
  readonly personId: string
  readonly name: string
}

export interface Learner extends Person {
  readonly habit: Habit
  readonly manager: Person
}

/** The four cohorts: what each does shows in its line of the final table. */
export const habits: readonly Habit[] = [
  {
    cohort: 'pilot-habitual',
    learners: 60,
    turnsUp: () => 0.97,
    furtherWeekday: 0.6,
    weekendDay: 0.14,
    modules: 3,
    task: 0.55,
    feedback: 0.13,
    managerCheck: 0.45
  },
  {
    cohort: 'pilot-weekday-dippers',
    learners: 60,
    turnsUp: () => 0.72,
    furtherWeekday: 0.05,
    weekendDay: 0.01,
    modules: 1,
    task: 0.35,
    feedback: 0.04,
    managerCheck: 0.2
  },
  {
    cohort: 'pilot-fading',
    learners: 50,
    turnsUp: week => 0.95 * 0.82 ** week,
    furtherWeekday: 0.35,
    weekendDay: 0.08,
    modules: 2,
    task: 0.45,
    feedback: 0.05,
    managerCheck: 0.1
  },
  {
    cohort: 'pilot-never-started',
    learners: 30,
    turnsUp: week => (week === 0 ? 0.25 : 0),
    furtherWeekday: 0,
    weekendDay: 0,
    modules: 1,
    task: 0,
    feedback: 0,
    managerCheck: 0.03
  }
]

const reportsPerManager = 13
const firstNames =
  'Ada Bo Chidi Dana Emil Fatou Grace Hiro Ines Jonas Kofi Lena Mei Noor Omar Paula Quinn Rosa Sami Tess'
const lastNames = 'Adler Brandt Costa Diallo Evans Fischer Garcia Haas Ito Jensen Kaya Lindqvist Mbeki'

/** Every learner of the pilot, in a fixed order; the habits are mixed within each manager's team. */
export function makeLearners(): readonly Learner[] {
  const mixed = habits
    .flatMap(habit =>
      Array.from({ length: habit.learners }, (_, index) => ({ habit, place: (index + 0.5) / habit.learners }))
    )
    .sort((one, other) => one.place - other.place)
  return mixed.map(({ habit }, index) => ({
    personId: `demo-learner-${String(index + 1).padStart(3, '0')}`,
    name: nameOf('learner', index),
    habit,
    manager: makeManager(Math.floor(index / reportsPerManager))
  }))
}

/** The managers of these learners, each once. */
function managersOf(learners: readonly Learner[]): readonly Person[] {
  return [...new Map(learners.map(({ manager }) => [manager.personId, manager])).values()]
}

/** The Agent that a person acts under in the demo's learning platform. */
export function agentOf(person: Person) {
  return {
    objectType: 'Agent' as const,
    name: person.name,
    account: { homePage: 'https://demo.example', name: person.personId }
  }
}

/**
 * The roster as `PUT /api/v1/people` takes it: learners in `pilot` and in their habit's cohort, managers apart,
 * because the pilot's metrics are about the learners.
 *
 * @param validFrom First local day of the pilot, `YYYY-MM-DD`.
 */
export function rosterOf(learners: readonly Learner[], validFrom: string): PersonRecord[] {
  const row = (person: Person, cohorts: string[], managerId: string | null) => ({
    personId: person.personId,
    name: person.name,
    agents: [agentOf(person)],
    cohorts,
    managerId,
    validFrom
  })
  return [
    ...learners.map(learner => row(learner, ['pilot', learner.habit.cohort], learner.manager.personId)),
    ...managersOf(learners).map(manager => row(manager, ['pilot-managers'], null))
  ]
}

function makeManager(index: number): Person {
  return { personId: `demo-manager-${String(index + 1).padStart(2, '0')}`, name: nameOf('manager', index) }
}

function nameOf(role: string, index: number): string {
  const random = randomFrom('name', role, index)
  const pick = (names: string) => names.split(' ')[Math.floor(random() * names.split(' ').length)]
  return `${pick(firstNames)} ${pick(lastNames)}`
}
