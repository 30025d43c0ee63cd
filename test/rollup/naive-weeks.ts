import { deedKinds } from '../../src/events/deed-kinds.js'
import { type Values, withoutZeros } from './naive.js'

const sets = ['delivered', 'opened', 'peer_feedback', 'peer_feedback_received', 'manager_check_received']
const numbers = [
  'completed_task',
  'posted',
  'replied',
  'endorsed',
  'reward_offered',
  'reward_claimed',
  'session_starts'
]
const rowDays = 49

/** A Monday from which rows of weeks are counted, in both directions. */
const someRow = Date.parse('2025-12-15T00:00:00Z')

/**
 * The rows of `learner_weeks`, by `name begins`, that follow from learner-days by `name day`: a list of positions of days
 * at first, made a number at the end.
 */
export function naiveWeeks(days: Record<string, Values>): Record<string, Values> {
  const positions = new Map<string, Record<string, Set<number>>>()
  for (const [key, counts] of Object.entries(days)) {
    const { name, position } = placeOf(key)
    const row = positions.get(name) ?? {}
    positions.set(name, row)
    for (const column of columnsOf(counts)) row[column] = (row[column] ?? new Set()).add(position)
  }
  const toRow = ({ is_busy, ...columns }: Record<string, Set<number>>): Values => ({
    ...Object.fromEntries(
      Object.entries(columns).map(([column, places]) => [
        column,
        [...places].reduce((sum, place) => sum + 2 ** place, 0)
      ])
    ),
    is_busy: is_busy !== undefined
  })
  return withoutZeros(Object.fromEntries([...positions].map(([name, row]) => [name, toRow(row)])))
}

/** The row, `name begins`, of a learner-day `name day`, and how far the day is from the row's first. */
function placeOf(key: string) {
  const at = key.lastIndexOf(' ')
  const sinceRow = (Date.parse(`${key.slice(at + 1)}T00:00:00Z`) - someRow) / 86_400_000
  const before = Math.floor(sinceRow / rowDays) * rowDays
  const begins = new Date(someRow + before * 86_400_000).toISOString().slice(0, 10)
  return { name: `${key.slice(0, at)} ${begins}`, position: sinceRow - before }
}

const count = (counts: Values, column: string) => Number(counts[column] ?? 0)

const isActive = (counts: Values) => deedKinds.some(kind => count(counts, kind.replaceAll('-', '_')) > 0)

/** The rows of `learner_time`, by `name begins`, that follow from learner-days by `name day`. */
export function naiveTime(days: Record<string, Values>): Record<string, Values> {
  const rows = new Map<string, { readonly position: number; readonly counts: Values }[]>()
  for (const [key, counts] of Object.entries(days).filter(([, counts]) => isActive(counts))) {
    const { name, position } = placeOf(key)
    rows.set(name, [...(rows.get(name) ?? []), { position, counts }])
  }
  const bits = (row: readonly { readonly position: number }[]) =>
    row.reduce((sum, { position }) => sum + 2 ** position, 0)
  const toRow = (row: readonly { readonly position: number; readonly counts: Values }[]): Values => {
    const inTime = [...row].sort((a, b) => a.position - b.position)
    const sums = (column: string) => {
      let sum = 0
      const all = inTime.map(({ counts }) => (sum += count(counts, column)))
      return sum === 0 ? null : all
    }
    return {
      active: bits(row),
      timed: bits(row.filter(({ counts }) => count(counts, 'durations') > 0)),
      ...Object.fromEntries(['duration_ms', 'active_ms', 'calendar_durations'].map(column => [column, sums(column)]))
    }
  }
  return withoutZeros(Object.fromEntries([...rows].map(([name, row]) => [name, toRow(row)])))
}

function columnsOf(counts: Values): readonly string[] {
  return [
    ...(isActive(counts) ? ['active'] : []),
    ...sets.filter(set => count(counts, set) > 0),
    ...numbers.flatMap(name => {
      const binary = Math.min(7, count(counts, name)).toString(2).padStart(3, '0')
      return [4, 2, 1].flatMap((digit, at) => (binary[at] === '1' ? [`${name}_${digit}`] : []))
    }),
    ...(numbers.some(name => count(counts, name) > 7) ? ['is_busy'] : [])
  ]
}
