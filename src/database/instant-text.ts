import { type RawBuilder, sql } from 'kysely'

/** SQL for an instant as RFC 3339 text in UTC, to the millisecond; null for null. */
export function toMilliseconds(instant: RawBuilder<unknown>): RawBuilder<string> {
  return sql<string>`to_char(${instant} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
}

/** SQL for an instant as RFC 3339 text in UTC, to the microsecond, as PostgreSQL keeps it; null for null. */
export function toMicroseconds(instant: RawBuilder<unknown>): RawBuilder<string> {
  return sql<string>`to_char(${instant} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
}
