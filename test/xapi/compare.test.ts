import fc from 'fast-check'
import t from 'tap'
import { sameStatement } from '../../src/xapi/compare.js'
import { canonicalNumber, canonicalText, readJson } from '../../src/xapi/json.js'

const ID = '0a1b2c3d-0000-4000-8000-00000000abcd'
const agent = { mbox: 'mailto:a@x.org' }
const other = { mbox_sha1sum: 'abcdef0123456789abcdef0123456789abcdef01' }
const activity = { id: 'http://x.org/a' }
const base = { id: ID, actor: agent, verb: { id: 'http://x.org/did' }, object: activity }
const group = (...member: object[]) => ({ objectType: 'Group', member })
const sub = (changes: object) => ({
  ...base,
  object: { objectType: 'SubStatement', ...base, id: undefined, ...changes }
})
const context = (value: object) => ({ ...base, context: value })
const attachments = (...list: object[]) => ({ ...base, attachments: list })
const signature = { usageType: 'http://adlnet.gov/expapi/attachments/signature', sha2: 'ff' }

type Pair = readonly [what: string, a: unknown, b: unknown]

const same: readonly Pair[] = [
  ['the case of ids', base, { ...base, id: ID.toUpperCase() }],
  ['an id that one lacks', base, { ...base, id: undefined }],
  ['stored, authority and version', base, { ...base, stored: 'x', authority: agent, version: '1.0.0' }],
  ['a timestamp that one lacks', base, { ...base, timestamp: '2020-01-01T00:00:00Z' }],
  [
    "a timestamp's written form",
    { ...base, timestamp: '2020-01-01T00:00:00.10Z' },
    { ...base, timestamp: '2020-01-01T01:00:00.1+01:00' }
  ],
  [
    "a whole second's written form, in a SubStatement",
    sub({ timestamp: '2020-01-01T00:00:00.000Z' }),
    sub({ timestamp: '2019-12-31T23:30:00-00:30' })
  ],
  ['verb display', base, { ...base, verb: { ...base.verb, display: { en: 'did' } } }],
  ['an activity definition', base, { ...base, object: { ...activity, definition: { name: {} } } }],
  [
    "a context activity's definition, and its being alone",
    context({ contextActivities: { parent: activity } }),
    context({ contextActivities: { parent: [{ ...activity, definition: {} }] } })
  ],
  [
    'the order of members',
    { ...base, actor: group(agent, other, agent) },
    { ...base, actor: group(other, agent, agent) }
  ],
  ["the order of a team's members", context({ team: group(agent, other) }), context({ team: group(other, agent) })],
  [
    'the order of members of a context group',
    context({ contextGroups: [{ group: group(agent, other) }] }),
    context({ contextGroups: [{ group: group(other, agent) }] })
  ],
  ['the case of a mail domain', base, { ...base, actor: { mbox: 'mailto:a@X.org' } }],
  [
    'the case of a hash',
    { ...base, actor: other },
    { ...base, actor: { mbox_sha1sum: other.mbox_sha1sum.toUpperCase() } }
  ],
  ['the case of a registration', context({ registration: ID }), context({ registration: ID.toUpperCase() })],
  [
    'the case of a reference',
    { ...base, object: { objectType: 'StatementRef', id: ID } },
    { ...base, object: { objectType: 'StatementRef', id: ID.toUpperCase() } }
  ],
  ['the case of a language', context({ language: 'en-GB' }), context({ language: 'en-gb' })],
  [
    "a duration's digits after 0.01 s",
    { ...base, result: { duration: 'PT1.239S' } },
    { ...base, result: { duration: 'PT1.23S' } }
  ],
  ['the signature', base, attachments(signature)],
  ['the signature among others', attachments({ sha2: 'aa' }), attachments({ sha2: 'AA' }, signature)],
  ['verb display in a SubStatement', sub({}), sub({ verb: { id: 'http://x.org/did', display: {} } })]
]

