import fc from 'fast-check'
import t from 'tap'
import { LrsError } from '../../src/errors.js'
import { parseStatements } from '../../src/xapi/parse.js'
import { elementSpans, measure, memberSpans } from '../../src/xapi/scan.js'
import { syntaxErrorAt } from '../../src/xapi/syntax.js'

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
