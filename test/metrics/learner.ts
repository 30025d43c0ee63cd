import type { LearnerDayCounts } from '../../src/database/schema.js'
import type { Person, Stretch } from './world.js'

/** Somebody whom the roster has known for ever, and what they did on which days. */
export function learner(
  days: Readonly<Record<number, Partial<LearnerDayCounts>>> = {},
  attributes: Partial<Stretch> = {}
): Person {
  return {
    known: true,
    roster: [{ from: null, to: null, cohorts: [], ...attributes }],
    days: Object.entries(days).map(([day, counts]) => ({ day: Number(day), counts }))
  }
}

/** Somebody who did something on these days. */
export function learnerActiveOn(...days: readonly number[]): Person {
  return learner(Object.fromEntries(days.map(day => [day, { visited: 2, delivered: 1 }])))
}
