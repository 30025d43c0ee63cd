import { type RawBuilder, sql } from 'kysely'

/** The kinds of value that an attribute has, each with the type that PostgreSQL keeps it in. */
const sqlTypes = { text: 'text', day: 'date', names: 'text[]', groups: 'jsonb' } as const

interface Attribute {
  readonly column: string
  readonly type: keyof typeof sqlTypes
}

/**
 * What the roster knows of a person in a range of days: each attribute with its column and its type. Reading, writing,
 * comparing and the API's schemas follow this list.
 */
export const attributes = {
  role: { column: 'role', type: 'text' },
  team: { column: 'team', type: 'text' },
  managerId: { column: 'manager_id', type: 'text' },
  region: { column: 'region', type: 'text' },
  jobFamily: { column: 'job_family', type: 'text' },
  assignmentType: { column: 'assignment_type', type: 'text' },
  hiredOn: { column: 'hired_on', type: 'day' },
  leftOn: { column: 'left_on', type: 'day' },
  cohorts: { column: 'cohorts', type: 'names' },
  demographics: { column: 'demographics', type: 'groups' }
} as const satisfies Record<string, Attribute>

export type AttributeName = keyof typeof attributes

/** The attributes' names, in the order in which they are shown. */
export const attributeNames = Object.keys(attributes) as readonly AttributeName[]

interface Known {
  readonly text: string | null
  readonly day: string | null
  readonly names: readonly string[]
  readonly groups: Readonly<Record<string, string>>
}

interface Given {
  readonly text: string | null
  readonly day: string | null
  readonly names: readonly string[] | null
  readonly groups: Readonly<Record<string, string | null>> | null
}

type TypeOf<Name extends AttributeName> = (typeof attributes)[Name]['type']

/** What is known of a person; unknown is null, no cohort `[]`, and no demographic group `{}`. */
export type Attributes = { readonly [Name in AttributeName]: Known[TypeOf<Name>] }

/** What a record says: an absent attribute stays as it was known, null clears it, and so it does a group. */
export type GivenAttributes = { readonly [Name in AttributeName]?: Given[TypeOf<Name>] }

/** Nothing is known. */
export const noAttributes: Attributes = {
  role: null,
  team: null,
  managerId: null,
  region: null,
  jobFamily: null,
  assignmentType: null,
  hiredOn: null,
  leftOn: null,
  cohorts: [],
  demographics: {}
}

/**
 * What is known once a record has been applied, as a merge patch. Cohorts are a set and replaced whole; of demographics
 * each group is an attribute of its own.
 *
 * @see RFC 7396
 */
export function applyGiven(known: Attributes, given: GivenAttributes): Attributes {
  const entries = attributeNames.map(name => [
    name,
    given[name] === undefined ? known[name] : merged(name, known, given)
  ])
  return Object.fromEntries(entries)
}

function merged(name: AttributeName, known: Attributes, given: GivenAttributes): unknown {
  const value = given[name] ?? noAttributes[name]
  if (name === 'cohorts') return [...new Set(value as readonly string[])].sort()
  if (name !== 'demographics') return value
  const before = given.demographics === null ? {} : known.demographics
  return Object.fromEntries(Object.entries({ ...before, ...given.demographics }).filter(([, group]) => group !== null))
}

/** What differs, by the attribute's name. */
export type Differences = Readonly<Record<string, { readonly from: unknown; readonly to: unknown }>>

/** Which attributes differ, and how; `{}` when none does. */
export function differencesOf(from: Attributes, to: Attributes): Differences {
  const different = attributeNames.filter(name => textOf(from[name]) !== textOf(to[name]))
  return Object.fromEntries(different.map(name => [name, { from: from[name], to: to[name] }]))
}

/** Whether two persons, or one on two days, are alike. */
export function sameAttributes(one: Attributes, other: Attributes): boolean {
  return attributeNames.every(name => textOf(one[name]) === textOf(other[name]))
}

/** Equal texts for equal values: PostgreSQL orders the keys of `jsonb` in a way of its own. */
function textOf(value: Attributes[AttributeName]): string {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return JSON.stringify(isObject ? Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)) : value)
}

/** SQL for the attributes of a row of `roster`, each under its name here. */
export function selectAttributes(table: string): RawBuilder<unknown> {
  return sql.join(attributeNames.map(name => sql`${sql.ref(`${table}.${attributes[name].column}`)} as ${sql.id(name)}`))
}

/** SQL for the attributes' columns in `roster`. */
export const columnsOfAttributes = sql.join(attributeNames.map(name => sql.id(attributes[name].column)))

/** SQL for the attributes' names, as `definitionsOfAttributes` defines them. */
export const namesOfAttributes = sql.join(attributeNames.map(name => sql.id(name)))

/** SQL for the attributes in the definition of a record that is read from JSON. */
export const definitionsOfAttributes = sql.join(
  attributeNames.map(name => sql`${sql.id(name)} ${sql.raw(sqlTypes[attributes[name].type])}`)
)
