import t from 'tap'
import { Check } from 'typebox/schema'
import { makeLearners } from '../../demo/learners.js'
import { type DemoStatement, makeStatements } from '../../demo/statements.js'
import { learningEventKinds } from '../../src/events/mapping-rule.js'
import { profile } from '../../src/events/profile.js'
import { templateKinds, templateOf } from '../../src/events/profile-templates.js'
import { validateStatement } from '../../src/xapi/validate.js'
import { testApp } from '../support/app.js'
import { type AnyStatement, followsRule, matches, validates } from '../support/profile-processor.js'
import { profileFaults, type Thing } from '../support/profile-rules.js'

const n = 'https://w3id.org/momentum-lrs/'
const { punctual, late } = makeStatements({ seed: 7, lastDay: '2026-04-12', zone: 'Europe/Berlin' }, makeLearners())
const demo = [...punctual, ...late]
const kindOf = ({ verb }: AnyStatement) => verb.id.slice(`${n}verbs/`.length)

/** A copy of the profile in which the value at a place is another; undefined takes it away. */
function withValue(path: string, value: unknown): Thing {
  const copy = JSON.parse(JSON.stringify(profile)) as Thing
  const names = path.split('/')
  const last = names.pop() ?? ''
  let holder = copy as Record<string, unknown>
  for (const name of names) holder = holder[name] as Record<string, unknown>
  holder[last] = value
  return JSON.parse(JSON.stringify(copy)) as Thing
}

t.test('the profile meets every requirement of the xAPI Profiles specification on its structure', async t => {
  t.same(profileFaults(profile as unknown as Thing), [])
})

t.test('each requirement on the structure is one that a profile can break', async t => {
  const pattern = (rest: object) => ({ id: `${n}patterns/x`, type: 'Pattern', inScheme: `${n}profile/v1`, ...rest })
  const delivered = templateOf('delivered')
  const version = (rest: object) => ({ generatedAtTime: '2027-01-01T00:00:00Z', ...rest })
  const table: [path: string, value: unknown, fault: string][] = [
    ['definition/en', '', 'a value is null or empty'],
    ['concepts/0/broader', [], 'an object or a list is empty'],
    ['conformsTo', undefined, 'conformsTo is missing'],
    ['conformsTo', 'https://w3id.org/xapi/profiles#2.0', 'conformsTo is not version 1.0'],
    ['@context', ['https://example.org/context'], '@context is not that of profiles'],
    ['type', 'profile', 'type is wrong'],
    ['id', 'profile', 'id is not an IRI'],
    ['prefLabel', 'Momentum', 'prefLabel is not a language map'],
    ['colour', 'green', 'colour is unknown'],
    ['author', { type: 'Organization' }, 'name is missing'],
    ['author/type', 'Team', 'type is wrong'],
    ['versions', [version({ id: `${n}profile` })], 'id is that of another version or of the profile'],
    ['versions/0/generatedAtTime', 'yesterday', 'generatedAtTime is not a timestamp'],
    ['versions/1', version({ id: `${n}profile/v2` }), 'wasRevisionOf is missing'],
    ['concepts/0/inScheme', `${n}profile`, 'inScheme is no version of the profile'],
    ['concepts/0/type', 'Adverb', 'type is wrong'],
    ['concepts/0/prefLabel', undefined, 'prefLabel is missing'],
    ['concepts/0/related', [`${n}verbs/opened`], 'related is not for what is in use'],
    ['concepts/0/broader', [`${n}activity-types/module`], 'broader is not of this profile and type'],
    ['concepts/0/broadMatch', [`${n}verbs/opened`], 'broadMatch is of this profile'],
    ['concepts/0/exactMatch', 'https://example.org/verb', 'exactMatch is not a list of IRIs'],
    ['concepts/0/recommendedVerbs', [`${n}verbs/opened`], 'recommendedVerbs is unknown'],
    ['concepts/18/recommendedActivityTypes', [`${n}activity-types/task`], 'recommendedActivityTypes is unknown'],
    ['concepts/18/schema', 'https://example.org/schema', 'schema is given twice'],
    ['concepts/18/inlineSchema', '{', 'inlineSchema is not JSON as text'],
    ['concepts/18/deprecated', 'no', 'deprecated is not a boolean'],
    ['concepts/1/id', `${n}verbs/delivered`, 'id is taken'],
    ['templates/0/definition', undefined, 'definition is missing'],
    ['templates/0/rules/0', { location: '$.object.id' }, 'a rule asks for nothing'],
    ['templates/0/rules/0/presence', 'required', 'presence is wrong'],
    ['templates/0/rules/0/any', 'x', 'any is not a list'],
    ['templates/0/rules/0/location', '$.a[?(@.b)]', 'location is not a legal JSONPath'],
    ['templates/0/rules/0/location', '$.a[-1]', 'location is not a legal JSONPath'],
    ['templates/0/rules/0/selector', '$.a | b', 'selector is not a legal JSONPath'],
    ['patterns/0', pattern({}), 'not exactly one form'],
    ['patterns/0', pattern({ optional: delivered, oneOrMore: delivered }), 'not exactly one form'],
    ['patterns/0/definition', undefined, 'a primary pattern has no name or definition'],
    ['patterns/0/sequence/0', `${n}templates/x`, `${n}templates/x is unknown`],
    ['patterns/1', pattern({ alternates: [delivered] }), 'alternates has one member'],
    ['patterns/1', pattern({ sequence: [delivered] }), 'sequence has one member'],
    ['patterns/1', pattern({ alternates: [delivered, `${n}patterns/practice`] }), 'an alternate may be absent'],
    ['patterns/1', pattern({ sequence: [delivered, `${n}patterns/x`] }), 'it holds itself'],
    ['patterns/4/alternates/0', `${n}patterns/practice`, 'it holds itself']
  ]
  for (const [path, value, fault] of table) {
    const faults = profileFaults(withValue(path, value))
    t.ok(
      faults.some(found => found.endsWith(`: ${fault}`)),
      `${path}: ${fault}; ${faults.join(', ')}`
    )
  }
  const exclusive = withValue('templates/0/objectStatementRefTemplate', [delivered])
  t.same(profileFaults(exclusive), [])
  const [template] = exclusive.templates as [Record<string, unknown>]
  template.objectActivityType = `${n}activity-types/task`
  t.match(profileFaults(exclusive), [/exclude each other/])
})

