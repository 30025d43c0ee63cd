import { type RawBuilder, sql } from 'kysely'

/** A longer pause between two deeds of a learner ends the session; one of just this length does not. */
export const sessionGap = sql`interval '30 minutes'`

/**
 * The local days after its own on which a deed may stand before the next of its session, as a list of SQL. By the clock
 * and by the wall both, because between the two a zone may skip a day or come back to one.
 */
export function laterDays(
  timestamp: RawBuilder<unknown>,
  timeZone: RawBuilder<unknown>
): readonly RawBuilder<string>[] {
  return [
    sql`((${timestamp} + ${sessionGap}) at time zone ${timeZone})::date`,
    sql`((${timestamp} at time zone ${timeZone}) + ${sessionGap})::date`
  ]
}

/** SQL for whether the session of an `event` may reach into a day for which the test holds. */
export function isSessionDay(
  timeZone: RawBuilder<unknown>,
  isWanted: (day: RawBuilder<string>) => RawBuilder<unknown>
): RawBuilder<boolean> {
  const tests = laterDays(sql`event."timestamp"`, timeZone).map(day => sql`(${isWanted(day)})`)
  return sql<boolean>`(${sql.join(tests, sql` or `)})`
}
