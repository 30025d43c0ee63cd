/** Where JSON text stops being JSON, and what should have been there. */
export interface SyntaxFault {
  /** Characters (UTF-16 units) from the start. */
  readonly offset: number
  readonly expected: string
}

const space = /[ \t\n\r]*/y
const escapeSequence = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const literal = /true|false|null/y

type Expectation = 'value' | 'value or ]' | 'key or }' | 'key' | ':' | ', or ]' | ', or }' | 'end'

/**
 * Finds the first place at which text breaks the grammar of JSON.
 *
 * Only called when `JSON.parse` has refused the text. A stack of brackets instead of recursion, so that no depth
 * overflows.
 *
 * @see RFC 8259
 */
export function syntaxErrorAt(text: string): SyntaxFault {
  const stack: string[] = []
  let offset = 0
  let expected: Expectation = 'value'
  for (;;) {
    offset = match(space, text, offset)
    const next: Step = expected.startsWith('value')
      ? readValue(text, offset, expected, stack)
      : readMark(text, offset, expected, stack)
    if ('fault' in next) return { offset: next.offset, expected: next.fault }
    offset = next.offset
    expected = next.expected
  }
}

type Step = { readonly offset: number } & ({ readonly expected: Expectation } | { readonly fault: string })

function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}

function after(stack: readonly string[]): Expectation {
  const open = stack.at(-1)
  if (open === undefined) return 'end'
  return open === '[' ? ', or ]' : ', or }'
}

function readString(text: string, at: number, expected: Expectation): Step {
  let i = at + 1
  // A loop and not one pattern: V8's backtracking stack overflows on a repeated alternative over megabytes.
  while (i < text.length) {
    const char = text.charAt(i)
    if (char === '"') return { offset: i + 1, expected }
    const end = char === '\\' ? match(escapeSequence, text, i) : i + 1
    if (end === i || char < ' ') break
    i = end
  }
  return { offset: i, fault: 'the rest of a string, with its control characters escaped' }
}

function readValue(text: string, at: number, expected: Expectation, stack: string[]): Step {
  const char = text[at]
  if (char === ']' && expected === 'value or ]') {
    stack.pop()
    return { offset: at + 1, expected: after(stack) }
  }
  if (char === '[' || char === '{') {
    stack.push(char)
    return { offset: at + 1, expected: char === '[' ? 'value or ]' : 'key or }' }
  }
  if (char === '"') return readString(text, at, after(stack))
  const end = Math.max(match(number, text, at), match(literal, text, at))
  return end > at ? { offset: end, expected: after(stack) } : { offset: at, fault: `a ${expected}` }
}

function readMark(text: string, at: number, expected: Expectation, stack: string[]): Step {
  const char = text[at]
  if (char === '"' && expected.startsWith('key')) return readString(text, at, ':')
  if (char === ':' && expected === ':') return { offset: at + 1, expected: 'value' }
  if (char === ',' && expected.startsWith(', or')) {
    return { offset: at + 1, expected: expected === ', or ]' ? 'value' : 'key' }
  }
  if ((char === '}' || char === ']') && expected.endsWith(`or ${char}`)) {
    stack.pop()
    return { offset: at + 1, expected: after(stack) }
  }
  return { offset: at, fault: expected === 'end' ? 'the end of the text' : expected }
}
