import { type RawBuilder, sql } from 'kysely'

/** The pause that ends a session when nobody asks for another, in minutes. */
export const sessionGapMinutes = 30

/** A longer pause between two deeds of a learner ends the session; one of just this length does not. */
export const sessionGap = sessionGapOf(sessionGapMinutes)

/** SQL for the pause that ends a session. */
export function sessionGapOf(minutes: number): RawBuilder<unknown> {
  return sql`interval ${sql.lit(`${minutes} minutes`)}`
}

/**
 * The local days after its own on which a deed may stand before the next of its session, as a list of SQL. By the clock
 * and by the wall both, because between the two a zone may skip a day or come back to one.
 */
export function laterDays(
  timestamp: RawBuilder<unknown>,
  timeZone: RawBuilder<unknown>,
  gap: RawBuilder<unknown> = sessionGap
): readonly RawBuilder<string>[] {
  return [
    sql`((${timestamp} + ${gap}) at time zone ${timeZone})::date`,
    sql`((${timestamp} at time zone ${timeZone}) + ${gap})::date`
  ]
}

/** SQL for whether the session of an `event` may reach into a day for which the test holds. */
export function isSessionDay(
  timeZone: RawBuilder<unknown>,
  isWanted: (day: RawBuilder<string>) => RawBuilder<unknown>,
  gap: RawBuilder<unknown> = sessionGap
): RawBuilder<boolean> {
  const tests = laterDays(sql`event."timestamp"`, timeZone, gap).map(day => sql`(${isWanted(day)})`)
  return sql<boolean>`(${sql.join(tests, sql` or `)})`
}
