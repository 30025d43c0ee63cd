import { LrsError } from '../errors.js'
import { decodeString, elementSpans, measure, skipSpace, skipString } from './scan.js'
import { syntaxErrorAt } from './syntax.js'

/** A statement as it came in: its slice of the body exactly as sent, and what `JSON.parse` makes of it. */
export interface ReceivedStatement {
  readonly text: string
  readonly value: unknown
}

/** What a request body may be at most. */
export interface ParseLimits {
  readonly maxStatements: number
  /** Nested objects and arrays inside one another, those of the body's own array included. */
  readonly maxDepth: number
}

/**
 * Parses a request body into its statements, each with its text exactly as sent.
 *
 * The body is one object or an array; an empty array is no statements, which is a success that stores nothing.
 *
 * @throws LrsError `invalid-json` for a syntax error (with its position), for anything that is neither object nor
 *   array, for nesting deeper than the limit and for a key that an object has twice; `body-too-large` for more
 *   statements than the limit.
 * @see xAPI 1.0.3 Data 2.2 and Communication 2.1
 */
export function parseStatements(body: string, limits: ParseLimits): readonly ReceivedStatement[] {
  const value = parseJson(body, limits.maxDepth)
  if (typeof value !== 'object' || value === null)
    throw new LrsError('invalid-json', 'The body must be a statement or an array of statements', {
      rule: 'xAPI 1.0.3 Communication 2.1.1 body'
    })
  if (!Array.isArray(value)) return [{ text: trim(body), value }]
  if (value.length > limits.maxStatements)
    throw new LrsError(
      'body-too-large',
      `The body has ${value.length} statements; at most ${limits.maxStatements} are taken at once`
    )
  return elementSpans(body, skipSpace(body, 0)).map((span, index) => ({
    text: body.slice(span.start, span.end),
    value: value[index] as unknown
  }))
}

/**
 * Parses JSON text strictly: within a depth, and with no key twice in an object.
 *
 * @throws LrsError `invalid-json`, with the JSON pointer where there is one.
 */
export function parseJson(text: string, maxDepth: number): unknown {
  const shape = measure(text)
  if (shape.depth > maxDepth)
    throw new LrsError('invalid-json', `The JSON nests ${shape.depth} levels deep; at most ${maxDepth} are taken`)
  const value = nativeParse(text)
  // Every colon outside strings is a member; JSON.parse keeps one of each key, so fewer keys mean a repeated one.
  if (countMembers(value) !== shape.members) throw duplicateKey(text)
  return value
}

function nativeParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    // Node's own message leaves the position out in some cases.
    const { offset, expected } = syntaxErrorAt(text)
    throw new LrsError('invalid-json', `The JSON breaks at character ${offset}: expected ${expected}`, {}, { cause })
  }
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const element of value) count += countMembers(element)
    return count
  }
  for (const member of Object.values(value)) count += 1 + countMembers(member)
  return count
}

/** An object or array that is still open, and where in it the reading is. */
interface Open {
  /** Null for an array. */
  readonly keys: Set<string> | null
  at: string | number
  awaitsKey: boolean
}

/** Names the first repeated key: one pass with a stack, so that depth times length is never paid. */
function duplicateKey(text: string): LrsError {
  const open: Open[] = []
  let i = 0
  let isRepeated = false
  while (i < text.length && !isRepeated) {
    const inner = open.at(-1)
    const end = text[i] === '"' ? skipString(text, i) : i + 1
    if (text[i] === '"' && inner?.awaitsKey === true) isRepeated = readKey(inner, decodeString(text, i, end))
    else step(open, text[i])
    i = end
  }
  const pointer = open.map(({ at }) => `/${escapePointer(String(at))}`).join('')
  return new LrsError('invalid-json', `The key ${JSON.stringify(open.at(-1)?.at)} occurs twice in one object`, {
    pointer,
    rule: 'xAPI 1.0.3 Data 2.2 unique-keys'
  })
}

function readKey(object: Open, key: string): boolean {
  const isRepeated = object.keys?.has(key) === true
  object.keys?.add(key)
  object.at = key
  object.awaitsKey = false
  return isRepeated
}

function step(open: Open[], char: string | undefined): void {
  const inner = open.at(-1)
  if (char === '{') open.push({ keys: new Set(), at: '', awaitsKey: true })
  else if (char === '[') open.push({ keys: null, at: 0, awaitsKey: false })
  else if (char === '}' || char === ']') open.pop()
  else if (char === ',' && inner !== undefined) {
    inner.awaitsKey = inner.keys !== null
    if (typeof inner.at === 'number') inner.at++
  }
}

/** A key as a part of a JSON pointer. @see RFC 6901 section 3 */
export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

function trim(text: string): string {
  // String.prototype.trim would do: JSON.parse has refused any white space that is not JSON's.
  return text.trim()
}
