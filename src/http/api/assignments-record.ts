import { Compile } from 'typebox/compile'
import type { Assignment } from '../../people/assignment.js'
import { isIri } from '../../xapi/formats.js'
import { AssignmentRecord, assignmentColumns } from './assignments-schema.js'
import type { CsvShape } from './csv-rows.js'
import type { RecordKind } from './record-body.js'
import { faultOf, type RecordPlace, schemaFaultOf } from './record-place.js'

const record = Compile(AssignmentRecord)

type AssignmentBody = Pick<Assignment, 'assignmentId' | 'personId' | 'assignedOn'> & Partial<Assignment>

/** A cell is a member of its column's name; an empty one is absent. */
const columns: CsvShape = {
  key: 'assignmentId',
  isColumn: column => assignmentColumns.includes(column),
  valueOf: cells => ({
    value: Object.fromEntries(cells),
    columnOf: pointer => (pointer === '' ? undefined : pointer.slice(1))
  })
}

/** Assignments, as an LMS sends them. */
export const assignmentKind: RecordKind<Assignment> = {
  one: 'Assignment',
  many: 'assignments',
  read: readAssignment,
  csv: columns,
  rows: null
}

/**
 * Makes an assignment of a record as sent.
 *
 * @throws {LrsError} `invalid-body` with the record's place and the pointer to the value at fault.
 */
function readAssignment(value: unknown, place: RecordPlace): Assignment {
  if (!record.Check(value)) throw schemaFaultOf(place, record.Errors(value)[0])
  const { kind = 'activity', activity = null, dueOn = null, withdrawnOn = null, ...rest } = value as AssignmentBody
  if (kind === 'activity') {
    if (activity === null) throw faultOf(place, '/activity', 'must be there, for it says what was assigned')
    if (!isIri(activity)) throw faultOf(place, '/activity', 'must be an IRI with a scheme and without spaces')
  } else {
    if (activity !== null) throw faultOf(place, '/activity', 'must not be there, for a manager check is of a person')
    if (dueOn === null) throw faultOf(place, '/dueOn', 'must be there: without it a manager check is never due')
  }
  return { ...rest, kind, activity, dueOn, withdrawnOn }
}
