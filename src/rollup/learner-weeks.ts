import { type RawBuilder, sql } from 'kysely'

/** How many days a row of `learner_weeks` covers. Their bits are an integer that a JavaScript number can hold. */
export const daysOfRow = 49

/** The Julian number of 1970-01-01; days are counted from the Julian day 0, a Monday. */
const julianEpoch = 2_440_588

const msPerDay = 86_400_000

/** Columns of `learner_weeks` that are the set of days with at least one such event. */
export type DaySet =
  | 'active'
  | 'delivered'
  | 'opened'
  | 'peer_feedback'
  | 'peer_feedback_received'
  | 'manager_check_received'

/** What is counted by day in three columns, the binary digits of the number. */
export type DayNumber =
  | 'completed_task'
  | 'posted'
  | 'replied'
  | 'endorsed'
  | 'reward_offered'
  | 'reward_claimed'
  | 'session_starts'

const digits = [1, 2, 4] as const

/** The most events of a kind on a day that the digits tell; a row that has a day with more is `is_busy`. */
const mostTold = 7

export const daySets: readonly DaySet[] = [
  'active',
  'delivered',
  'opened',
  'peer_feedback',
  'peer_feedback_received',
  'manager_check_received'
]

export const dayNumbers: readonly DayNumber[] = [
  'completed_task',
  'posted',
  'replied',
  'endorsed',
  'reward_offered',
  'reward_claimed',
  'session_starts'
]

/** Every column of `learner_weeks` but its key, in its order. */
export const weekColumns: readonly string[] = [
  ...daySets,
  ...dayNumbers.flatMap(name => digits.map(digit => `${name}_${digit}`)),
  'is_busy'
]

/** Every column of `learner_time` but its key, in its order. */
export const timeColumns: readonly string[] = ['active', 'timed', 'duration_ms', 'active_ms', 'calendar_durations']

/** The first day of the row that a local day is in. */
export function rowOf(day: string): string {
  const number = Date.parse(day) / msPerDay + julianEpoch
  return new Date((number - (number % daysOfRow) - julianEpoch) * msPerDay).toISOString().slice(0, 10)
}

/** Some days of a row of `learner_weeks`. */
export interface RowDays {
  /** The row's first day. */
  readonly begins: string
  /** The days as bits. */
  readonly days: number
}

/** Half-open days by the rows that they are in. */
export function rowsOf({ from, to }: { readonly from: string; readonly to: string }): readonly RowDays[] {
  const rows: RowDays[] = []
  for (let start = Date.parse(from), end = Date.parse(to); start < end; ) {
    const begins = rowOf(new Date(start).toISOString().slice(0, 10))
    const first = Date.parse(begins)
    const until = Math.min(end, first + daysOfRow * msPerDay)
    rows.push({ begins, days: 2 ** ((until - first) / msPerDay) - 2 ** ((start - first) / msPerDay) })
    start = until
  }
  return rows
}

/** SQL over a row of `learner_weeks` for the days with at least one of what is counted. */
export function daysWith(name: DayNumber): RawBuilder<number> {
  return sql<number>`(${sql.join(
    digits.map(digit => sql.ref(`${name}_${digit}`)),
    sql` | `
  )})`
}

/** SQL for how many days a set has. An integer: PostgreSQL adds them up to a bigint, and bigints in something slower. */
export function numberOfDays(days: RawBuilder<number>): RawBuilder<number> {
  return sql<number>`bit_count((${days})::bit(49))::integer`
}

/** SQL over a row of `learner_weeks` for how many of what is counted there were on some of its days, all in all. */
export function timesOn(days: RawBuilder<number>, names: readonly DayNumber[]): RawBuilder<number> {
  const told = names.flatMap(name =>
    digits.map(digit => sql`${sql.lit(digit)} * ${numberOfDays(sql`${sql.ref(`${name}_${digit}`)} & ${days}`)}`)
  )
  const untold = names.map(name => sql`greatest(0, busy.${sql.ref(name)} - ${sql.lit(mostTold)})`)
  return sql<number>`(${sql.join(told, sql` + `)} + case when is_busy then (
    select coalesce(sum(${sql.join(untold, sql` + `)}), 0)::integer from learner_day as busy
    where busy.tenant_id = weeks.tenant_id and busy.person_id = weeks.person_id
      and busy.day >= weeks.begins and busy.day < weeks.begins + ${sql.lit(daysOfRow)}
      and (${days} >> (busy.day - weeks.begins)) & 1 = 1) else 0 end)`
}
