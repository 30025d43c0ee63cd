/**
 * Finds the spans of members and elements in JSON text without reading their values.
 *
 * Everything here takes text that `JSON.parse` has accepted, so it checks no syntax. It exists because a statement has
 * to come back as it was sent: `JSON.parse` loses digits of numbers, the order of integer-like keys and escapes.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const COMMA = 0x2c

/** One member of an object: offsets into the text, end exclusive. */
export interface MemberSpan {
  readonly key: string
  /** Where the key's opening quote is. */
  readonly keyStart: number
  readonly start: number
  readonly end: number
}

/** A value's offsets in the text, end exclusive. */
export interface Span {
  readonly start: number
  readonly end: number
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

/** The offset of the first character at or after `at` that is not JSON white space. */
export function skipSpace(text: string, at: number): number {
  let i = at
  while (isSpace(text.charCodeAt(i))) i++
  return i
}

/** The offset after the string whose opening quote is at `at`; the text's length if it never ends. */
export function skipString(text: string, at: number): number {
  let end = text.indexOf('"', at + 1)
  while (end !== -1) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return end + 1
    end = text.indexOf('"', end + 1)
  }
  return text.length
}

function skipContainer(text: string, at: number): number {
  let depth = 0
  let i = at
  while (i < text.length) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) {
      i = skipString(text, i)
      continue
    }
    i++
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++
    else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) break
  }
  return i
}

function endsScalar(code: number): boolean {
  return code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || isSpace(code)
}

/** The offset after the value that begins at `at`. */
export function skipValue(text: string, at: number): number {
  const code = text.charCodeAt(at)
  if (code === QUOTE) return skipString(text, at)
  if (code === OPEN_BRACE || code === OPEN_BRACKET) return skipContainer(text, at)
  let i = at
  while (i < text.length && !endsScalar(text.charCodeAt(i))) i++
  return i
}

/** The text of a string literal, with its escapes resolved. */
export function decodeString(text: string, start: number, end: number): string {
  const inner = text.slice(start + 1, end - 1)
  return inner.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : inner
}

/** The members of the object whose brace is at `at`, in the order written, repeated keys included. */
export function memberSpans(text: string, at = 0): readonly MemberSpan[] {
  const members: MemberSpan[] = []
  let i = skipSpace(text, at + 1)
  while (text.charCodeAt(i) === QUOTE) {
    const keyEnd = skipString(text, i)
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1)
    const end = skipValue(text, start)
    members.push({ key: decodeString(text, i, keyEnd), keyStart: i, start, end })
    i = skipSpace(text, end)
    if (text.charCodeAt(i) === COMMA) i = skipSpace(text, i + 1)
  }
  return members
}

/** The elements of the array whose bracket is at `at`. */
export function elementSpans(text: string, at = 0): readonly Span[] {
  const elements: Span[] = []
  let i = skipSpace(text, at + 1)
  while (i < text.length && text.charCodeAt(i) !== CLOSE_BRACKET) {
    const end = skipValue(text, i)
    elements.push({ start: i, end })
    i = skipSpace(text, end)
    if (text.charCodeAt(i) === COMMA) i = skipSpace(text, i + 1)
  }
  return elements
}

/** How deep the text nests and how many members its objects have, counted in one pass outside strings. */
export interface Shape {
  readonly depth: number
  readonly members: number
}

/** Measures the text's nesting and members; any text will do, valid or not. */
export function measure(text: string): Shape {
  let depth = 0
  let deepest = 0
  let members = 0
  let i = 0
  while (i < text.length) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) {
      i = skipString(text, i)
      continue
    }
    i++
    if (code === 0x3a) members++
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) deepest = Math.max(deepest, ++depth)
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--
  }
  return { depth: deepest, members }
}
