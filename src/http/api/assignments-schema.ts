import { Type } from 'typebox'
import { mostChanges } from '../../people/rehearse-people.js'
import { problemResponses } from './problem-schema.js'

const tags = ['assignments']

// Control characters have no place in a name; PostgreSQL's text can't hold U+0000 at all.
const nameRules = { minLength: 1, maxLength: 500, pattern: '^[^\\u0000-\\u001f\\ud800-\\udfff]*$' }

// PostgreSQL has no year 0.
const dayRules = { format: 'date', pattern: '^(?!0000)' }

const Name = (description: string) => Type.String({ ...nameRules, description })
const Day = (description: string) => Type.String({ ...dayRules, description })

const orNull = (schema: { readonly type: string; readonly [rule: string]: unknown }) =>
  Type.Unsafe<string | null>({ ...schema, type: [schema.type, 'null'] })

const kind = Type.Enum(['activity', 'manager-check'], {
  type: 'string',
  description: 'Whether the person is to do an activity, or their manager is to check on them'
})

const example = {
  assignmentId: 'enrolment-88213',
  personId: '4711',
  kind: 'activity',
  activity: 'https://lms.example.org/courses/feedback-1',
  assignedOn: '2026-03-02',
  dueOn: '2026-03-31',
  withdrawnOn: null
}

/** The days of an assignment, and what each of them means. */
const days = {
  assignedOn: 'First local day',
  dueOn: 'Last local day on which it is done in time; a manager check must have it',
  withdrawnOn: 'First local day on which it holds no more'
}

const members = {
  assignmentId: Name("The LMS's own name for it, such as the number of an enrolment"),
  personId: Name('Who is to do it, or to be checked: the roster’s own name'),
  kind: Type.Optional(Type.Unsafe<unknown>({ ...kind, default: 'activity' })),
  activity: Type.Optional(
    orNull({
      type: 'string',
      minLength: 1,
      description: 'The IRI that the activity has in statements; a manager check has none'
    })
  ),
  assignedOn: Day(days.assignedOn),
  dueOn: Type.Optional(orNull({ type: 'string', ...dayRules, description: `${days.dueOn}. Null for no deadline.` })),
  withdrawnOn: Type.Optional(
    orNull({ type: 'string', ...dayRules, description: `${days.withdrawnOn}. Null while it was not withdrawn.` })
  )
}

/** An assignment as it is sent: whole, so that what is absent or null is not so. */
export const AssignmentRecord = Type.Object(members, {
  title: 'AssignmentRecord',
  description: 'What a person was given to do, or when their manager is to check on them',
  additionalProperties: false,
  examples: [example]
})

/** The columns of CSV. */
export const assignmentColumns: readonly string[] = Object.keys(members)

const csvExample = [
  assignmentColumns.join(','),
  'enrolment-88213,4711,activity,https://lms.example.org/courses/feedback-1,2026-03-02,2026-03-31,',
  'check-117,4711,manager-check,,2026-03-02,2026-03-13,',
  ''
].join('\n')

const text = (description: string, shown: string) =>
  Type.Unsafe<unknown>({ type: 'string', description, examples: [shown] })

const AssignmentsBody = {
  content: {
    'application/json': { schema: Type.Array(AssignmentRecord, { examples: [[example]] }) },
    'application/x-ndjson': { schema: text('One assignment a line', `${JSON.stringify(example)}\n`) },
    'text/csv': { schema: text('A header row with the names of the columns, then a row for each', csvExample) }
  }
}

const Change = Type.Object({
  assignmentId: Type.String(),
  change: Type.Enum(['created', 'updated'], { type: 'string' }),
  fields: Type.Unsafe<unknown>({
    type: 'object',
    description: 'The members that differ, each with `from` and `to`',
    additionalProperties: { type: 'object', properties: { from: {}, to: {} } }
  })
})

const PutAssignmentsAnswer = Type.Object(
  {
    received: Type.Integer(),
    created: Type.Integer(),
    updated: Type.Integer(),
    unchanged: Type.Integer(),
    changes: Type.Optional(
      Type.Immutable(
        Type.Array(Change, {
          description: `Only with dryRun: the first ${mostChanges} of those that would be created or updated`
        })
      )
    )
  },
  {
    title: 'AssignmentsOutcome',
    description: 'How many assignments were made or changed',
    examples: [{ received: 3, created: 1, updated: 1, unchanged: 1 }]
  }
)

export const putAssignmentsSchema = {
  operationId: 'putAssignments',
  tags,
  summary: 'Make or replace assignments, all of them or none',
  description: `Each record is whole: it replaces the assignment of the same \`assignmentId\`, and what is absent is null. Whom it names must be in the roster. In CSV an empty cell is absent.\n\nWith \`dryRun\` nothing is changed, and the answer has the first ${mostChanges} of those that would be.`,
  querystring: Type.Object(
    {
      dryRun: Type.Optional(
        Type.Boolean({ default: false, description: 'Change nothing, and answer what would have changed' })
      )
    },
    { additionalProperties: false }
  ),
  body: AssignmentsBody,
  response: { 200: PutAssignmentsAnswer, ...problemResponses(400, 401, 403, 408, 409, 413, 415) }
}

const Found = Type.Object({
  assignmentId: Type.String(),
  personId: Type.String({ description: 'Whom it was given for, also where they were merged into another since' }),
  kind,
  activity: orNull({ type: 'string', description: 'The IRI; null for a manager check' }),
  assignedOn: Day(days.assignedOn),
  dueOn: orNull({ type: 'string', format: 'date', description: `${days.dueOn}. Null for no deadline.` }),
  withdrawnOn: orNull({
    type: 'string',
    format: 'date',
    description: `${days.withdrawnOn}. Null while it was not withdrawn.`
  })
})

export const findAssignmentsSchema = {
  operationId: 'findAssignments',
  tags,
  summary: 'Find assignments, page by page',
  description: 'In the order of their assignmentId, withdrawn ones too. Several filters must all hold.',
  querystring: Type.Object(
    {
      personId: Type.Optional(Name('Those of the person, and of everybody who is merged into them')),
      activity: Type.Optional(Type.String({ minLength: 1, maxLength: 4000, description: "The activity's IRI" })),
      kind: Type.Optional(kind),
      dueFrom: Type.Optional(Day('Only those that are due on this local day or later')),
      dueBefore: Type.Optional(Day('Only those that are due before this local day')),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: 'Assignments on a page at most' })
      ),
      cursor: Type.Optional(
        Type.String({ minLength: 1, maxLength: 4000, description: 'The `nextCursor` of the page before' })
      )
    },
    { additionalProperties: false }
  ),
  response: {
    200: Type.Object(
      {
        assignments: Type.Immutable(Type.Array(Found)),
        nextCursor: orNull({ type: 'string', description: 'Of the next page; null on the last' })
      },
      { examples: [{ assignments: [example], nextCursor: null }] }
    ),
    ...problemResponses(400, 401, 403)
  }
}

export const deleteAssignmentSchema = {
  operationId: 'deleteAssignment',
  tags,
  summary: 'Delete an assignment, as if it had never been',
  description: 'For one that was sent by mistake. One that ended keeps its past with `withdrawnOn` instead.',
  params: Type.Object({ assignmentId: Name('Percent-encoded, so that it may have any character') }),
  response: { 204: Type.Null(), ...problemResponses(400, 401, 403, 404) }
}
