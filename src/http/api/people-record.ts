import { Compile } from 'typebox/compile'
import { type ErrorPlace, LrsError } from '../../errors.js'
import type { PersonRecord } from '../../people/person-record.js'
import { ifiOf } from '../../xapi/ifi.js'
import type { Actor } from '../../xapi/statement.js'
import { validateAgent } from '../../xapi/validate.js'
import { Person } from './people-schema.js'

/** Where in a body a person stands. */
export interface RecordPlace {
  /** Counted from 0. */
  readonly index: number
  /** From 1, for formats of lines. */
  readonly line?: number
  /** The column that gave the value at a pointer, for CSV. */
  readonly columnOf?: (pointer: string) => string | undefined
}

const person = Compile(Person)

type PersonBody = Omit<PersonRecord, 'agents'> & { readonly agents: readonly unknown[] }

/**
 * Makes a record of a person as sent.
 *
 * @throws {LrsError} `invalid-body` with the person's place and the pointer to the value at fault.
 */
export function readRecord(value: unknown, place: RecordPlace): PersonRecord {
  if (!person.Check(value)) {
    const [first] = person.Errors(value)
    // A member that the schema does not have meets the schema `false`.
    const message = first?.keyword === 'boolean' ? 'there is no such field' : String(first?.message)
    throw faultOf(place, String(first?.instancePath), message)
  }
  const body = value as PersonBody
  const agents = body.agents.map((agent, position) => {
    const violation = validateAgent(agent, '1.0.3')
    // It is valid, so it has an identifier.
    if (violation === null) return String(ifiOf(agent as Actor))
    throw faultOf(place, `/agents/${position}${violation.pointer}`, violation.message, violation.rule)
  })
  return { ...body, agents }
}

/** The refusal of a person: the message says where, in the format's own terms. */
export function faultOf(place: RecordPlace, pointer: string, message: string, rule?: string): LrsError {
  return new LrsError('invalid-body', `${whereIs(place, pointer)}: ${message}`, {
    ...errorPlaceOf(place, pointer),
    ...(rule === undefined ? {} : { rule })
  })
}

function whereIs({ index, line, columnOf }: RecordPlace, pointer: string): string {
  const column = columnOf?.(pointer)
  const value = column === undefined ? pointer : `column ${column}`
  return [line === undefined ? `Person ${index}` : `Line ${line}`, value].filter(part => part !== '').join(', ')
}

/** A place as an answer shows it. */
export function errorPlaceOf({ index, line, columnOf }: RecordPlace, pointer: string): ErrorPlace {
  const column = columnOf?.(pointer)
  return {
    index,
    pointer,
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column })
  }
}
