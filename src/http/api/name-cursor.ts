import { LrsError } from '../../errors.js'

/** A place among what is ordered by its name: the last name of a page, so that it means nothing to who doesn't have it. */
export function writeCursor(name: string): string {
  return Buffer.from(name).toString('base64url')
}

/** @throws {LrsError} `invalid-parameter` for what no page has given. */
export function readCursor(cursor: string): string {
  const name = Buffer.from(cursor, 'base64url').toString()
  if (name !== '' && !name.includes('\u0000') && writeCursor(name) === cursor) return name
  throw new LrsError('invalid-parameter', 'The cursor is not one that an answer has given', { pointer: '/cursor' })
}
