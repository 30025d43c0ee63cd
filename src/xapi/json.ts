import { decodeString, skipSpace, skipString, skipValue } from './scan.js'

/** A number by its exact decimal value, which `JSON.parse` would round. */
export interface JsonNumber {
  /** Sign, digits without zeros at either end, and the power of ten: `-12e-1` for -1.20; `0` for zero of either sign. */
  readonly number: string
}

/** JSON with nothing lost but white space, escapes and the way in which numbers are written. */
export type Json = null | boolean | string | JsonNumber | readonly Json[] | ReadonlyMap<string, Json>

/** Whether the value is an object; a Map, so that no key is special. */
export function isMap(value: Json | undefined): value is ReadonlyMap<string, Json> {
  return value instanceof Map
}

/** The text without the zeros at its end; a loop, because `/0+$/` takes quadratic time on zeros before another digit. */
export function withoutEndZeros(digits: string): string {
  let end = digits.length
  while (digits[end - 1] === '0') end--
  return digits.slice(0, end)
}

/**
 * The one way of writing a decimal number: 1, 1.0 and 10e-1 are alike, 999999999999999999 and 1e18 are not.
 *
 * A number whose exponent has more than 20 characters stays as it is written: bringing it into form takes too long.
 */
export function canonicalNumber(literal: string): string {
  const [mantissa = '', exponent = '0'] = literal.replace(/^-/, '').split(/[eE]/)
  if (exponent.length > 20) return literal
  const [whole = '', fraction = ''] = mantissa.split('.')
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const significant = withoutEndZeros(digits)
  if (significant === '') return '0'
  // BigInt, because an exponent may have more digits than a number holds.
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length)
  return `${literal.startsWith('-') ? '-' : ''}${significant}e${power}`
}

interface Cursor {
  readonly text: string
  at: number
}

function readArray(cursor: Cursor): readonly Json[] {
  const elements: Json[] = []
  cursor.at = skipSpace(cursor.text, cursor.at + 1)
  while (cursor.text[cursor.at] !== ']') {
    elements.push(readValue(cursor))
    cursor.at = skipSpace(cursor.text, cursor.at)
    if (cursor.text[cursor.at] === ',') cursor.at++
  }
  cursor.at++
  return elements
}

function readObject(cursor: Cursor): ReadonlyMap<string, Json> {
  const { text } = cursor
  const members = new Map<string, Json>()
  cursor.at = skipSpace(text, cursor.at + 1)
  while (text[cursor.at] !== '}') {
    const keyEnd = skipString(text, cursor.at)
    const key = decodeString(text, cursor.at, keyEnd)
    cursor.at = skipSpace(text, keyEnd) + 1
    members.set(key, readValue(cursor))
    cursor.at = skipSpace(text, cursor.at)
    if (text[cursor.at] === ',') cursor.at = skipSpace(text, cursor.at + 1)
  }
  cursor.at++
  return members
}

function readValue(cursor: Cursor): Json {
  const start = skipSpace(cursor.text, cursor.at)
  cursor.at = start
  const first = cursor.text[start]
  if (first === '{') return readObject(cursor)
  if (first === '[') return readArray(cursor)
  const end = skipValue(cursor.text, start)
  cursor.at = end
  if (first === '"') return decodeString(cursor.text, start, end)
  const literal = cursor.text.slice(start, end)
  if (literal === 'null') return null
  if (literal === 'true' || literal === 'false') return literal === 'true'
  return { number: canonicalNumber(literal) }
}

/** Reads JSON text that `JSON.parse` accepts, keeping the exact value of every number. */
export function readJson(text: string): Json {
  return readValue({ text, at: 0 })
}

/** Text that two values have in common exactly if they are equal, the order of keys aside. */
export function canonicalText(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (isMap(value)) {
    const keys = [...value.keys()].sort()
    return `{${keys.map(key => `${JSON.stringify(key)}:${canonicalText(value.get(key) ?? null)}`).join(',')}}`
  }
  if ('number' in value) return value.number
  return `[${value.map(canonicalText).join(',')}]`
}
