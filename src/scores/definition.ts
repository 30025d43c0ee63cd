import { LrsError } from '../errors.js'

/** How much each component of a score weighs. Only their proportions matter; 0 leaves a component out. */
export type Weights<Id extends string> = Readonly<Record<Id, number>>

/** What every definition of a weighted score has. */
export interface Weighting<Id extends string> {
  /** Raised whenever the same data would give another score. */
  readonly version: number
  readonly weights: Weights<Id>
  /** The least number of components, among those with a weight, that must be there for a score. */
  readonly needs: number
}

/** What a number of a definition may be; `above` and `below` are not included. */
interface Bounds {
  readonly least?: number
  readonly above?: number
  readonly most?: number
  readonly isInteger?: boolean
}

/** Refuses a definition, or a part of it. */
export function refuse(pointer: string, why: string): never {
  throw new LrsError('invalid-parameter', `${pointer === '' ? 'The definition' : pointer} ${why}`, { pointer })
}

/**
 * The fields of an object.
 *
 * @throws LrsError `invalid-parameter` where it is none, or has a field that is not known
 */
export function parseFields(value: unknown, known: readonly string[], pointer = ''): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(pointer, 'must be an object')
  const unknown = Object.keys(value).find(name => !known.includes(name))
  if (unknown !== undefined) refuse(`${pointer}/${escapeName(unknown)}`, `is unknown: there are ${known.join(', ')}`)
  return { ...value }
}

/**
 * A number within bounds.
 *
 * @throws LrsError `invalid-parameter` for anything else, also for NaN and infinity
 */
export function parseNumber(value: unknown, pointer: string, bounds: Bounds): number {
  const { least = -Infinity, above = -Infinity, most = Infinity, isInteger = false } = bounds
  const isNumber = typeof value === 'number' && (isInteger ? Number.isSafeInteger(value) : Number.isFinite(value))
  if (isNumber && value >= least && value > above && value <= most) return value
  const limits = [
    bounds.least === undefined ? [] : `at least ${least}`,
    bounds.above === undefined ? [] : `above ${above}`,
    bounds.most === undefined ? [] : `at most ${most}`
  ]
  const kind = isInteger ? 'a whole number' : 'a number'
  return refuse(pointer, `(${JSON.stringify(value)}) must be ${[kind, limits.flat().join(' and ')].join(' ').trim()}`)
}

/**
 * The fields that all weighted definitions have, with defaults for those that are missing.
 *
 * Weights that are given name every component, so that none gets a weight that nobody looked at.
 *
 * @throws LrsError `invalid-parameter` for a negative weight, all of them 0, an unknown or missing component, more
 * components needed than have a weight, or a version that is no whole number from 1
 */
export function parseWeighting<Id extends string>(
  fields: Readonly<Record<string, unknown>>,
  defaults: Weighting<Id>
): Weighting<Id> {
  const version = parseVersion(fields, defaults)
  const weights = fields.weights === undefined ? defaults.weights : parseWeights(fields.weights, defaults.weights)
  const weighing = Object.values<number>(weights).filter(weight => weight > 0).length
  if (weighing === 0) refuse('/weights', 'must not all be 0')
  const needs = parseNumber({ ...defaults, ...fields }.needs, '/needs', { least: 1, isInteger: true })
  if (needs > weighing) refuse('/needs', `(${needs}) must not be more than the ${weighing} components with a weight`)
  return { version, weights, needs }
}

/**
 * The version of a definition.
 *
 * @throws LrsError `invalid-parameter` where it is no whole number from 1
 */
export function parseVersion(
  fields: Readonly<Record<string, unknown>>,
  defaults: { readonly version: number }
): number {
  return parseNumber({ ...defaults, ...fields }.version, '/version', { least: 1, isInteger: true })
}

function parseWeights<Id extends string>(value: unknown, defaults: Weights<Id>): Weights<Id> {
  const ids = idsOf(defaults)
  const given = parseFields(value, ids, '/weights')
  const weights = ids.map(id => {
    if (!Object.hasOwn(given, id)) refuse(`/weights/${id}`, 'is missing: weights name every component')
    return [id, parseNumber(given[id], `/weights/${id}`, { least: 0 })] as const
  })
  return Object.fromEntries(weights) as Weights<Id>
}

/** The components of a score, in the order in which they are listed and summed. */
export function idsOf<Id extends string>(record: Readonly<Record<Id, unknown>>): readonly Id[] {
  return Object.keys(record) as Id[]
}

/** A field's name as a part of a JSON pointer. */
function escapeName(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