const different: readonly Pair[] = [
  ['ids', base, { ...base, id: ID.replace('0', '1') }],
  ['instants', { ...base, timestamp: '2020-01-01T00:00:00Z' }, { ...base, timestamp: '2020-01-01T00:00:00.000001Z' }],
  ['actors', base, { ...base, actor: { mbox: 'mailto:A@x.org' } }],
  ["actors' names", base, { ...base, actor: { ...agent, name: 'A' } }],
  ['members', { ...base, actor: group(agent, agent, other) }, { ...base, actor: group(agent, other, other) }],
  ['verbs', base, { ...base, verb: { id: 'http://x.org/Did' } }],
  ['an objectType left out', base, { ...base, object: { objectType: 'Activity', ...activity } }],
  ['durations in other units', { ...base, result: { duration: 'PT60S' } }, { ...base, result: { duration: 'PT1M' } }],
  [
    'the order of context activities',
    context({ contextActivities: { other: [activity, { id: 'a:b' }] } }),
    context({ contextActivities: { other: [{ id: 'a:b' }, activity] } })
  ],
  ['attachments', base, attachments({ sha2: 'aa' })],
  ['empty attachments', base, attachments()],
  [
    'the order of attachments',
    attachments({ sha2: 'aa' }, { sha2: 'bb' }),
    attachments({ sha2: 'bb' }, { sha2: 'aa' })
  ],
  ['values of extensions', context({ extensions: { 'a:b': null } }), context({ extensions: {} })],
  ['timestamps of SubStatements', sub({}), sub({ timestamp: '2020-01-01T00:00:00Z' })],
  ['a statement and no statement', base, []]
]

t.test('xAPI 1.0.3 Data 2.3.1: statements are the same but for the exceptions to their immutability', async t => {
  for (const [what, a, b] of same) {
    t.equal(sameStatement(JSON.stringify(a), JSON.stringify(b, null, 1)), true, `without regard to ${what}`)
    t.equal(sameStatement(JSON.stringify(b), JSON.stringify(a)), true, `nor the other way round, ${what}`)
  }
  for (const [what, a, b] of different) {
    t.equal(sameStatement(JSON.stringify(a), JSON.stringify(b)), false, `with regard to ${what}`)
  }
})

t.test('text that is JSON but not valid as a statement is compared without failing', async t => {
  const odd =
    '{"timestamp":5,"id":null,"actor":{"member":{"mbox":1}},"verb":"v","object":null,"result":{"duration":1},"attachments":{}}'
  t.equal(sameStatement(odd, odd), true)
  t.equal(sameStatement(odd, '{}'), false)
  t.equal(sameStatement('{"timestamp":"soon"}', '{"timestamp":"later"}'), false)
  t.equal(
    sameStatement('{"context":{"contextAgents":{"agent":{}}}}', '{"context":{"contextAgents":{"agent":{}}}}'),
    true
  )
  t.equal(sameStatement('1.0', '1'), true)
})

t.test('numbers are compared by their exact value, however they are written', async t => {
  const alike = [
    ['1', '1.0', '10e-1', '0.1E+1'],
    ['0', '-0', '0.000', '0e99'],
    ['-1.20', '-12e-1'],
    ['1e400', '10e399']
  ]
  for (const group of alike) t.equal(new Set(group.map(canonicalNumber)).size, 1, group.join(' '))
  t.not(canonicalNumber('999999999999999999'), canonicalNumber('1000000000000000000'))
  t.not(canonicalNumber('0.1'), canonicalNumber('0.10000000000000000001'))
  t.not(canonicalNumber('1'), canonicalNumber('-1'))
  t.not(canonicalNumber('1e400'), canonicalNumber('1e401'))
  const huge = `1e${'9'.repeat(400)}`
  t.equal(canonicalNumber(huge), huge)
})

t.test('reading JSON loses nothing that counts', async t => {
  const property = fc.property(fc.jsonValue(), fc.constantFrom('', '\t'), (value, space) => {
    const text = JSON.stringify(value, null, space)
    t.equal(canonicalText(readJson(text)), canonicalText(readJson(JSON.stringify(value))))
    t.strictSame(JSON.parse(canonicalText(readJson(text)).replaceAll('-0', '0')) !== undefined, true)
  })
  fc.assert(property, { numRuns: 100 })
  t.equal(
    canonicalText(readJson('{"b":[1, "\\u0061" ],"__proto__":{"a":true} , "a":null,"c":false}')),
    '{"__proto__":{"a":true},"a":null,"b":[1e0,"a"],"c":false}'
  )
})

t.test('sameness is reflexive and symmetric', async t => {
  const json = fc.json()
  const statement = fc.record(
    {
      id: fc.constantFrom(ID, ID.toUpperCase()),
      timestamp: fc.constantFrom('2020-01-01T00:00:00Z', '2020-01-01T00:00Z', 'x'),
      result: fc.jsonValue(),
      context: fc.jsonValue()
    },
    { requiredKeys: [] }
  )
  const texts = fc.oneof(
    json,
    statement.map(value => JSON.stringify(value))
  )
  fc.assert(
    fc.property(texts, texts, (a, b) => {
      t.equal(sameStatement(a, a), true)
      t.equal(sameStatement(a, b), sameStatement(b, a))
    }),
    { numRuns: 200 }
  )
})
