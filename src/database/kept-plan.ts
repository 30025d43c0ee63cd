import type { Kysely, RawBuilder } from 'kysely'
import { placeOf, timed } from './prepared-query.js'
import type { Database } from './schema.js'

/** Texts whose plans are kept at most; each takes some 30 kB of each connection. */
const maxKept = 200

const names = new Map<string, string>()

/**
 * Runs a query that comes again and again with other values, and lets the connection keep its plan: to plan the query of
 * a page of statements takes PostgreSQL nearly as long as to run it.
 *
 * For queries alone of which every value is found in the same way, such as along an index that ends in the order of the
 * answer: a plan that is kept knows no values. PostgreSQL makes it after five runs, and only where it expects it to cost no
 * more than those; it makes it anew when a table has been analysed. In a transaction, and for texts beyond the first
 * 200, the query is planned each time.
 *
 * @see PostgreSQL manual, PREPARE, Notes
 */
export async function executeKept<Row extends object>(
  db: Kysely<Database>,
  query: RawBuilder<Row>
): Promise<readonly Row[]> {
  const place = placeOf(db)
  if (place === undefined) return (await query.execute(db)).rows
  const { sql: text, parameters } = query.compile(db)
  const name = nameOf(text)
  const config = { ...(name === null ? {} : { name }), text, values: [...parameters] }
  const { rows } = await timed(
    place,
    () => text,
    () => place.pool.query<Row>(config)
  )
  return rows
}

function nameOf(text: string): string | null {
  const known = names.get(text)
  if (known !== undefined) return known
  if (names.size >= maxKept) return null
  const name = `kept-${names.size}`
  names.set(text, name)
  return name
}