t.test(
  'the profile has a verb for every kind, a template for the six, and the extensions that events read',
  async t => {
    const ids = (type: RegExp) => profile.concepts.filter(concept => type.test(concept.type)).map(({ id }) => id)
    t.same(
      ids(/^Verb$/),
      learningEventKinds.map(kind => `${n}verbs/${kind}`)
    )
    t.same(
      profile.templates.map(({ verb }) => verb),
      templateKinds.map(kind => `${n}verbs/${kind}`)
    )
    t.same(
      ids(/Extension$/),
      ['cohort', 'role', 'manager', 'subject', 'outcome-tags'].map(name => `${n}extensions/${name}`)
    )
  }
)

t.test('the value of an extension is of the form that its schema gives', async t => {
  const table: [name: string, good: readonly unknown[], bad: readonly unknown[]][] = [
    ['cohort', ['pilot'], ['', 7, ['pilot']]],
    ['role', ['engineer'], [null]],
    ['manager', ['42'], [42, { name: '42' }]],
    [
      'subject',
      [
        { mbox: 'mailto:a@example.org' },
        { objectType: 'Agent', account: { homePage: 'https://a.example', name: 'a' } }
      ],
      [{}, 'ada', { objectType: 'Group', mbox: 'mailto:a@example.org' }, { mbox: 'mailto:a@example.org', openid: 'x' }]
    ],
    ['outcome-tags', [[], ['confident']], ['confident', [7]]]
  ]
  for (const [name, good, bad] of table) {
    const concept = profile.concepts.find(({ id }) => id === `${n}extensions/${name}`)
    const schema = JSON.parse(concept !== undefined && 'inlineSchema' in concept ? concept.inlineSchema : '')
    for (const value of good) t.ok(Check(schema, value), `${name} ${JSON.stringify(value)}`)
    for (const value of bad) t.notOk(Check(schema, value), `${name} ${JSON.stringify(value)}`)
  }
})

