import { LrsError } from '../errors.js'

/** The attributes that a filter asks for by name. */
export const nameAttributes = [
  'role',
  'team',
  'manager',
  'line',
  'region',
  'jobFamily',
  'assignmentType',
  'cohort',
  'person'
] as const

export type NameAttribute = (typeof nameAttributes)[number]

/** Whole months of employment: [0, 12), [12, 36) and [36, ∞). */
export const tenureBands = ['0-12', '12-36', '36+'] as const

export type TenureBand = (typeof tenureBands)[number]

/** One attribute, which has any of the names. */
export type NameFilter = {
  readonly [Attribute in NameAttribute]: { readonly [Name in Attribute]: readonly string[] }
}[NameAttribute]

/**
 * Which learners belong to a cohort: what the roster says of them on a day, and how such conditions are combined.
 *
 * `manager` are the direct reports of somebody and `line` is everybody below them, named by personId; `cohort` names
 * the roster's own cohorts, never saved filters, so that none can lead to itself. What is not known of a learner is
 * none of the names. It is also the form in which the API takes a filter and the database keeps it.
 *
 * @example People of two regions who don't work for Ada's organisation
 * { and: [{ region: ['north', 'east'] }, { not: { line: ['ada'] } }] }
 */
export type CohortFilter =
  | { readonly and: readonly CohortFilter[] }
  | { readonly or: readonly CohortFilter[] }
  | { readonly not: CohortFilter }
  | { readonly demographic: { readonly key: string; readonly values: readonly string[] } }
  | { readonly tenureBand: readonly TenureBand[] }
  | NameFilter

/** A part of a filter that asks something of the roster. */
export type FilterLeaf = Exclude<CohortFilter, { and: unknown } | { or: unknown } | { not: unknown }>

/** How large a filter may be: each leaf is a condition in the query, and a `line` a walk of its own. */
export const filterLimits = { depth: 8, leaves: 50, values: 1000, nameLength: 500 } as const

/** Control characters have no place in a name; PostgreSQL's text can't hold U+0000 at all. */
export const namePattern = '^[^\\u0000-\\u001f\\ud800-\\udfff]*$'

const visible = new RegExp(namePattern, 'u')

/**
 * Parses a filter from JSON.
 *
 * @param pointer JSON pointer to the filter in what surrounds it
 * @throws {LrsError} `invalid-body`, with the pointer to the value at fault
 */
export function parseCohortFilter(value: unknown, pointer = ''): CohortFilter {
  const filter = parseNode(value, pointer, 1)
  const { length } = leavesOf(filter)
  if (length > filterLimits.leaves) {
    refuse(pointer, `has ${length} conditions, more than the ${filterLimits.leaves} that a filter may have`)
  }
  return filter
}

/** The parts of a filter that ask something of the roster, in the order in which they stand. */
export function leavesOf(filter: CohortFilter): readonly FilterLeaf[] {
  if ('and' in filter) return filter.and.flatMap(leavesOf)
  if ('or' in filter) return filter.or.flatMap(leavesOf)
  return 'not' in filter ? leavesOf(filter.not) : [filter]
}

/** The learners for whom both filters hold; null holds for everyone. */
export function bothOf(one: CohortFilter | null, other: CohortFilter | null): CohortFilter | null {
  if (one === null || other === null) return one ?? other
  return { and: [one, other] }
}

/** Says whether a value can be a name that the roster knows something by, such as a `personId`. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= filterLimits.nameLength && visible.test(value)
}

function parseNode(value: unknown, pointer: string, depth: number): CohortFilter {
  if (depth > filterLimits.depth) refuse(pointer, `lies deeper than ${filterLimits.depth} levels`)
  const [operator, operand] = onlyMember(value, pointer)
  const place = `${pointer}/${operator}`
  switch (operator) {
    case 'and':
      return { and: parseList(operand, place, depth) }
    case 'or':
      return { or: parseList(operand, place, depth) }
    case 'not':
      return { not: parseNode(operand, place, depth + 1) }
    case 'demographic':
      return { demographic: parseDemographic(operand, place) }
    case 'tenureBand':
      return { tenureBand: parseNames(operand, place).map((band, at) => parseTenureBand(band, `${place}/${at}`)) }
    default:
      return parseNameFilter(operator, operand, pointer)
  }
}

/** An object's one member: two conditions in one object would leave open whether both or either are meant. */
function onlyMember(value: unknown, pointer: string): readonly [string, unknown] {
  if (!isObject(value)) return refuse(pointer, 'is not an object, such as {"role": ["engineer"]}')
  const [member, ...others] = Object.entries(value)
  if (member === undefined || others.length > 0) {
    return refuse(pointer, `has ${others.length + (member ? 1 : 0)} members instead of one; combine with and, or, not`)
  }
  return member
}

function parseList(value: unknown, pointer: string, depth: number): readonly CohortFilter[] {
  if (!Array.isArray(value) || value.length === 0) return refuse(pointer, 'is not a list of one filter or more')
  if (value.length > filterLimits.leaves) return refuse(pointer, `has more than ${filterLimits.leaves} filters`)
  return value.map((part: unknown, at) => parseNode(part, `${pointer}/${at}`, depth + 1))
}

function parseDemographic(value: unknown, pointer: string) {
  if (!isObject(value)) return refuse(pointer, 'is not an object with key and values')
  const other = Object.keys(value).find(name => name !== 'key' && name !== 'values')
  if (other !== undefined)
    return refuse(`${pointer}/${escapeToken(other)}`, 'is not known; a demographic has key and values')
  return { key: parseName(value.key, `${pointer}/key`), values: parseNames(value.values, `${pointer}/values`) }
}

function parseNameFilter(attribute: string, value: unknown, pointer: string): NameFilter {
  if (!(nameAttributes as readonly string[]).includes(attribute)) {
    const known = ['and', 'or', 'not', ...nameAttributes, 'demographic', 'tenureBand'].join(', ')
    return refuse(`${pointer}/${escapeToken(attribute)}`, `is not known; a filter is one of ${known}`)
  }
  return { [attribute]: parseNames(value, `${pointer}/${attribute}`) } as NameFilter
}

function parseNames(value: unknown, pointer: string): readonly string[] {
  if (!Array.isArray(value) || value.length === 0) return refuse(pointer, 'is not a list of one text or more')
  if (value.length > filterLimits.values) return refuse(pointer, `has more than ${filterLimits.values} values`)
  return value.map((name: unknown, at) => parseName(name, `${pointer}/${at}`))
}

function parseName(value: unknown, pointer: string): string {
  return isName(value)
    ? value
    : refuse(pointer, `is not a text of 1 to ${filterLimits.nameLength} characters without control characters`)
}

function parseTenureBand(value: string, pointer: string): TenureBand {
  return tenureBands.find(band => band === value) ?? refuse(pointer, `is not one of ${tenureBands.join(', ')}`)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @see RFC 6901 section 3 */
function escapeToken(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

function refuse(pointer: string, why: string): never {
  throw new LrsError('invalid-body', `The filter at "${pointer}" ${why}`, { pointer })
}
