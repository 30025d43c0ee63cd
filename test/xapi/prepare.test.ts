import fc from 'fast-check'
import t from 'tap'
import { LrsError } from '../../src/errors.js'
import { ifiOf } from '../../src/xapi/ifi.js'
import { parseStatements } from '../../src/xapi/parse.js'
import { type PrepareContext, type PreparedStatement, prepareStatement, stampStored } from '../../src/xapi/prepare.js'
import { elementSpans, measure, memberSpans } from '../../src/xapi/scan.js'
import { activitiesOf } from '../../src/xapi/statement.js'
import { syntaxErrorAt } from '../../src/xapi/syntax.js'
import { validateStatement } from '../../src/xapi/validate.js'

const limits = { maxStatements: 3, maxDepth: 5 }

function refusal(body: string): LrsError {
  try {
    parseStatements(body, limits)
  } catch (error) {
    if (error instanceof LrsError) return error
    throw error
  }
  throw new Error(`Not refused: ${body}`)
}

t.test(
  'xAPI 1.0.3 Communication 2.1: a body is one statement or an array of them, each with its text as sent',
  async t => {
    t.strictSame(parseStatements(' {"a": 1.0 }\n', limits), [{ text: '{"a": 1.0 }', value: { a: 1 } }])
    t.strictSame(parseStatements('\t[ {"a":[1, "]"]} , 2 ,\n{"b\\"}":{}}]', limits), [
      { text: '{"a":[1, "]"]}', value: { a: [1, ']'] } },
      { text: '2', value: 2 },
      { text: '{"b\\"}":{}}', value: { 'b"}': {} } }
    ])
    t.strictSame(parseStatements('[]', limits), [], 'an empty array is no statements')
    for (const body of ['1', '"{}"', 'null', 'true']) t.equal(refusal(body).code, 'invalid-json', body)
  }
)

t.test('a body with more statements than the limit is too large', async t => {
  t.equal(parseStatements('[1,2,3]', limits).length, 3)
  t.equal(refusal('[1,2,3,4]').code, 'body-too-large')
  t.equal(refusal('[1,2,3,4]').status, 413)
})

t.test('a body nested deeper than the limit is refused, even a million levels deep', async t => {
  t.equal(parseStatements('[[[[["{[[["]]]]]', limits).length, 1)
  t.match(refusal('{"a":[[[[{}]]]]}').message, /6 levels/)
  t.equal(refusal('['.repeat(1_000_000)).code, 'invalid-json')
})

t.test('xAPI 1.0.3 Data 2.2: a key that an object has twice is refused, with its name and place', async t => {
  const cases: [body: string, pointer: string][] = [
    ['{"a":1,"b":2,"a":3}', '/a'],
    ['{"a":1,"\\u0061":2}', '/a'],
    ['{"__proto__":1,"__proto__":2}', '/__proto__'],
    ['[{"x":[1,{"p/q~":{"":1,"":2}}]}]', '/0/x/1/p~1q~0/'],
    ['[[1],"a",{"k":{"ä":1}, "k":{"ä":1}}]', '/2/k']
  ]
  for (const [body, pointer] of cases) {
    t.match(refusal(body), { code: 'invalid-json', place: { pointer, rule: 'xAPI 1.0.3 Data 2.2 unique-keys' } }, body)
  }
  t.equal(parseStatements('{"a":{"a":1},"b":[{"a":1},{"a":"a:a"}],"__proto__":{"x":1},"A":1}', limits).length, 1)
})

