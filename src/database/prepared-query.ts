import { type Kysely, type RawBuilder, sql } from 'kysely'
import type pg from 'pg'
import type { QueryDone } from './query-done.js'
import type { Database } from './schema.js'

/** A query that each connection parses once and keeps; its parameters are given by their names. */
export interface PreparedQuery {
  /** Names the query within a connection: one name, one text. */
  readonly name: string
  readonly text: string
  /** The names of $1, $2 and so on. */
  readonly parameters: readonly string[]
  /** The values of those parameters that are always the same. */
  readonly constants: Readonly<Record<string, string>>
}

/** A value on the wire: text as PostgreSQL reads it, bytes in its binary format, or null. */
export type WireValue = string | Buffer | null

/** A prepared query with the values of its parameters by their names. */
export interface Step {
  readonly query: PreparedQuery
  readonly values: Readonly<Record<string, WireValue>>
}

/** A row of an answer, each column as PostgreSQL's text. */
export type TextRow = readonly (string | null)[]

/** Stands in a query for a value that comes later. */
interface Parameter {
  readonly parameter: string
}

/** Where queries run that go past Kysely, and who hears of them. */
interface Place {
  readonly pool: pg.Pool
  readonly onQuery: ((query: QueryDone) => void) | undefined
}

const places = new WeakMap<object, Place>()
const preparedOn = new WeakMap<object, Set<string>>()

/** Lets queries that go past Kysely use a database's pool. */
export function usePool(db: Kysely<Database>, place: Place): void {
  places.set(db, place)
}

/** Where queries of a database run that go past Kysely; undefined for a transaction. */
export function placeOf(db: Kysely<Database>): Place | undefined {
  return places.get(db)
}

/** Does work that goes past Kysely, and tells who listens how long it took, as Kysely does of its own queries. */
export async function timed<Result>(
  { onQuery }: Place,
  textOf: () => string,
  work: () => Promise<Result>
): Promise<Result> {
  const began = performance.now()
  const tell = (hasFailed: boolean) => onQuery?.({ sql: textOf(), durationMs: performance.now() - began, hasFailed })
  try {
    const result = await work()
    tell(false)
    return result
  } catch (error) {
    tell(true)
    throw error
  }
}

/** Stands for a value that is given by this name when the query runs; needs a cast that tells its type. */
export function parameter(name: string): RawBuilder<unknown> {
  return sql`${{ parameter: name } satisfies Parameter}`
}

/** Makes what compiles a query for a database, once for all times that it runs. */
export function prepareQuery(name: string, makeQuery: () => RawBuilder<unknown>) {
  const compiled = new WeakMap<object, PreparedQuery>()
  return (db: Kysely<Database>): PreparedQuery => {
    const known = compiled.get(db)
    if (known !== undefined) return known
    const made = compile(db, name, makeQuery())
    compiled.set(db, made)
    return made
  }
}

/**
 * A step before those whose plans should never scan a table from end to end: a connection keeps the plan of a prepared
 * query, and while tables are empty that looks cheapest.
 */
export const withoutScans = prepareQuery('without-scans', () => sql`select set_config('enable_seqscan', 'off', true)`)

function compile(db: Kysely<Database>, name: string, query: RawBuilder<unknown>): PreparedQuery {
  const { sql: text, parameters } = query.compile(db)
  const places = parameters.map(value => (isParameter(value) ? value.parameter : `=${String(value)}`))
  const names = [...new Set(places)]
  // A value that is asked for in several places is sent once.
  const numbered = text.replace(/\$(\d+)/g, (_, place) => `$${names.indexOf(places[Number(place) - 1] ?? '') + 1}`)
  const constants = Object.fromEntries(
    parameters.flatMap(value => (isParameter(value) ? [] : [[`=${String(value)}`, String(value)]]))
  )
  return { name, text: numbered, parameters: names, constants }
}

function isParameter(value: unknown): value is Parameter {
  return typeof value === 'object' && value !== null && 'parameter' in value
}

/**
 * Runs prepared queries one after the other in a transaction of their own, in one round trip: PostgreSQL gets them all
 * at once, begins the transaction with the first and commits after the last. Each sees what was committed before it
 * began, as in a transaction of many round trips. When one fails, nothing of any is kept.
 *
 * @returns the rows of each.
 * @see PostgreSQL manual, Frontend/Backend Protocol, Pipelining
 */
export async function runTogether(db: Kysely<Database>, steps: readonly Step[]): Promise<readonly TextRow[][]> {
  const place = placeOf(db)
  if (place === undefined) throw new TypeError('Prepared queries need a database of openDatabase, and no transaction')
  const client = await place.pool.connect()
  const ask = () =>
    new Promise<TextRow[][]>((resolve, reject) => {
      client.query(submittable(steps, { resolve, reject }))
    })
  try {
    const rows = await timed(place, () => textOf(steps), ask)
    client.release()
    return rows
  } catch (error) {
    // Which of the queries it has parsed is not known, so the connection is not used again.
    client.release(true)
    throw error
  }
}

function textOf(steps: readonly Step[]): string {
  return steps.map(({ query }) => query.text).join(';')
}

interface Outcome {
  readonly resolve: (rows: TextRow[][]) => void
  readonly reject: (error: unknown) => void
}

/** What the driver calls while it works on something that it was handed to submit. */
function submittable(steps: readonly Step[], { resolve, reject }: Outcome) {
  const answers: TextRow[][] = [[]]
  return {
    submit: (connection: pg.Connection) => send(connection, steps),
    handleDataRow: ({ fields }: { readonly fields: TextRow }) => answers.at(-1)?.push(fields),
    handleCommandComplete: () => answers.push([]),
    handleError: reject,
    handleReadyForQuery: (connection: pg.Connection) => {
      const prepared = preparedOf(connection)
      for (const { query } of steps) prepared.add(query.name)
      resolve(answers.slice(0, -1))
    }
  }
}

function send(connection: pg.Connection, steps: readonly Step[]): null {
  const prepared = new Set(preparedOf(connection))
  // Otherwise each message is a packet of its own.
  connection.stream.cork()
  for (const { query, values } of steps) {
    if (!prepared.has(query.name)) connection.parse({ name: query.name, text: query.text, types: [] }, true)
    prepared.add(query.name)
    connection.bind({ statement: query.name, values: valuesOf(query, values) }, true)
    connection.execute({}, true)
  }
  connection.sync()
  connection.stream.uncork()
  return null
}

function valuesOf({ parameters, constants }: PreparedQuery, values: Step['values']): WireValue[] {
  return parameters.map(name => values[name] ?? constants[name] ?? null)
}

function preparedOf(connection: pg.Connection): Set<string> {
  const known = preparedOn.get(connection)
  if (known !== undefined) return known
  const made = new Set<string>()
  preparedOn.set(connection, made)
  return made
}
