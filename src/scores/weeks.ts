import { addDays } from '../metrics/window.js'
import type { ScoreWindow } from './score.js'

/** The stretches of 7 local days that end with a day, the oldest first; `to` is the day after the last. */
export function weeksBefore(to: string, count: number): readonly ScoreWindow[] {
  return weeksFrom(addDays(to, -7 * count), count)
}

/** The stretches of 7 local days that begin with a day, the oldest first. */
export function weeksFrom(from: string, count: number): readonly ScoreWindow[] {
  return Array.from({ length: count }, (_, week) => ({
    from: addDays(from, 7 * week),
    to: addDays(from, 7 * (week + 1))
  }))
}
