import type { LearnerDayCounts } from '../../src/database/schema.js'
import { type LmsMetric, lmsMetrics } from '../../src/scores/lms-metrics.js'
import type { Person } from '../metrics/world.js'
import { columnOf } from './stand-ins.js'

/** The local day on which these worlds are asked; the day of 2026-06-01 counted from `dayZero`. */
export const today = 91

/** How much a learner did of a metric in a week; 13 weeks end before today. */
type Done = (week: number, metric: number) => number

/** Someone known who does something in a week of each metric on a day of its own, with a manager above. */
function learner(role: string | null, team: string | null, done: Done, more: Person['days'] = []): Person {
  const days = new Map<number, Partial<LearnerDayCounts>>()
  for (let week = 0; week < 13; week++) {
    for (const [metric, id] of lmsMetrics.entries()) {
      const times = done(week, metric)
      if (times > 0) days.set(week * 7 + metric, { [columnOf[id]]: times })
    }
  }
  for (const { day, counts } of more) days.set(day, { ...days.get(day), ...counts })
  return {
    known: true,
    roster: [{ from: null, to: null, cohorts: ['pilot'], role, team, manager: 'boss' }],
    days: [...days].map(([day, counts]) => ({ day, counts }))
  }
}

/** The sum of a metric's column over some days, half-open; null for nothing. */
export function naiveValue({ days }: Person, id: LmsMetric, from: number, to: number): number | null {
  const counted = days.filter(({ day }) => day >= from && day < to)
  return counted.reduce((sum, { counts }) => sum + (counts[columnOf[id]] ?? 0), 0) || null
}

/** Of each metric, so that no two learners need be alike. */
const uneven =
  (seed: number): Done =>
  (week, metric) =>
    (seed * 7 + week * (1 + ((seed + metric) % 3)) + metric * 5) % 5

/**
 * Twelve engineers in the teams red (10) and blue (2), of whom the first both knows and helps, one has done next to
 * nothing and two are alike; four
 * sellers, too few to be compared; and somebody of whom the roster knows no role.
 */
export const people: readonly Person[] = [
  ...Array.from({ length: 12 }, (_, at) => {
    const team = at < 10 ? 'red' : 'blue'
    if (at === 3) return learner('engineer', team, (week, metric) => (metric > 3 ? week % 3 : 0))
    return learner('engineer', team, uneven(at === 5 ? 4 : at), [
      { day: 40 + at, counts: { reward_claimed: 1 + (at % 2) } },
      { day: 70, counts: { reward_claimed: at % 3, replied: 1 } },
      ...(at === 0 ? [{ day: 80, counts: { assessed: 40, posted: 40 } }] : [])
    ])
  }),
  ...Array.from({ length: 4 }, (_, at) => learner('seller', 'green', uneven(at + 20))),
  learner(null, null, uneven(30))
]
