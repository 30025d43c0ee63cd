import { randomUUID } from 'node:crypto'
import { type PreparedStatement, prepareStatement } from '../../src/xapi/prepare.js'

/** Prepares statements as a request would bring them, under this authority, JSON text. */
export function receiveStatements(statements: readonly unknown[], authority: string): readonly PreparedStatement[] {
  return statements.map(value =>
    prepareStatement({ text: JSON.stringify(value), value }, { makeId: randomUUID, authority, version: '1.0.3' })
  )
}