t.test('a syntax error is refused with the position where the JSON breaks', async t => {
  const cases: [body: string, offset: number, expected: RegExp][] = [
    ['', 0, /a value/],
    ['  ', 2, /a value/],
    ['\ufeff{}', 0, /a value/],
    ['{"a":1,}', 7, /key/],
    ['{"a" 1}', 5, /:/],
    ['{a:1}', 1, /key or }/],
    ['{"a":}', 5, /a value/],
    ['{"a":1 "b":2}', 7, /, or }/],
    ['[1 2]', 3, /, or ]/],
    ['[1,]', 3, /a value/],
    ['[,1]', 1, /a value or ]/],
    ['[1}', 2, /, or ]/],
    ['{} {}', 3, /the end/],
    ['[01]', 2, /, or ]/],
    ['[1.]', 2, /, or ]/],
    ['["a\nb"]', 3, /string/],
    ['["a\\x"]', 3, /string/],
    ['["abc', 5, /string/],
    ['[true, [], {"k":[null]}, nul]', 25, /a value/]
  ]
  for (const [body, offset, expected] of cases) {
    t.throws(() => JSON.parse(body), body)
    const error = refusal(body)
    t.equal(error.code, 'invalid-json')
    t.match(error.message, `breaks at character ${offset}:`, body)
    t.match(syntaxErrorAt(body).expected, expected, body)
  }
  const long = `["${'\\n'.repeat(200_000)}`
  t.equal(syntaxErrorAt(long).offset, long.length, 'megabytes in one string overflow nothing')
})

t.test('whatever text comes, parsing gives statements or an LrsError', async t => {
  const near = fc
    .json()
    .chain(json => fc.tuple(fc.constant(json), fc.nat(json.length), fc.constantFrom('', '"', '{', ']', ',', ':', '\\')))
    .map(([json, at, put]) => json.slice(0, at) + put + json.slice(at + 1))
  const property = fc.property(fc.oneof(fc.string({ unit: 'binary' }), near), body => {
    try {
      return parseStatements(body, { maxStatements: 100, maxDepth: 100 }).every(
        one => JSON.parse(one.text) !== undefined
      )
    } catch (error) {
      return error instanceof LrsError
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }))
})

t.test('the text of every statement in a batch is the slice that was sent', async t => {
  const pretty = fc
    .tuple(fc.jsonValue(), fc.constantFrom('', ' ', '\t'))
    .map(([v, space]) => JSON.stringify({ v }, null, space))
  fc.assert(
    fc.property(fc.array(pretty, { maxLength: 5 }), fc.constantFrom(',', ' ,\n'), (texts, comma) => {
      const received = parseStatements(`[ ${texts.join(comma)} ]`, { maxStatements: 9, maxDepth: 1000 })
      t.strictSame(
        received.map(one => one.text),
        texts
      )
    }),
    { numRuns: 100 }
  )
})

t.test('spans say where members and elements are', async t => {
  const text = '{ "a" : [1 , {} ] , "\\u0062":"x\\\\", "c":-1e5\n}'
  t.strictSame(
    memberSpans(text).map(({ key, start, end }) => [key, text.slice(start, end)]),
    [
      ['a', '[1 , {} ]'],
      ['b', '"x\\\\"'],
      ['c', '-1e5']
    ]
  )
  t.strictSame(memberSpans('{ }'), [])
  t.strictSame(elementSpans('[ ]'), [])
  t.strictSame(elementSpans('[1, [2]]'), [
    { start: 1, end: 2 },
    { start: 4, end: 7 }
  ])
  t.strictSame(measure('{"a:{":[{"b":1}]}'), { depth: 3, members: 2 })
})

const ID = '0a1b2c3d-0000-4000-8000-00000000abcd'
const AUTHORITY = '{"account":{"homePage":"http://lrs.example","name":"key"}}'
const ACTOR = '"actor":{"mbox":"mailto:a@x.org"}'
const REST = `${ACTOR},"verb":{"id":"http://x.org/did"},"object":{"id":"http://x.org/a"}`
const STORED = '2025-01-31T12:30:00.000Z'

function prepare(text: string, context: Partial<PrepareContext> = {}): PreparedStatement {
  const [received] = parseStatements(text, { maxStatements: 1, maxDepth: 100 })
  if (received === undefined) throw new Error('no statement')
  const version = context.version ?? '2.0.0'
  const violation = validateStatement(received.value, version)
  if (violation !== null) throw new Error(JSON.stringify(violation))
  return prepareStatement(received, { makeId: () => ID.toUpperCase(), authority: AUTHORITY, ...context, version })
}

