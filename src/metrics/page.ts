import { createHash } from 'node:crypto'
import { LrsError } from '../errors.js'

/** Cells on a page at most, and how many there are when nobody says. */
export const maxPageCells = 10_000
export const defaultPageCells = 1_000

/** Where a page begins. */
export interface PageStart<Place> {
  /** The instant that every page of the answer is about. */
  readonly asOf: Date
  /** What the page before ended with. */
  readonly place: Place
}

/**
 * Reads where a page begins; a cursor belongs to the query that it was given for.
 *
 * @param query what the pages have in common.
 * @throws {LrsError} `invalid-parameter`
 */
export function readCursor<Place>(
  cursor: string,
  query: unknown,
  isPlace: (place: unknown) => place is Place
): PageStart<Place> {
  const [asOf, digest, place] = parse(cursor)
  const time = Date.parse(String(asOf))
  if (digest === digestOf(query) && !Number.isNaN(time) && isPlace(place)) return { asOf: new Date(time), place }
  throw new LrsError(
    'invalid-parameter',
    'cursor is none that this query was given: send the query unchanged with it',
    {
      pointer: '/cursor'
    }
  )
}

/** Writes where the next page begins. */
export function writeCursor<Place>({ asOf, place }: PageStart<Place>, query: unknown): string {
  return Buffer.from(JSON.stringify([asOf.toISOString(), digestOf(query), place])).toString('base64url')
}

/** Whether a place is a number of entries that come before. */
export function isSkip(place: unknown): place is number {
  return Number.isSafeInteger(place) && Number(place) >= 0
}

function parse(cursor: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(parts) ? parts : []
  } catch {
    return []
  }
}

function digestOf(query: unknown): string {
  return createHash('sha256').update(JSON.stringify(query)).digest('base64url').slice(0, 16)
}
