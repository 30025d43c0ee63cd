import { type RawBuilder, sql } from 'kysely'
import { addDays, daysBetween } from './window.js'

/**
 * SQL for the full weeks of a period, of seven days each, counted from its first day: those that are over by the
 * beginning of today. What is still to come is not idleness.
 */
export function fullWeeks(today: string): RawBuilder<number> {
  return sql<number>`(greatest(0, least(ends, ${today}::date) - starts) / 7)`
}

/** SQL for whether a deed lies in them. */
export function isInFullWeeks(today: string): RawBuilder<boolean> {
  return sql<boolean>`(day < starts + 7 * ${fullWeeks(today)})`
}

/** The full weeks of a period as half-open days; nothing where it has none. */
export function inFullWeeks(today: string, { from, to }: { readonly from: string; readonly to: string }) {
  const weeks = Math.floor(Math.max(0, daysBetween(from, to < today ? to : today)) / 7)
  return weeks === 0 ? [] : [{ from, to: addDays(from, 7 * weeks) }]
}