t.test('a statement comes back as sent but for what the LRS sets', async t => {
  const cases: [name: string, sent: string, prepared: string][] = [
    [
      'id, authority and version are added',
      `{${REST}}`,
      `{"id":"${ID}",${REST},"authority":${AUTHORITY},"version":"2.0.0"}`
    ],
    [
      'id is lower-cased, authority replaced and version kept where they are',
      `{ "version" : "1.0.9", "authority":{"mbox":"mailto:me@x.org"} ,\n${REST} , "\\u0069d":"${ID.toUpperCase()}" }`,
      `{ "version" : "1.0.9", "authority":${AUTHORITY} ,\n${REST} , "\\u0069d":"${ID}"}`
    ],
    [
      'a stored that was sent is taken out, in front',
      `{"stored":"2020-01-01T00:00:00Z", "id":"${ID}", ${REST},"version":"2.0.0"}`,
      `{"id":"${ID}", ${REST},"version":"2.0.0","authority":${AUTHORITY}}`
    ],
    [
      'in front of an id that is made',
      `{"stored":"2020-01-01T00:00:00Z", ${REST},"version":"2.0.0"}`,
      `{"id":"${ID}",${REST},"version":"2.0.0","authority":${AUTHORITY}}`
    ],
    [
      'and at the end, after a timestamp that changes',
      `{"id":"${ID}",${REST},"version":"2.0.0","timestamp":"2025-01-01T01:00:00.10+01:00" , "stored":"2020-01-01T00:00:00Z"}`,
      `{"id":"${ID}",${REST},"version":"2.0.0","timestamp":"2025-01-01T00:00:00.10Z","authority":${AUTHORITY}}`
    ]
  ]
  for (const [name, sent, expected] of cases) t.equal(prepare(sent).text, expected, name)
})

t.test('xAPI 1.0.3 Data 2.4.10: a statement without a version gets 1.0.0', async t => {
  t.match(prepare(`{${REST}}`, { version: '1.0.3' }).text, /"version":"1\.0\.0"\}$/)
})

t.test(
  'xAPI 1.0.3 Data 2.4.6.2: a context activity sent alone comes back in a list, in a SubStatement too',
  async t => {
    const activity = '{"id":"http://x.org/b","definition":{"extensions":{"http://x.org/e":1.0}}}'
    const sent = `"context":{"platform":"p","contextActivities":{"parent":${activity} ,"other":[${activity}], "grouping":[]}}`
    const kept = `"context":{"platform":"p","contextActivities":{"parent":[${activity}] ,"other":[${activity}], "grouping":[]}}`
    const outer = prepare(`{"id":"${ID}",${REST},${sent}}`)
    t.equal(outer.text, `{"id":"${ID}",${REST},${kept},"authority":${AUTHORITY},"version":"2.0.0"}`)
    t.equal(activitiesOf(outer.value.context?.contextActivities?.parent).length, 1)
    t.equal(activitiesOf(outer.value.context?.contextActivities?.other).length, 1)
    t.equal(activitiesOf(outer.value.context?.contextActivities?.category).length, 0)
    const inner = (context: string, time: string) =>
      `{"id":"${ID}",${ACTOR},"verb":{"id":"http://x.org/did"},"object":{"objectType":"SubStatement",${REST},${context},"timestamp":"${time}"}`
    t.equal(
      prepare(`${inner(sent, '2025-01-01T01:00:00+01:00')}}`).text,
      `${inner(kept, '2025-01-01T00:00:00Z')},"authority":${AUTHORITY},"version":"2.0.0"}`
    )
    t.match(prepare(`{${REST},"context":{}}`).text, '"context":{}')
  }
)

