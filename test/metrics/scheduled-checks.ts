import type { NaiveLearner, NaiveMoment } from './agreement.js'
import { type AssignedWorld, assignedStage, holdsOn, type WorldAssignment } from './assigned-world.js'
import { type Deed, liveDeeds, rootOf } from './event-world.js'
import type { Person } from './world.js'

const learner: Person = { known: true, roster: [{ from: null, to: null, cohorts: [] }], days: [] }

/** Five learners of the roster. */
export const people = Array.from({ length: 5 }, () => learner)

/** A check that was scheduled. */
export const check = (to: number, assigned: number, due: number, withdrawn: number | null = null): WorldAssignment => ({
  ...{ to, kind: 'manager-check', activity: 0, assigned, due, withdrawn }
})
/** A check that was made. */
export const checked = (about: number, day: number, more: Partial<Deed> = {}): Deed => ({
  ...{ kind: 'manager-check', by: 4, about, day },
  ...more
})

/** The example of docs/reference/metrics/outstanding-manager-checks.md; day 7 is Monday 9 March. */
export const example: AssignedWorld = {
  people,
  assignments: [
    ...[check(0, 0, 9), check(0, 8, 11), check(0, 12, 13), check(0, 12, 14)],
    ...[check(1, 2, 8), check(1, 2, 8), check(1, 10, 4)],
    ...[check(2, 0, 12, 12), check(2, 0, 12, 13)]
  ],
  deeds: [checked(0, 10), checked(1, 1), checked(1, 14), checked(2, 3), checked(3, 9)]
}

export const stage = assignedStage('manager-check', 'manager-check')

/** A learner's checks that came due, one a day, and those of them that were done. */
export function checksOf({ at, countedDays }: NaiveLearner, { to, today }: NaiveMoment, world: AssignedWorld) {
  const received = liveDeeds(world, today)
    .filter(({ kind, about, day }) => kind === 'manager-check' && rootOf(world, about ?? -1) === at && day < to)
    .map(({ day }) => day)
  const due = new Map<number, number>()
  for (const given of world.assignments) {
    const day = Math.max(given.due, given.assigned)
    const counts = given.kind === 'manager-check' && rootOf(world, given.to) === at && holdsOn(given, day)
    if (counts && day <= today && countedDays.includes(day)) {
      due.set(day, Math.min(due.get(day) ?? day, given.assigned))
    }
  }
  const done = [...due.values()].filter(assigned => received.some(day => day >= assigned))
  return { due: due.size, done: done.length }
}