t.test('every statement of the demo follows the template of its kind, where there is one, and no other', async t => {
  const kinds: readonly string[] = templateKinds
  const wrong = demo.filter(statement => {
    const { outcome, templates } = validates(statement, profile.templates)
    const hasTemplate = kinds.includes(kindOf(statement))
    const expected = hasTemplate ? `${n}templates/${kindOf(statement)}` : ''
    return outcome !== (hasTemplate ? 'success' : 'unmatched') || templates.join() !== expected
  })
  t.same(wrong.slice(0, 3), [])
  t.same(new Set(demo.map(kindOf).filter(kind => kinds.includes(kind))), new Set(templateKinds))
})

/** A statement of the demo of this kind, changed. */
function changed(kind: string, change: object): AnyStatement {
  return JSON.parse(JSON.stringify({ ...demo.find(one => kindOf(one) === kind), ...change }))
}

t.test('a statement in another form than the canonical one follows no template', async t => {
  const ada = { objectType: 'Agent', mbox: 'mailto:ada@example.org' }
  const team = { ...ada, objectType: 'Group' }
  const module = { id: 'https://example.org/modules/feedback' }
  const reference = { objectType: 'StatementRef', id: '8725ebdf-9430-4458-81a8-cdd77c875e32' }
  const about = { extensions: { [`${n}extensions/subject`]: ada } }
  const table: [kind: string, what: string, change: object, outcome: string][] = [
    ...templateKinds.flatMap((kind): [string, string, object, string][] => [
      [kind, 'by a group', { actor: team }, 'invalid'],
      [kind, 'about another statement', { object: reference }, 'invalid'],
      [kind, 'about a group', { object: team }, 'invalid'],
      [kind, 'with another verb', { verb: { id: 'http://adlnet.gov/expapi/verbs/launched' } }, 'unmatched'],
      [kind, 'with the bare minimum', { actor: ada, object: module, context: about, result: undefined }, 'success']
    ]),
    ['opened', 'about a person', { object: ada }, 'invalid'],
    ['completed-task', 'that is not completed', { result: { completion: false } }, 'invalid'],
    ['completed-task', 'that is completed', { result: { completion: true } }, 'success'],
    ['peer-feedback', 'that names no module', { object: ada, context: {} }, 'invalid'],
    ['manager-check', 'that names no module', { object: ada, context: about }, 'invalid'],
    ['peer-feedback', 'about an activity and nobody', { object: module, context: {} }, 'invalid'],
    ['manager-check', 'about an activity and nobody', { object: module, context: {} }, 'invalid'],
    [
      'manager-check',
      'about a person and a module',
      { object: ada, context: { contextActivities: { parent: [module] } } },
      'success'
    ]
  ]
  for (const [kind, what, change, outcome] of table) {
    const statement = changed(kind, change)
    const expected = outcome === 'unmatched' ? [] : [`${n}templates/${kind}`]
    t.same(validates(statement, profile.templates), { outcome, templates: expected }, `${kind} ${what}`)
    if (outcome === 'success') t.equal(validateStatement(statement, '1.0.3'), null, `${kind} ${what} is valid`)
  }
})

t.test('a rule of a template is followed as the specification says', async t => {
  const place = { location: '$.result.score.raw' }
  const raw = (...values: number[]) => ({ result: { score: values.map(value => ({ raw: value })) } })
  const each = { location: '$.result.score[*].raw' }
  const table: [rule: Parameters<typeof followsRule>[1], statement: object, follows: boolean][] = [
    [{ ...place, presence: 'included' }, {}, false],
    [{ ...place, presence: 'included' }, { result: { score: { raw: 0 } } }, true],
    [{ ...place, presence: 'excluded' }, {}, true],
    [{ ...place, presence: 'excluded' }, { result: { score: { raw: 0 } } }, false],
    [{ ...place, presence: 'recommended', any: [1] }, {}, true],
    [{ ...place, any: [1] }, {}, false],
    [{ ...place, all: [1] }, {}, true],
    [{ ...place, none: [1] }, {}, true],
    [{ ...each, any: [1, 2] }, raw(0, 2), true],
    [{ ...each, any: [1, 2] }, raw(0, 3), false],
    [{ ...each, all: [1, 2] }, raw(1, 2, 1), true],
    [{ ...each, all: [1, 2] }, raw(1, 3), false],
    [{ ...each, none: [1, 2] }, raw(0, 3), true],
    [{ ...each, none: [1, 2] }, raw(0, 1), false],
    [{ location: '$.a | $.b', presence: 'included' }, { b: 1 }, true]
  ]
  for (const [rule, statement, follows] of table) {
    t.equal(followsRule(statement, rule), follows, JSON.stringify([rule, statement]))
  }
})

