import { type ErrorPlace, LrsError } from '../../errors.js'

/** Where in a body a record stands. */
export interface RecordPlace {
  /** What it is called in a message, such as `Person`. */
  readonly one: string
  /** Counted from 0. */
  readonly index: number
  /** From 1, for formats of lines. */
  readonly line?: number
  /** The column that gave the value at a pointer, for CSV. */
  readonly columnOf?: (pointer: string) => string | undefined
}

/** The refusal of a record: the message says where, in the format's own terms. */
export function faultOf(place: RecordPlace, pointer: string, message: string, rule?: string): LrsError {
  return new LrsError('invalid-body', `${whereIs(place, pointer)}: ${message}`, {
    ...errorPlaceOf(place, pointer),
    ...(rule === undefined ? {} : { rule })
  })
}

function whereIs({ one, index, line, columnOf }: RecordPlace, pointer: string): string {
  const column = columnOf?.(pointer)
  const value = column === undefined ? pointer : `column ${column}`
  return [line === undefined ? `${one} ${index}` : `Line ${line}`, value].filter(part => part !== '').join(', ')
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

/** The first thing that a schema finds wrong with a value, as `Errors` of its compiled form tells it. */
export interface SchemaFault {
  readonly keyword: string
  readonly message: string
  readonly instancePath: string
}

/** The refusal of a record that breaks its schema. */
export function schemaFaultOf(place: RecordPlace, fault: SchemaFault | undefined): LrsError {
  // A member that the schema does not have meets the schema `false`.
  const message = fault?.keyword === 'boolean' ? 'there is no such field' : String(fault?.message)
  return faultOf(place, String(fault?.instancePath), message)
}
