import fc from 'fast-check'
import { oneOf, type Random } from '../../demo/random.js'

/** JSON text that stands for itself where a value is written: numbers and strings that no JavaScript value gives. */
export interface Raw {
  readonly raw: string
}

const long = 'x'.repeat(5000)

/** Strings that programs stumble over: PostgreSQL's NUL, halves of a pair, names of prototypes, glob and SQL, length. */
export const hostileTexts: readonly [string, ...string[]] = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\udc00x',
  '\ufeff',
  '\u202egnp.exe',
  'e\u0301\u0323',
  '👩‍👩‍👧‍👦',
  '\u{10ffff}',
  'İı',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  "'; drop table statement; --",
  '%',
  '%00',
  '_%\\',
  '\\x00',
  '{{7*7}}',
  '{}',
  '[',
  'null',
  'NaN',
  '-1',
  '0',
  '1e9999',
  '99999999999999999999999',
  '9223372036854775808',
  '2147483648',
  '0001-01-01',
  '10000-01-01T00:00:00Z',
  '2026-02-30T25:61:61Z',
  '2026-03-29T02:30:00+99:99',
  '-infinity',
  '+275760-09-13T00:00:00Z',
  'P1Y2M3DT4H5M6.7S',
  'P99999999999999999999Y',
  'Europe/Berlin',
  '../../etc/passwd',
  'mailto:a@b',
  `mailto:${'a'.repeat(3000)}@example.org`,
  'http://[::1',
  'http://a b',
  `https://example.org/${long}`,
  'urn:uuid:00000000-0000-0000-0000-000000000000',
  '00000000-0000-0000-0000-000000000000',
  'FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF',
  'en-',
  `en${'-a'.repeat(500)}`,
  'i-klingon',
  long,
  `${' '.repeat(5000)}x`,
  `${'a'.repeat(1000)}!`,
  '"'.repeat(1000),
  ','.repeat(1000),
  '='.repeat(1000),
  '/'.repeat(1000),
  '.'.repeat(1000),
  '\t'.repeat(1000)
]

const rawTexts: readonly [string, ...string[]] = [
  '1e400',
  '-1e400',
  '1e-400',
  '-0',
  '0.1e1',
  '9007199254740993',
  '123456789012345678901234567890.123456789',
  `1${'0'.repeat(400)}`,
  `0.${'0'.repeat(400)}1`,
  '"\\ud800"',
  '"\\u0000"',
  '"\\uD83D\\uDE00"',
  '{"a":1,"a":2}',
  '{"__proto__":{"polluted":true}}',
  `${'['.repeat(99)}${']'.repeat(99)}`,
  `${'['.repeat(3000)}${']'.repeat(3000)}`,
  `${'{"a":'.repeat(120)}1${'}'.repeat(120)}`,
  `[${'0,'.repeat(3000)}0]`,
  `{${Array.from({ length: 2000 }, (_, at) => `"k${at}":${at}`).join(',')}}`,
  '01',
  '1.',
  'NaN',
  'undefined',
  "'x'",
  '// x',
  '"\t"'
]

const plain: readonly [unknown, ...unknown[]] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  [],
  {},
  [null],
  [[]],
  ''
]

/** Values of every shape that fast-check can think of, to draw from; the same for the same seed. */
export function dealValues(seed: number): readonly [unknown, ...unknown[]] {
  const texts = fc.string({ unit: 'binary', maxLength: 40 })
  const values = fc.oneof(
    fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }),
    texts,
    fc.double(),
    fc.bigInt().map(number => ({ raw: String(number) })),
    fc.date({ noInvalidDate: true }).map(date => date.toISOString()),
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    fc.emailAddress().map(address => `mailto:${address}`),
    fc.uuid(),
    fc.dictionary(texts, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 6 })
  )
  return [null, ...fc.sample(values, { seed, numRuns: 400 })]
}

/** A value that is likely wrong where it is put. */
export function hostileValue(random: Random, dealt: readonly [unknown, ...unknown[]]): unknown {
  const choice = random()
  if (choice < 0.3) return oneOf(random, hostileTexts)
  if (choice < 0.45) return { raw: oneOf(random, rawTexts) } satisfies Raw
  return structuredClone(oneOf(random, choice < 0.6 ? plain : dealt))
}

interface Place {
  readonly parent: Record<string, unknown>
  readonly key: string
}

/** Changes a value in one to three places: another value, one member less, one more, one under another name. */
export function mutate(value: unknown, random: Random, dealt: readonly [unknown, ...unknown[]]): unknown {
  const root = { value: structuredClone(value) } as Record<string, unknown>
  for (let left = 1 + Math.floor(random() * 3); left > 0; left--) {
    const places = placesOf(root, [])
    const { parent, key } = oneOf(random, places as [Place, ...Place[]])
    const other = oneOf(random, places as [Place, ...Place[]])
    const choice = random()
    if (choice < 0.5) parent[key] = hostileValue(random, dealt)
    else if (choice < 0.6) Reflect.deleteProperty(parent, key)
    else if (choice < 0.7) add(parent, oneOf(random, hostileTexts), hostileValue(random, dealt))
    else if (choice < 0.8) parent[key] = structuredClone(other.parent[other.key])
    else if (choice < 0.9) parent[key] = [parent[key], structuredClone(parent[key])]
    else if (typeof parent[key] === 'string') parent[key] = spoilt(String(parent[key]), random)
    if (!Object.hasOwn(root, 'value')) return hostileValue(random, dealt)
  }
  return root.value
}

function add(parent: Record<string, unknown> | unknown[], key: string, value: unknown): void {
  // A number as the key of a list would make it as long as that.
  if (Array.isArray(parent)) parent.push(value)
  else parent[key] = value
}

function placesOf(parent: Record<string, unknown>, found: Place[]): Place[] {
  for (const [key, value] of Object.entries(parent)) {
    found.push({ parent, key })
    if (typeof value === 'object' && value !== null && found.length < 500) {
      placesOf(value as Record<string, unknown>, found)
    }
  }
  return found
}

/** A text with one character taken out, put in, or made another. */
export function spoilt(text: string, random: Random): string {
  const at = Math.floor(random() * (text.length + 1))
  const extra = oneOf(random, hostileTexts).slice(0, 20)
  return random() < 0.3 ? text.slice(0, at) : text.slice(0, at) + extra + text.slice(at + (random() < 0.5 ? 1 : 0))
}

/** JSON text, in which raw texts stand as they are. */
export function writeJson(value: unknown): string {
  const raws: string[] = []
  const text = JSON.stringify(value, (_key, item) => {
    if (typeof item !== 'object' || item === null || typeof item.raw !== 'string') return item
    raws.push(item.raw)
    return `\ue000${raws.length - 1}\ue000`
  })
  return (text ?? 'null').replace(/"\ue000(\d+)\ue000"/g, (_whole, at) => raws[Number(at)] ?? 'null')
}
