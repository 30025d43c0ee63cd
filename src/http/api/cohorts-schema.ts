import { Type } from 'typebox'
import { filterLimits, nameAttributes, namePattern, tenureBands } from '../../people/cohort-filter.js'

/** A filter by its name, wherever it stands; it refers to itself. */
export const filterReference = { $ref: 'CohortFilter#' }

const names = (description: string) => ({
  type: 'array',
  description,
  items: { type: 'string', minLength: 1, maxLength: filterLimits.nameLength, pattern: namePattern },
  minItems: 1,
  maxItems: filterLimits.values
})

const only = (name: string, schema: object) => ({
  type: 'object',
  properties: { [name]: schema },
  required: [name],
  additionalProperties: false
})

const list = (description: string) => ({
  type: 'array',
  description,
  items: filterReference,
  minItems: 1,
  maxItems: filterLimits.leaves
})

const attributes: Readonly<Record<(typeof nameAttributes)[number], string>> = {
  role: 'Has one of the roles',
  team: 'Is in one of the teams',
  manager: 'Reports directly to one of the persons with these personIds',
  line: 'Is anywhere in the line below one of the persons with these personIds',
  region: 'Is in one of the regions',
  jobFamily: 'Belongs to one of the job families',
  assignmentType: 'Has one of the assignment types',
  cohort: 'Is in one of the cohorts that the roster itself names; never a saved filter',
  person: 'Is one of the persons with these personIds'
}

/** The filter as a component of the OpenAPI document; `parseCohortFilter` checks the same, and its limits as well. */
export const cohortFilterComponent = {
  $id: 'CohortFilter',
  description: `One condition, or a combination: an object with one member. At most ${filterLimits.depth} levels deep, with ${filterLimits.leaves} conditions of ${filterLimits.values} values each.`,
  examples: [{ and: [{ region: ['north', 'east'] }, { not: { line: ['4711'] } }] }],
  anyOf: [
    only('and', list('All of these')),
    only('or', list('Any of these')),
    only('not', filterReference),
    ...nameAttributes.map(name => only(name, names(attributes[name]))),
    only('demographic', {
      type: 'object',
      description: 'Has one of the values under a key of the demographics',
      properties: {
        key: { type: 'string', minLength: 1, maxLength: filterLimits.nameLength, pattern: namePattern },
        values: names('Any of these')
      },
      required: ['key', 'values'],
      additionalProperties: false
    }),
    only('tenureBand', {
      type: 'array',
      description:
        "Whole months since the day of hire, by the end of the period: [0, 12), [12, 36) or [36, ∞). Whose day of hire isn't known is in none.",
      items: { type: 'string', enum: [...tenureBands] },
      minItems: 1
    })
  ]
}

const cohortName = Type.String({
  minLength: 1,
  maxLength: 500,
  pattern: namePattern,
  description: 'For people to read',
  examples: ['Engineers of the north']
})

const savedId = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$',
  description: 'Letters, digits and `.`, `_`, `~`, `-`; a letter or digit first; at most 100',
  examples: ['north-engineers']
})

/** The address of a saved filter. */
export const SavedCohortParameter = Type.Object({ cohortId: savedId })

/** The address of a saved filter or of a cohort that the roster names. */
export const CohortParameter = Type.Object({
  cohortId: Type.String({
    minLength: 1,
    maxLength: 500,
    pattern: namePattern,
    description: 'The id of a saved filter, or else the name of a cohort of the roster'
  })
})

/** What a saved filter is made from. */
export const NewCohort = Type.Object(
  { name: Type.Optional(cohortName), filter: Type.Unsafe<unknown>(filterReference) },
  {
    additionalProperties: false,
    examples: [{ name: 'Engineers of the north', filter: { and: [{ role: ['engineer'] }, { region: ['north'] }] } }]
  }
)

const instant = (description: string) => Type.String({ format: 'date-time', description })
const orNull = (type: 'string' | 'integer', description: string) =>
  Type.Unsafe<string | number | null>({ type: [type, 'null'], description })

/** A saved filter. */
export const SavedCohort = Type.Object(
  {
    id: Type.String(),
    name: orNull('string', 'For people to read; null where none was given'),
    filter: Type.Unsafe<unknown>(filterReference),
    createdAt: instant('When it was first saved'),
    updatedAt: instant('When it was last saved')
  },
  {
    title: 'SavedCohort',
    description: 'A saved filter',
    examples: [
      {
        id: 'north-engineers',
        name: 'Engineers of the north',
        filter: { and: [{ role: ['engineer'] }, { region: ['north'] }] },
        createdAt: '2026-03-02T08:00:00.000Z',
        updatedAt: '2026-03-02T08:00:00.000Z'
      }
    ]
  }
)

const cursor = Type.Optional(
  Type.String({ maxLength: 2000, description: 'Where the page begins: `next` of the page before' })
)

const limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: 'At most so many on the page. Default: 100' })
)

const next = orNull('string', 'The `cursor` of the next page; null on the last one')

export const CohortsQuery = Type.Object({ cursor, limit }, { additionalProperties: false })

export const CohortList = Type.Object(
  {
    asOf: Type.String({ format: 'date', description: "The local day as of which the roster's cohorts are counted" }),
    cohorts: Type.Array(
      Type.Object({
        id: Type.String({ description: 'As the parameter `cohort` of a metric takes it' }),
        kind: Type.Enum(['roster', 'saved'], { type: 'string', description: 'Named by the roster, or a saved filter' }),
        name: orNull('string', 'Of a saved one, for people to read'),
        filter: Type.Optional(Type.Unsafe<unknown>(filterReference)),
        size: orNull(
          'integer',
          "How many learners are in it; null where hidden, and of a saved one, which isn't counted"
        ),
        suppressed: Type.Boolean({
          description:
            'The size is hidden, because it is 1 to `MIN_GROUP_SIZE - 1` and the caller may not read the roster'
        })
      })
    ),
    next
  },
  {
    title: 'CohortList',
    description: 'Saved filters and cohorts of the roster',
    examples: [
      {
        asOf: '2026-03-02',
        cohorts: [{ id: 'pilot', kind: 'roster', name: null, size: 200, suppressed: false }],
        next: null
      }
    ]
  }
)

const day = Type.String({
  format: 'date',
  // PostgreSQL has no year 0.
  pattern: '^(?!0000)',
  description: "The local day as of which the roster is read. Default: today in the tenant's time zone",
  examples: ['2026-03-02']
})

export const MembersQuery = Type.Object({ at: Type.Optional(day), cursor, limit }, { additionalProperties: false })

export const MemberList = Type.Object(
  {
    at: Type.String({ format: 'date', description: 'The local day as of which the roster was read' }),
    members: Type.Array(
      Type.Object({ personId: Type.String(), name: orNull('string', 'Null where the roster does not say') })
    ),
    next
  },
  {
    title: 'MemberList',
    description: 'Who belongs to a cohort on a day',
    examples: [{ at: '2026-03-02', members: [{ personId: '4711', name: 'Ada' }], next: null }]
  }
)
