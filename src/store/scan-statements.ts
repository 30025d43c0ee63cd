import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/schema.js'

/** A place in the order of arrival; null is before the first. */
export interface ScanPosition {
  readonly stored: string | null
  readonly seq: number
}

/** Which statements are read. */
export interface Scan {
  readonly tenantId: number
  /** Only those with this verb; null for all. */
  readonly verbId: number | null
  readonly after: ScanPosition
  /** Only those up to this `seq`; null for all. */
  readonly upTo: number | null
  readonly limit: number
}

/** A stored statement on a scan; instants as PostgreSQL writes them. */
export interface ScannedStatement {
  readonly seq: number
  readonly id: string
  readonly stored: string
  readonly timestamp: string
  readonly text: string
}

/** A page is cut before its texts take more than this, unless the first one does by itself. */
const pageBytes = 16 * 1024 * 1024

/**
 * Reads stored statements in the order of arrival, along an index: at most so many, and about 16 MiB of text.
 *
 * @returns an empty list only at the end.
 */
export async function scanStatements(
  db: Kysely<Database>,
  { tenantId, verbId, after, upTo, limit }: Scan
): Promise<readonly ScannedStatement[]> {
  const ofVerb = verbId === null ? sql`` : sql`and verb_id = ${verbId}`
  const until = upTo === null ? sql`` : sql`and seq <= ${upTo}`
  const { rows } = await sql<ScannedStatement>`
    select seq, id, stored, "timestamp", text
    from (
      select page.*, sum(octet_length(text)) over (order by stored, seq) - octet_length(text) as bytes_before
      from (
        select seq, id, stored, "timestamp", text
        from statement
        where tenant_id = ${tenantId} ${ofVerb} ${until}
          and (stored, seq) > (coalesce(${after.stored}::timestamptz, '-infinity'), ${after.seq}::bigint)
        order by stored, seq limit ${limit}
      ) as page
    ) as page
    where bytes_before < ${pageBytes}
    order by stored, seq`.execute(db)
  return rows
}
