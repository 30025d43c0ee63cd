import { escapePointer } from './parse.js'
import { ruleName, type Topic, type VersionRules } from './version.js'

/** One broken data rule: where, which and why. */
export interface Violation {
  /** JSON pointer (RFC 6901) inside the statement; empty for the statement as a whole. */
  readonly pointer: string
  /** The section of the standard and a short name, e.g. `xAPI 1.0.3 Data 2.4.2.3 one-ifi`. */
  readonly rule: string
  readonly message: string
}

/** Checks one value; null when it is valid. Violations and their pointers are built on failure only. */
export type Check = (value: unknown, rules: VersionRules) => Violation | null

/** An object out of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Whether the value is a JSON object: not null and not an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a value is in JSON's own words, with an article, for messages. */
export function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  return `a ${typeof value}`
}

/** A violation at the value itself; those who hold the value put their key in front with `under`. */
export function broken(rules: VersionRules, topic: Topic, name: string, message: string): Violation {
  return { pointer: '', rule: ruleName(rules, topic, name), message }
}

/** The same violation, seen from the object or array that holds the value under the key. */
export function under(key: string | number, violation: Violation): Violation {
  return { ...violation, pointer: `/${escapePointer(String(key))}${violation.pointer}` }
}

/** What a kind of object may and must have. */
export interface ObjectShape {
  readonly topic: Topic
  /** What it is called in messages, e.g. `an Agent`. */
  readonly called: string
  readonly properties: ReadonlyMap<string, Check>
  readonly required: readonly string[]
}

/** Checks that a value is an object with every required property, no unknown one, and each valid. */
export function checkObject(value: unknown, shape: ObjectShape, rules: VersionRules): Violation | null {
  if (!isObject(value)) {
    return broken(rules, shape.topic, 'object', `${shape.called} must be an object, not ${typeName(value)}`)
  }
  for (const key of Object.keys(value)) {
    const check = shape.properties.get(key)
    if (check === undefined) return under(key, unknownProperty(shape, rules, key))
    const violation = check(value[key], rules)
    if (violation !== null) return under(key, violation)
  }
  for (const key of shape.required) {
    if (!Object.hasOwn(value, key)) {
      return broken(rules, shape.topic, `${key}-required`, `${shape.called} must have "${key}"`)
    }
  }
  return null
}

function unknownProperty(shape: ObjectShape, rules: VersionRules, key: string): Violation {
  const right = [...shape.properties.keys()].find(known => known.toLowerCase() === key.toLowerCase())
  const hint = right === undefined ? '' : `; "${right}" is written with this case`
  return broken(
    rules,
    'formatting',
    'known-properties',
    `${shape.called} has no property ${JSON.stringify(key)}${hint}`
  )
}

/** Makes the check for an object of one shape. */
export function objectOf(shape: ObjectShape): Check {
  return (value, rules) => checkObject(value, shape, rules)
}

/** Makes the check for an array whose elements all pass the element's check. */
export function arrayOf(element: Check, topic: Topic, called: string): Check {
  return (value, rules) => {
    if (!Array.isArray(value)) {
      return broken(rules, topic, 'array', `${called} must be an array, not ${typeName(value)}`)
    }
    for (let i = 0; i < value.length; i++) {
      const violation = element(value[i], rules)
      if (violation !== null) return under(i, violation)
    }
    return null
  }
}

/** Makes the check for one exact string, such as an `objectType`. */
export function exactly(expected: string, topic: Topic): Check {
  return (value, rules) =>
    value === expected ? null : broken(rules, topic, 'enumerated', `Must be "${expected}", not ${describe(value)}`)
}

/** A value in a message: short strings and numbers as they are, otherwise only the type. */
export function describe(value: unknown): string {
  if (typeof value !== 'string') return typeof value === 'number' ? String(value) : typeName(value)
  return value.length <= 80 ? JSON.stringify(value) : `a string of ${value.length} characters`
}
