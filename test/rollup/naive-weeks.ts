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
    const at = key.lastIndexOf(' ')
    const sinceRow = (Date.parse(`${key.slice(at + 1)}T00:00:00Z`) - someRow) / 86_400_000
    const begins = new Date(someRow + Math.floor(sinceRow / rowDays) * rowDays * 86_400_000).toISOString().slice(0, 10)
    const name = `${key.slice(0, at)} ${begins}`
    const row = positions.get(name) ?? {}
    positions.set(name, row)
    const position = sinceRow - Math.floor(sinceRow / rowDays) * rowDays
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

function columnsOf(counts: Values): readonly string[] {
  const count = (column: string) => Number(counts[column] ?? 0)
  const isActive = deedKinds.some(kind => count(kind.replaceAll('-', '_')) > 0)
  return [
    ...(isActive ? ['active'] : []),
    ...sets.filter(set => count(set) > 0),
    ...numbers.flatMap(name => {
      const binary = Math.min(7, count(name)).toString(2).padStart(3, '0')
      return [4, 2, 1].flatMap((digit, at) => (binary[at] === '1' ? [`${name}_${digit}`] : []))
    }),
    ...(numbers.some(name => count(name) > 7) ? ['is_busy'] : [])
  ]
}