const letters: Readonly<Record<string, string>> = {
  delivered: 'd',
  opened: 'o',
  'completed-task': 't',
  'repeated-session': 'r',
  'peer-feedback': 'p',
  'manager-check': 'm'
}
const patternId = `${n}patterns/practice-loop`

/** How a series, written with a letter for each kind, goes with the primary pattern. */
function outcomeOf(series: string): string {
  const kinds = [...series].map(letter => Object.keys(letters).find(kind => letters[kind] === letter) ?? '')
  const { outcome, remaining } = matches(
    kinds.map(kind => [`${n}templates/${kind}`]),
    patternId,
    profile.patterns
  )
  return outcome === 'success' && remaining.length > 0 ? 'too much' : outcome
}

t.test('the practice loop takes what belongs to it in its order, and nothing else', async t => {
  const table = {
    success: ['dotpm', 'dotrpm', 'dotrrrpm', 'dotorpm', 'doortpm', 'dotorttpm', 'dotpppm', 'dotporpotm'],
    partial: ['', 'd', 'do', 'doo', 'dor', 'dot', 'dott', 'dotp', 'dotpp'],
    failure: ['o', 'od', 'dt', 'dop', 'dom', 'dotm', 'ddotpm', 'dodtpm', 'dotdpm', 'dotpdm'],
    'too much': ['dotpmm', 'dotpmo', 'dotpmdotpm']
  }
  for (const [outcome, all] of Object.entries(table))
    for (const series of all) t.equal(outcomeOf(series), outcome, series)
})

t.test('the loops of the demo go with the pattern exactly where a regular expression says so', async t => {
  const outcomes = loopsOf(demo).map(series => [series, outcomeOf(series), expectedOf(series)])
  t.same(
    outcomes.filter(([, found, expected]) => found !== expected),
    []
  )
  const found = new Set(outcomes.map(([, outcome]) => outcome))
  t.same(found, new Set(['success', 'partial', 'failure', 'too much']), 'the demo has all sorts')
})

/** The series of each registration, in time. */
function loopsOf(statements: readonly DemoStatement[]): readonly string[] {
  const series = new Map<string, string>()
  for (const statement of statements.toSorted(
    (one, other) => Date.parse(one.timestamp) - Date.parse(other.timestamp)
  )) {
    const registration = statement.context?.registration ?? ''
    series.set(registration, `${series.get(registration) ?? ''}${letters[kindOf(statement)]}`)
  }
  return [...series.values()]
}

function expectedOf(series: string): string {
  if (/^do[or]*t[ort]*p[ortp]*m$/.test(series)) return 'success'
  if (/^do[or]*t[ort]*p[ortp]*m./.test(series)) return 'too much'
  return /^(d(o[or]*(t[ort]*(p[ortp]*)?)?)?)?$/.test(series) ? 'partial' : 'failure'
}

t.test('the service gives the profile to everybody, with a tag and for a day', async t => {
  const { app } = await testApp(t)
  const response = await app.inject({ url: '/profile', headers: { origin: 'https://tools.example' } })
  t.equal(response.statusCode, 200)
  t.equal(response.headers['content-type'], 'application/ld+json')
  t.equal(response.headers['cache-control'], 'public, max-age=86400')
  t.equal(response.headers['access-control-allow-origin'], '*')
  t.same(response.json(), profile)
  const { etag } = response.headers
  t.match(etag, /^"[0-9a-f]{40}"$/)
  const again = await app.inject({ url: '/profile', headers: { 'if-none-match': `${etag}` } })
  t.equal(again.statusCode, 304)
  t.equal(again.body, '')
  t.equal((await app.inject({ url: '/profile', headers: { 'if-match': '"other"' } })).statusCode, 412)
  t.equal((await app.inject({ method: 'HEAD', url: '/profile' })).headers.etag, etag)
})
