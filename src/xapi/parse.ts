import { LrsError } from '../errors.js'
import { elementSpans, measure, memberSpans, skipSpace } from './scan.js'
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

function duplicateKey(text: string): LrsError {
  const found = findDuplicate(text, skipSpace(text, 0), '')
  return new LrsError('invalid-json', `The key ${JSON.stringify(found?.key)} occurs twice in one object`, {
    pointer: found?.pointer ?? '',
    rule: 'xAPI 1.0.3 Data 2.2 unique-keys'
  })
}

interface Duplicate {
  readonly key: string
  readonly pointer: string
}

function findDuplicate(text: string, at: number, pointer: string): Duplicate | null {
  const code = text[at]
  if (code === '[') {
    for (const [index, span] of elementSpans(text, at).entries()) {
      const found = findDuplicate(text, span.start, `${pointer}/${index}`)
      if (found !== null) return found
    }
  }
  if (code !== '{') return null
  const keys = new Set<string>()
  for (const member of memberSpans(text, at)) {
    const here = `${pointer}/${escapePointer(member.key)}`
    if (keys.has(member.key)) return { key: member.key, pointer: here }
    keys.add(member.key)
    const found = findDuplicate(text, member.start, here)
    if (found !== null) return found
  }
  return null
}

/** A key as a part of a JSON pointer. @see RFC 6901 section 3 */
export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

function trim(text: string): string {
  // String.prototype.trim would do: JSON.parse has refused any white space that is not JSON's.
  return text.trim()
}
