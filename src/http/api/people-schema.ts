import { type TSchema, Type } from 'typebox'
import { type AttributeName, attributeNames, attributes } from '../../people/attributes.js'
import { mostChanges } from '../../people/rehearse-people.js'

// Control characters have no place in a name; PostgreSQL's text can't hold U+0000 at all.
const nameRules = { minLength: 1, maxLength: 500, pattern: '^[^\\u0000-\\u001f\\ud800-\\udfff]*$' }

// PostgreSQL has no year 0.
const dayRules = { format: 'date', pattern: '^(?!0000)' }

const Name = (description: string) => Type.String({ ...nameRules, description })

const orNull = <Type>(schema: { readonly type: string; readonly [rule: string]: unknown }) =>
  Type.Unsafe<Type | null>({ ...schema, type: [schema.type, 'null'] })

/** What each attribute means, for the reference. */
const meanings: Readonly<Record<AttributeName, string>> = {
  role: 'The role, such as `team-lead`',
  team: 'The team',
  managerId: "The manager's personId, who need not be known yet",
  region: 'The region',
  jobFamily: 'The job family',
  assignmentType: 'Why the person learns, such as `mandatory` or `voluntary`',
  hiredOn: 'First local day of the employment',
  leftOn: 'Last local day of the employment',
  cohorts: 'Named cohorts, as a set',
  demographics: 'Demographic groups by what they group by'
}

const examples: Readonly<Partial<Record<AttributeName, unknown>>> = {
  role: 'team-lead',
  team: 'north-1',
  managerId: '4700',
  hiredOn: '2024-02-01',
  cohorts: ['pilot'],
  demographics: { ageBand: '30-39' }
}

/** The form in which a value of each type is sent; null clears it. */
const sent = {
  text: { type: 'string', ...nameRules },
  day: { type: 'string', ...dayRules },
  names: { type: 'array', items: { type: 'string', ...nameRules }, maxItems: 1000 },
  groups: {
    type: 'object',
    propertyNames: nameRules,
    additionalProperties: { type: ['string', 'null'], ...nameRules },
    maxProperties: 100
  }
} as const

/** The form in which a value of each type is answered. */
const answered = {
  text: { type: ['string', 'null'] },
  day: { type: ['string', 'null'], format: 'date' },
  names: { type: 'array', items: { type: 'string' } },
  groups: { type: 'object', additionalProperties: { type: 'string' } }
} as const

const byAttribute = <Schema>(schemaOf: (name: AttributeName) => Schema) =>
  Object.fromEntries(attributeNames.map(name => [name, schemaOf(name)])) as Record<AttributeName, Schema>

const sentAttributes = byAttribute(name =>
  Type.Optional(orNull<unknown>({ ...sent[attributes[name].type], description: meanings[name] }))
)

const answeredAttributes = byAttribute(name =>
  Type.Unsafe<unknown>({ ...answered[attributes[name].type], description: meanings[name] })
)

const agentList = (description: string, rules: object = {}) =>
  Type.Array(Type.Unsafe<unknown>({ type: 'object', additionalProperties: true }), { ...rules, description })

const examplePerson = {
  personId: '4711',
  name: 'Ada Lovelace',
  agents: [{ mbox: 'mailto:ada@example.org' }],
  ...examples
}

const noAttributes = {
  region: null,
  jobFamily: null,
  assignmentType: null,
  leftOn: null
}

const exampleRange = { validFrom: null, validTo: null, ...examples, ...noAttributes }

const exampleFound = { ...examplePerson, ...exampleRange }

/** A person as they are sent. */
export const Person = Type.Object(
  {
    personId: Name("The organisation's own name for the person, such as a staff number"),
    name: Type.Optional(orNull<string>({ type: 'string', ...nameRules, description: 'For people to read' })),
    agents: agentList('The xAPI Agents that the person acts under; those known before stay', {
      minItems: 1,
      maxItems: 100
    }),
    validFrom: Type.Optional(
      Type.String({
        ...dayRules,
        description: 'First local day for which this holds; by default all time for a new person, today for a known one'
      })
    ),
    ...sentAttributes
  },
  {
    title: 'PersonRecord',
    description: 'A person of the roster',
    additionalProperties: false,
    examples: [examplePerson]
  }
)

const csvExample = [
  'personId,name,email,role,team,hiredOn,cohorts,demographics.ageBand',
  '4711,Ada Lovelace,ada@example.org,team-lead,north-1,2024-02-01,pilot;north,30-39',
  ''
].join('\n')

const text = (description: string, example: string) =>
  Type.Unsafe<unknown>({ type: 'string', description, examples: [example] })

/** People in each of the formats that are taken. */
export const PeopleBody = {
  content: {
    'application/json': { schema: Type.Array(Person, { examples: [[examplePerson]] }) },
    'application/x-ndjson': { schema: text('One person a line', `${JSON.stringify(examplePerson)}\n`) },
    'text/csv': { schema: text('A header row with the names of the columns, then a row for each person', csvExample) }
  }
}

const dryRun = Type.Optional(
  Type.Boolean({ default: false, description: 'Change nothing, and answer what would have changed' })
)

export const PutPeopleQuery = Type.Object({ dryRun }, { additionalProperties: false })

