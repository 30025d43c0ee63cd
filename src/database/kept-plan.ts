import type { Kysely, RawBuilder } from 'kysely'
import { placeOf, timed } from './prepared-query.js'
import type { Database } from './schema.js'

/** What comes again and again, and the texts of each whose plans are kept at most. */
const limits = {
  /** Pages of statements: each takes some 30 kB of each connection. */
  page: 200,
  /** Metrics of a cohort: each takes some 700 kB. */
  cohort: 40
} as const

export type KeptKind = keyof typeof limits

const names: Readonly<Record<KeptKind, Map<string, string>>> = { page: new Map(), cohort: new Map() }

/**
 * Runs a query that comes again and again with other values, and lets the connection keep its plan: to plan the query of
 * a page of statements takes PostgreSQL nearly as long as to run it.
 *
 * For queries alone of which every value is found in the same way, such as along an index that ends in the order of the
 * answer, or which decide while they run: a plan that is kept knows no values. PostgreSQL makes it after five runs, and only
 * where it expects it to cost no more than those; it makes it anew when a table has been analysed. In a transaction, and for
 * texts beyond the first of a kind, the query is planned each time.
 *
 * @see PostgreSQL manual, PREPARE, Notes
 */
export async function executeKept<Row extends object>(
  db: Kysely<Database>,
  query: RawBuilder<Row>,
  kind: KeptKind
): Promise<readonly Row[]> {
  const place = placeOf(db)
  if (place === undefined) return (await query.execute(db)).rows
  const { sql: text, parameters } = query.compile(db)
  const name = nameOf(kind, text)
  const config = { ...(name === null ? {} : { name }), text, values: [...parameters] }
  const { rows } = await timed(
    place,
    () => text,
    () => place.pool.query<Row>(config)
  )
  return rows
}

function nameOf(kind: KeptKind, text: string): string | null {
  const known = names[kind].get(text)
  if (known !== undefined) return known
  const { size } = names[kind]
  if (size >= limits[kind]) return null
  const name = `kept-${kind}-${size}`
  names[kind].set(text, name)
  return name
}
