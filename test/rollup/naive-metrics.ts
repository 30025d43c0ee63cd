import type { Values } from './naive.js'

interface Period {
  readonly from: string
  readonly to: string
}

interface Share {
  readonly numerator: number
  readonly denominator: number
}

/** What a learner must do themself for a day to be an active one. */
const deeds = [
  ...['opened', 'completed_task', 'repeated_session', 'peer_feedback', 'manager_check', 'assessed', 'completed'],
  ...['started', 'terminated', 'posted', 'replied', 'endorsed', 'reward_claimed', 'visited']
]

/** Counts active users from the naive learner-days, `person day` → column → value. */
export function naiveActiveUsers(
  days: Record<string, Values>,
  learners: readonly string[],
  periods: readonly Period[]
): readonly Share[] {
  return periods.map(({ from, to }) => ({
    numerator: learners.filter(learner => daysOf(days, learner, ['opened']).some(day => day >= from && day < to))
      .length,
    denominator: learners.length
  }))
}

/** Counts the learners who came back; every bracket closed long ago. */
export function naiveRepeatRate(
  days: Record<string, Values>,
  learners: readonly string[],
  periods: readonly Period[],
  windowDays: number
): readonly Share[] {
  return periods.map(({ from, to }) => {
    const active = learners.flatMap(learner => {
      const own = daysOf(days, learner, deeds)
      const first = own.find(day => day >= from && day < to)
      return first === undefined ? [] : [{ own, first }]
    })
    const returned = active.filter(({ own, first }) => {
      const last = new Date(Date.parse(first) + windowDays * 86_400_000).toISOString().slice(0, 10)
      return own.some(day => day > first && day <= last)
    })
    return { numerator: returned.length, denominator: active.length }
  })
}

/** The learner's days, in order, with at least one of the columns. */
function daysOf(days: Record<string, Values>, learner: string, columns: readonly string[]): readonly string[] {
  return Object.entries(days)
    .filter(([key, values]) => key.startsWith(`${learner} `) && columns.some(column => values[column] !== undefined))
    .map(([key]) => key.slice(learner.length + 1))
    .sort()
}