const Change = Type.Object({
  personId: Type.String(),
  change: Type.Enum(['created', 'updated'], { type: 'string' }),
  validFrom: orNull<string>({
    type: 'string',
    format: 'date',
    description: 'First day of what changes in the history; null for all time before, or for no change in it'
  }),
  attributes: Type.Unsafe<unknown>({
    type: 'object',
    description: 'The name and the attributes that differ on that day, each with `from` and `to`',
    additionalProperties: { type: 'object', properties: { from: {}, to: {} } }
  }),
  replacedRanges: Type.Integer({ description: 'Ranges that begin on that day or later, and would give way' }),
  agentsAdded: agentList('Agents that no person has yet'),
  agentsMoved: agentList('Agents with something done already, which would become what this person did')
})

export const PutPeopleAnswer = Type.Object(
  {
    received: Type.Integer(),
    created: Type.Integer(),
    updated: Type.Integer(),
    unchanged: Type.Integer(),
    changes: Type.Optional(
      Type.Immutable(
        Type.Array(Change, {
          description: `Only with dryRun: the first ${mostChanges} of those who would be created or updated`
        })
      )
    )
  },
  {
    title: 'PeopleOutcome',
    description: 'How many people were made or changed',
    examples: [{ received: 3, created: 1, updated: 1, unchanged: 1 }]
  }
)

const validity = {
  validFrom: orNull<string>({ type: 'string', format: 'date', description: 'First day; null for all time before' }),
  validTo: orNull<string>({ type: 'string', format: 'date', description: 'The day after the last; null for no end' })
}

const found = {
  personId: Type.String(),
  name: orNull<string>({ type: 'string' }),
  agents: agentList('The xAPI Agents that the person acts under'),
  ...validity,
  ...answeredAttributes
}

const at = Type.Optional(
  Type.String({ ...dayRules, description: "The local day that is asked about. Default: the tenant's today." })
)

const filterBy = (name: AttributeName) => Type.Optional(Name(`Only people with this ${name}, letter by letter`))

export const FindPeopleQuery = Type.Object(
  {
    q: Type.Optional(Name('How the personId or the name begins, whatever the case')),
    role: filterBy('role'),
    team: filterBy('team'),
    managerId: filterBy('managerId'),
    region: filterBy('region'),
    jobFamily: filterBy('jobFamily'),
    assignmentType: filterBy('assignmentType'),
    cohort: Type.Optional(Name('Only people in this named cohort')),
    at,
    includeLeft: Type.Optional(
      Type.Boolean({ default: false, description: 'Also those whose leftOn is before the day' })
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: 'People on a page' })),
    cursor: Type.Optional(
      Type.String({ minLength: 1, maxLength: 4000, description: 'The `nextCursor` of the page before' })
    )
  },
  { additionalProperties: false }
)

export const PeopleAnswer = Type.Object(
  {
    people: Type.Immutable(Type.Array(Type.Object(found))),
    nextCursor: orNull<string>({ type: 'string', description: 'Of the next page; null on the last' })
  },
  { examples: [{ people: [exampleFound], nextCursor: null }] }
)

export const PersonParameter = Type.Object({ personId: Name('Percent-encoded, so that it may have any character') })

export const FindPersonQuery = Type.Object({ at }, { additionalProperties: false })

export const PersonAnswer = Type.Object(
  {
    ...found,
    known: Type.Boolean({ description: 'Whether the roster says anything of the person on the day' }),
    mergedInto: orNull<string>({ type: 'string', description: 'Who this person was merged into; null for nobody' })
  },
  { examples: [{ ...exampleFound, known: true, mergedInto: null }] }
)

const AnsweredRange = Type.Object({ ...validity, ...answeredAttributes })

const ranges = (schema: TSchema) => Type.Immutable(Type.Array(schema))

export const HistoryAnswer = Type.Object(
  { personId: Type.String(), ranges: ranges(AnsweredRange) },
  { examples: [{ personId: '4711', ranges: [exampleRange] }] }
)

const sentDay = (description: string) => Type.Optional(orNull<string>({ type: 'string', ...dayRules, description }))

export const HistoryBody = Type.Object(
  {
    ranges: Type.Array(
      Type.Object(
        {
          validFrom: sentDay('First day; absent or null for all time before, in the first range only'),
          validTo: sentDay('The day after the last; absent or null for no end, in the last range only'),
          ...sentAttributes
        },
        { additionalProperties: false }
      ),
      {
        minItems: 1,
        maxItems: 1000,
        description: 'All ranges, in the order of their days; what is absent or null in one is not known then'
      }
    )
  },
  {
    additionalProperties: false,
    examples: [
      {
        ranges: [
          { validTo: '2026-03-01', team: 'south' },
          { validFrom: '2026-03-01', team: 'north' }
        ]
      }
    ]
  }
)

export const PutHistoryAnswer = Type.Object(
  {
    personId: Type.String(),
    changed: Type.Boolean(),
    from: ranges(AnsweredRange),
    to: ranges(AnsweredRange)
  },
  {
    examples: [{ personId: '4711', changed: true, from: [exampleRange], to: [{ ...exampleRange, team: 'north-2' }] }]
  }
)