t.test('what a statement is looked up by is read from it', async t => {
  const upper = ID.toUpperCase()
  t.match(prepare(`{${REST},"timestamp":"2025-01-01T01:00:00.1234567+01:00","context":{"registration":"${upper}"}}`), {
    id: ID,
    timestamp: '2025-01-01T00:00:00.1234567Z',
    verb: 'http://x.org/did',
    agents: { direct: new Set(['["mbox","mailto:a@x.org"]']), related: new Set() },
    activities: { direct: new Set(['http://x.org/a']), related: new Set() },
    registration: ID,
    refersTo: null,
    voids: null
  })
  const group = `"actor":{"objectType":"Group","member":[]},"verb":{"id":"http://x.org/did"}`
  t.match(prepare(`{${group},"object":{"objectType":"Agent","openid":"http://x.org/me"}}`), {
    timestamp: null,
    agents: { direct: new Set(['["openid","http://x.org/me"]']), related: new Set() },
    activities: { direct: new Set(), related: new Set() },
    registration: null
  })
  const ref = `"object":{"objectType":"StatementRef","id":"${upper}"}`
  t.equal(prepare(`{${ACTOR},"verb":{"id":"http://adlnet.gov/expapi/verbs/voided"},${ref}}`).voids, ID)
  t.match(prepare(`{${ACTOR},"verb":{"id":"http://x.org/did"},${ref}}`), { refersTo: ID, voids: null })
})

t.test(
  'xAPI 1.0.3 Communication 2.1.1: the id of a PUT and the id of its statement are the same, whatever their case',
  async t => {
    t.equal(prepare(`{${REST}}`, { id: ID.toUpperCase() }).id, ID)
    t.equal(prepare(`{"id":"${ID}",${REST}}`, { id: ID.toUpperCase() }).id, ID)
    t.throws(() => prepare(`{"id":"${ID}",${REST}}`, { id: '0a1b2c3d-0000-4000-8000-000000000000' }), {
      code: 'invalid-statement',
      place: { pointer: '/id', rule: 'xAPI 2.0 4.2.4.2 same-id' }
    })
    t.throws(() => prepare(`{"id":"${ID}",${REST}}`, { id: 'other' }), LrsError)
  }
)

t.test('xAPI 1.0.3 Data 2.4.7: a statement without a timestamp has the time at which it was stored', async t => {
  t.match(stampStored(prepare(`{${REST}}`), STORED), new RegExp(`,"stored":"${STORED}","timestamp":"${STORED}"}$`))
  const timed = prepare(`{${REST},"timestamp":"2025-01-01T00:00:00Z"}`)
  t.equal(stampStored(timed, STORED), `${timed.text.slice(0, -1)},"stored":"${STORED}"}`)
})

t.test('numbers, key order, escapes and characters of an extension come back verbatim', async t => {
  const literal = fc.constantFrom(
    '1.0',
    '999999999999999999',
    '1e400',
    '-0',
    '"\\u0000"',
    '"\\ud800"',
    '"é\\u00e9"',
    '{"2":1,"1":2}'
  )
  const json = fc.oneof(
    literal,
    fc.tuple(fc.jsonValue(), fc.constantFrom('', '  ')).map(([value, space]) => JSON.stringify(value, null, space))
  )
  fc.assert(
    fc.property(json, json, (a, b) => {
      const extensions = `"result":{"extensions":{"http://x.org/a.b":${a}, "http://x.org/&46;":${b}}}`
      const final = stampStored(prepare(`{ ${REST}, ${extensions} }`), STORED)
      t.ok(final.includes(extensions))
      JSON.parse(final)
    }),
    { numRuns: 200 }
  )
})

t.test('xAPI 1.0.3 Data 2.4.2.3: an identity is the IFI with its whole value', async t => {
  const sha = 'ABCDEF0123456789ABCDEF0123456789ABCDEF01'
  t.equal(ifiOf({ mbox_sha1sum: sha }), `["mbox_sha1sum","${sha.toLowerCase()}"]`)
  t.equal(ifiOf({ mbox: 'mailto:A@x.org' }), '["mbox","mailto:A@x.org"]')
  t.equal(ifiOf({ account: { homePage: 'http://a', name: 'b::c' } }), '["account","http://a","b::c"]')
  t.not(
    ifiOf({ account: { homePage: 'http://a', name: 'b::c' } }),
    ifiOf({ account: { homePage: 'http://a::b', name: 'c' } })
  )
  t.equal(ifiOf({ objectType: 'Group', openid: 'http://x' }), ifiOf({ openid: 'http://x' }))
  t.equal(ifiOf({ objectType: 'Group', member: [{ mbox: 'mailto:a@b' }] }), null)
})
