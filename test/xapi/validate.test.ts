import t from 'tap'
import { isTimestamp } from '../../src/xapi/formats.js'
import { VOIDED } from '../../src/xapi/statement.js'
import { validateAgent, validateStatement } from '../../src/xapi/validate.js'
import { negotiateVersion, rulesOf, type XapiVersion } from '../../src/xapi/version.js'

const UUID = '0A1b2c3d-0000-4000-8000-00000000abcd'
const agent = { mbox: 'mailto:a@x.org' }
const member = { account: { homePage: 'http://x.org', name: 'key' } }
const verb = { id: 'http://x.org/did' }
const activity = { id: 'http://x.org/a' }
const base = { actor: agent, verb, object: activity }
const ref = { objectType: 'StatementRef', id: UUID }
const sub = { objectType: 'SubStatement', ...base }
const attachment = {
  usageType: 'http://x.org/u',
  display: { en: 'x' },
  contentType: 'text/plain; charset=ascii',
  length: 27,
  sha2: '495395e777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a'
}
const context = (value: unknown) => ({ ...base, context: value })
const result = (value: unknown) => ({ ...base, result: value })
const score = (value: unknown) => result({ score: value })
const actor = (value: unknown) => ({ ...base, actor: value })
const definition = (value: unknown) => ({ ...base, object: { ...activity, definition: value } })
const attached = (changes: object) => ({ ...base, attachments: [{ ...attachment, ...changes }] })

function accept(t: Tap, statements: readonly unknown[], version: XapiVersion = '1.0.3') {
  for (const statement of statements) {
    t.equal(validateStatement(statement, version), null, JSON.stringify(statement))
  }
}

type Tap = Pick<typeof t, 'equal' | 'match'>
type Refusal = readonly [statement: unknown, pointer: string, rule: string, message?: RegExp]

function refuse(t: Tap, refusals: readonly Refusal[], version: XapiVersion = '1.0.3') {
  const { sectionPrefix } = rulesOf(version)
  for (const [statement, pointer, rule, message = /./] of refusals) {
    const expected = { pointer, rule: `${sectionPrefix} ${rule}`, message }
    t.match(validateStatement(statement, version), expected, JSON.stringify(statement))
  }
}

t.test('xAPI 1.0.3 Data 2.4: a statement has an actor, a verb and an object, and nothing unknown', async t => {
  accept(t, [
    base,
    { ...base, id: UUID, stored: '2020-01-01T00:00:00Z', timestamp: '2999-01-01T00:00:00', version: '1.0' }
  ])
  refuse(t, [
    [null, '', '2.4 object', /must be an object, not null/],
    [[], '', '2.4 object', /not an array/],
    ['x', '', '2.4 object', /not a string/],
    [{}, '', '2.4 actor-required', /must have "actor"/],
    [{ actor: agent, verb }, '', '2.4 object-required'],
    [{ ...base, Actor: agent }, '/Actor', '2.2 known-properties', /"actor" is written with this case/],
    [{ ...base, 'a/b~': 1 }, '/a~1b~0', '2.2 known-properties'],
    [JSON.parse('{"__proto__":{}}'), '/__proto__', '2.2 known-properties'],
    [{ ...base, constructor: 1 }, '/constructor', '2.2 known-properties'],
    [{ ...base, id: 'x' }, '/id', '4.4 uuid', /not "x"/],
    [{ ...base, id: `${UUID.slice(0, -1)}g` }, '/id', '4.4 uuid'],
    [{ ...base, id: `{${UUID}}` }, '/id', '4.4 uuid'],
    [{ ...base, id: 'x'.repeat(99) }, '/id', '4.4 uuid', /a string of 99 characters/],
    [{ ...base, id: null }, '/id', '2.2 type', /must be a string, not null/i],
    [{ ...base, timestamp: 5 }, '/timestamp', '2.2 type'],
    [{ ...base, timestamp: '2008-09-15T15:53:00.601-00:00' }, '/timestamp', '4.5 timestamp', /-00:00/],
    [{ ...base, stored: 'now' }, '/stored', '4.5 timestamp'],
    [{ ...base, version: '1.1.0' }, '/version', '2.4.10 version'],
    [{ ...base, version: '2.0.0' }, '/version', '2.4.10 version'],
    [{ ...base, version: '1.0.01' }, '/version', '2.4.10 version'],
    [{ ...base, version: 1 }, '/version', '2.4.10 version']
  ])
})

t.test('xAPI 1.0.3 Data 2.4.2: an agent has exactly one identifier, in its own form', async t => {
  const sha = 'abcdef0123456789ABCDEF0123456789abcdef01'
  accept(t, [
    actor({ objectType: 'Agent', name: '', mbox_sha1sum: sha }),
    actor({ openid: 'http://x.org/?a=%20' }),
    actor(member),
    actor({ mbox: 'mailto:jürgen+x@exämple.org' })
  ])
  refuse(t, [
    [actor('me'), '/actor', '2.4.2.1 object'],
    [actor({}), '/actor', '2.4.2.3 one-ifi', /not 0/],
    [actor({ ...agent, mbox_sha1sum: sha }), '/actor', '2.4.2.3 one-ifi', /not 2/],
    [actor({ ...agent, objectType: 'agent' }), '/actor/objectType', '2.4.2.1 enumerated'],
    [actor({ ...agent, objectType: 'Person' }), '/actor/objectType', '2.4.2.1 enumerated'],
    [actor({ ...agent, member: [] }), '/actor/member', '2.2 known-properties'],
    [actor({ ...agent, name: null }), '/actor/name', '2.2 type'],
    [actor({ mbox: null }), '/actor/mbox', '2.2 type'],
    [actor({ mbox: '' }), '/actor/mbox', '2.4.2.3 mbox'],
    [actor({ mbox: 'a@x.org' }), '/actor/mbox', '2.4.2.3 mbox'],
    [actor({ mbox: 'http://should.fail.com' }), '/actor/mbox', '2.4.2.3 mbox'],
    [actor({ mbox: 'mailto:should.fail.com' }), '/actor/mbox', '2.4.2.3 mbox'],
    [actor({ mbox: 'mailto:a@x.org,b@x.org' }), '/actor/mbox', '2.4.2.3 mbox'],
    [actor({ mbox: 'mailto:a@x.org\u0000' }), '/actor/mbox', '2.4.2.3 mbox'],
    [actor({ mbox_sha1sum: sha.slice(1) }), '/actor/mbox_sha1sum', '2.4.2.3 mbox_sha1sum'],
    [actor({ openid: 'me' }), '/actor/openid', '2.4.2.3 openid'],
    [actor({ openid: 'http://x.org/ü' }), '/actor/openid', '2.4.2.3 openid'],
    [actor({ account: { name: 'a' } }), '/actor/account', '2.4.2.4 homePage-required'],
    [actor({ account: { homePage: 'http://x.org' } }), '/actor/account', '2.4.2.4 name-required'],
    [actor({ account: { homePage: 'x', name: 'a' } }), '/actor/account/homePage', '4.3 iri'],
    [actor({ account: { homePage: 'http://x.org', name: '' } }), '/actor/account/name', '2.4.2.4 name'],
    [actor({ account: { homePage: 'http://x.org', name: 'a\u0000' } }), '/actor/account/name', '2.4.2.4 name'],
    [actor({ account: { homePage: 'http://x.org', name: '\ud800' } }), '/actor/account/name', '2.4.2.4 name']
  ])
})

t.test('xAPI 1.0.3 Data 2.4.2.2: a group is identified or lists its members, who are agents', async t => {
  const group = { objectType: 'Group' }
  accept(t, [
    actor({ ...group, ...agent }),
    actor({ ...group, ...agent, member: [] }),
    actor({ ...group, member: [agent, { objectType: 'Agent', ...member }] }),
    { ...base, object: { ...group, member: [agent] } }
  ])
  refuse(t, [
    [actor(group), '/actor', '2.4.2.2 member-required'],
    [actor({ ...group, ...agent, ...member }), '/actor', '2.4.2.3 one-ifi', /A Group/],
    [actor({ ...group, member: agent }), '/actor/member', '2.4.2.2 array'],
    [actor({ ...group, member: [agent, { ...group, ...agent }] }), '/actor/member/1/objectType', '2.4.2.1 enumerated'],
    [actor({ ...group, member: [{}] }), '/actor/member/0', '2.4.2.3 one-ifi'],
    [context({ team: agent }), '/context/team', '2.4.2.2 objectType-required'],
    [context({ team: { objectType: 'Agent', ...agent } }), '/context/team/objectType', '2.4.2.2 enumerated']
  ])
})

t.test('the agent of a parameter is an Agent or an identified Group', async t => {
  t.equal(validateAgent(agent, '2.0.0'), null)
  t.equal(validateAgent({ objectType: 'Group', ...agent }), null)
  t.match(validateAgent({ objectType: 'Group', member: [agent] }, '2.0.0'), { rule: 'xAPI 2.0 4.2.2.1 one-ifi' })
  t.match(validateAgent({}), { pointer: '', rule: 'xAPI 1.0.3 Data 2.4.2.3 one-ifi' })
})

t.test('xAPI 1.0.3 Data 2.4.9: an authority is an agent, or an OAuth consumer and its user', async t => {
  const authority = (value: unknown) => ({ ...base, authority: value })
  const pair = (...members: unknown[]) => authority({ objectType: 'Group', member: members })
  accept(t, [authority(agent), pair(member, agent), pair(agent, member)])
  refuse(t, [
    [authority({}), '/authority', '2.4.2.3 one-ifi'],
    [pair(member), '/authority', '2.4.9 two-members'],
    [pair(member, agent, agent), '/authority', '2.4.9 two-members'],
    [pair(agent, agent), '/authority', '2.4.9 oauth-consumer'],
    [authority({ objectType: 'Group', ...agent }), '/authority', '2.4.9 two-members'],
    [authority({ objectType: 'Group', ...agent, member: [agent, member] }), '/authority', '2.4.9 two-members']
  ])
})

t.test('xAPI 1.0.3 Data 2.4.3 and 4.3: a verb has an IRI, with a scheme and no spaces', async t => {
  const verbId = (id: unknown) => ({ ...base, verb: { id, display: {} } })
  accept(t, [
    verbId('http://example.com/فعل/خواندن'),
    verbId('tag:x.org,2020:did'),
    verbId('urn:a:%C3%BC'),
    verbId(`http://x/${'a'.repeat(9999)}`)
  ])
  const wrong = [
    '',
    'did',
    '/did',
    '1a:b',
    'ab=c://x.org',
    'http:',
    ' http://x',
    'http://x y',
    'http://x\n',
    'http://x\u0000',
    'http://x\u00a0'
  ]
  const unsafe = [
    'http://x/<a>',
    'http://x/{a}',
    'http://x/%zz',
    'http://x/%2',
    'http://x/\ud800',
    'http://x/\udc00a',
    'http://x\\y'
  ]
  refuse(t, [
    ...[...wrong, ...unsafe].map((id): Refusal => [verbId(id), '/verb/id', '4.3 iri']),
    [verbId(5), '/verb/id', '2.2 type'],
    [{ ...base, verb: {} }, '/verb', '2.4.3 id-required'],
    [{ ...base, verb: 'did' }, '/verb', '2.4.3 object']
  ])
})

t.test('xAPI 1.0.3 Data 4.2: a language map has RFC 5646 tags and strings', async t => {
  const display = (value: unknown) => ({ ...base, verb: { ...verb, display: value } })
  const tags =
    'en en-US zh-Hant-TW zh-cmn-Hans-CN sl-rozaj-biske de-CH-1996 es-419 en-a-bbb-x-a x-whatever i-klingon EN-us und abcd abcde'
  accept(
    t,
    tags.split(' ').map(tag => display({ [tag]: '' }))
  )
  const wrong = ['', 'a', 'a12345678', 'en_US', 'en-', 'en--US', 'english-language-tag', 'x', 'en-a', '123', 'en US']
  refuse(t, [
    ...wrong.map((tag): Refusal => [display({ [tag]: '' }), `/verb/display/${tag}`, '4.2 language-tag']),
    [display({ en: 5 }), '/verb/display/en', '2.2 type'],
    [display('did'), '/verb/display', '4.2 object']
  ])
})

t.test('xAPI 1.0.3 Data 2.4.4: an object is of one of five kinds', async t => {
  const object = (value: unknown) => ({ ...base, object: value })
  accept(t, [
    object({ objectType: 'Activity', ...activity }),
    object({ objectType: 'Agent', ...agent }),
    object(ref),
    object(sub)
  ])
  refuse(t, [
    [object([]), '/object', '2.4.4.1 object'],
    [object({ ...activity, objectType: 'activity' }), '/object/objectType', '2.4.4 object-type'],
    [object({ ...activity, objectType: null }), '/object/objectType', '2.4.4 object-type'],
    [object(agent), '/object/mbox', '2.2 known-properties'],
    [object({}), '/object', '2.4.4.1 id-required'],
    [object({ ...ref, id: 'x' }), '/object/id', '4.4 uuid'],
    [object({ objectType: 'StatementRef' }), '/object', '2.4.4.3 id-required'],
    [object({ objectType: 'SubStatement', actor: agent, verb }), '/object', '2.4.4.3 object-required'],
    [object({ ...sub, object: sub }), '/object/object/objectType', '2.4.4 object-type', /another SubStatement/],
    ...['id', 'stored', 'version', 'authority'].map(
      (key): Refusal => [object({ ...sub, [key]: 1 }), `/object/${key}`, '2.2 known-properties']
    ),
    [object({ ...sub, timestamp: 'x' }), '/object/timestamp', '4.5 timestamp']
  ])
})

t.test('xAPI 1.0.3 Data 2.3.2: a voiding statement has a StatementRef as its object', async t => {
  const voiding = { ...base, verb: { id: VOIDED } }
  accept(t, [
    { ...voiding, object: ref },
    { ...base, object: { ...sub, verb: { id: VOIDED }, object: ref } }
  ])
  refuse(t, [
    [voiding, '/object', '2.3.2 statement-ref'],
    [{ ...base, object: { ...sub, verb: { id: VOIDED } } }, '/object/object', '2.3.2 statement-ref']
  ])
})

t.test('xAPI 1.0.3 Data 2.4.4.1: an activity definition has what its type of interaction has', async t => {
  const list = [{ id: 'a' }, { id: 'b', description: { en: 'B' } }]
  accept(t, [
    definition({}),
    definition({
      name: {},
      description: { en: 'x' },
      type: 'http://x.org/t',
      moreInfo: 'http://x.org',
      extensions: { 'a:b': null }
    }),
    definition({ interactionType: 'choice', choices: list, correctResponsesPattern: ['a[,]b'] }),
    definition({ interactionType: 'matching', source: list, target: list }),
    definition({ interactionType: 'likert', scale: [] }),
    definition({ interactionType: 'performance', steps: list }),
    definition({ interactionType: 'other', correctResponsesPattern: [] })
  ])
  const at = (rest: string) => `/object/definition${rest}`
  refuse(t, [
    [definition('x'), at(''), '2.4.4.1 object'],
    [definition({ name: 'x' }), at('/name'), '4.2 object'],
    [definition({ moreInfo: 'x.org' }), at('/moreInfo'), '4.3 iri'],
    [definition({ extensions: { a: 1 } }), at('/extensions/a'), '4.1 iri-keys'],
    [definition({ extensions: [] }), at('/extensions'), '4.1 object'],
    [
      definition({ interactionType: 'Choice' }),
      at('/interactionType'),
      '2.4.4.1 interaction-type',
      /true-false, choice/
    ],
    [definition({ interactionType: 7 }), at('/interactionType'), '2.4.4.1 interaction-type', /not 7/],
    [definition({ choices: list }), at('/choices'), '2.4.4.1 component-lists', /without an interactionType/],
    [definition({ interactionType: 'numeric', steps: list }), at('/steps'), '2.4.4.1 component-lists', /"numeric"/],
    [definition({ correctResponsesPattern: ['a'] }), at(''), '2.4.4.1 interaction-type'],
    [
      definition({ interactionType: 'other', correctResponsesPattern: [1] }),
      at('/correctResponsesPattern/0'),
      '2.2 type'
    ],
    [definition({ interactionType: 'choice', choices: {} }), at('/choices'), '2.4.4.1 array'],
    [definition({ interactionType: 'choice', choices: [{}] }), at('/choices/0'), '2.4.4.1 id-required'],
    [
      definition({ interactionType: 'choice', choices: [...list, list[0]] }),
      at('/choices/2/id'),
      '2.4.4.1 distinct-component-ids'
    ]
  ])
})

t.test('xAPI 1.0.3 Data 2.4.5: a result has a score in its range, booleans and a duration', async t => {
  accept(t, [
    result({}),
    result({
      success: true,
      completion: false,
      response: '',
      duration: 'PT1H',
      extensions: { 'a:b': { '1e400': null } }
    }),
    score({ scaled: -1, raw: 1, min: 1, max: 1.5 }),
    score({ raw: 5 }),
    score({ scaled: 0, raw: JSON.parse('999999999999999999') }),
    result({ extensions: JSON.parse('{"a:b":1e400}') })
  ])
  refuse(t, [
    [result({ success: 'true' }), '/result/success', '2.2 type'],
    [result({ response: 5 }), '/result/response', '2.2 type'],
    [result({ duration: 'P4W1D' }), '/result/duration', '4.6 duration'],
    [result({ score: 5 }), '/result/score', '2.4.5.1 object'],
    [score({ scaled: '0.5' }), '/result/score/scaled', '2.2 type'],
    [score({ scaled: 1.01 }), '/result/score/scaled', '2.4.5.1 scaled'],
    [score({ scaled: -1.01 }), '/result/score/scaled', '2.4.5.1 scaled'],
    [score({ raw: JSON.parse('1e400') }), '/result/score/raw', '2.2 finite'],
    [score({ min: 2, max: 2 }), '/result/score/min', '2.4.5.1 min-below-max'],
    [score({ min: 2, raw: 1 }), '/result/score/raw', '2.4.5.1 raw-in-range'],
    [score({ max: 2, raw: 3 }), '/result/score/raw', '2.4.5.1 raw-in-range'],
    [score({ percent: 3 }), '/result/score/percent', '2.2 known-properties']
  ])
})

t.test('xAPI 1.0.3 Data 2.4.6: a context relates to its object, activities and actors', async t => {
  const activities = { parent: activity, grouping: [activity], category: [], other: [activity, activity] }
  accept(t, [
    context({}),
    context({
      registration: UUID,
      instructor: agent,
      team: { objectType: 'Group', ...agent },
      contextActivities: activities
    }),
    context({ revision: '1', platform: 'p', language: 'en-GB', statement: ref, extensions: { 'a:b': [null] } }),
    context({ contextActivities: {} }),
    { ...base, object: { objectType: 'Activity', ...activity }, context: { revision: '', platform: '' } },
    { ...base, object: ref, context: { language: 'en' } }
  ])
  const agents = [{ objectType: 'contextAgent', agent }]
  refuse(t, [
    [context({ registration: 'x' }), '/context/registration', '4.4 uuid'],
    [context({ language: 'english_' }), '/context/language', '4.2 language-tag'],
    [context({ statement: { id: UUID } }), '/context/statement', '2.4.4.3 objectType-required'],
    [context({ statement: sub }), '/context/statement/objectType', '2.4.4.3 enumerated'],
    [context({ contextActivities: { Parent: [] } }), '/context/contextActivities/Parent', '2.2 known-properties'],
    [context({ contextActivities: { parent: 'x' } }), '/context/contextActivities/parent', '2.4.6.2 activities'],
    [
      context({ contextActivities: { parent: [agent] } }),
      '/context/contextActivities/parent/0/mbox',
      '2.2 known-properties'
    ],
    [{ ...base, object: ref, context: { revision: '1' } }, '/context/revision', '2.4.6 activity-only'],
    [
      { ...base, object: { objectType: 'Agent', ...agent }, context: { platform: '1' } },
      '/context/platform',
      '2.4.6 activity-only'
    ],
    [
      { ...base, object: { ...sub, object: ref, context: { platform: '1' } } },
      '/object/context/platform',
      '2.4.6 activity-only'
    ],
    [context({ contextAgents: agents }), '/context/contextAgents', '2.2 known-properties']
  ])
})

t.test('xAPI 2.0 4.2.2.5: contextAgents and contextGroups name actors with the types of their relation', async t => {
  const group = { objectType: 'Group', ...agent }
  const agents = (...list: unknown[]) => context({ contextAgents: list })
  const groups = (...list: unknown[]) => context({ contextGroups: list })
  const one = { objectType: 'contextAgent', agent }
  const team = { objectType: 'contextGroup', group }
  const valid = [
    agents(one, { ...one, relevantTypes: ['http://x.org/t'] }),
    groups({ ...team, relevantTypes: ['a:b'] })
  ]
  accept(t, [...valid, { ...base, object: { ...sub, context: { contextAgents: [one] } } }], '2.0.0')
  refuse(
    t,
    [
      [context({ contextAgents: one }), '/context/contextAgents', '4.2.2.5 array'],
      [agents({ agent }), '/context/contextAgents/0', '4.2.2.5 objectType-required'],
      [agents({ ...one, objectType: 'x' }), '/context/contextAgents/0/objectType', '4.2.2.5 enumerated'],
      [agents({ ...one, agent: group }), '/context/contextAgents/0/agent/objectType', '4.2.2.1 enumerated'],
      [agents({ ...one, relevantTypes: [] }), '/context/contextAgents/0/relevantTypes', '4.2.2.5 relevant-types'],
      [agents({ ...one, relevantTypes: ['abc'] }), '/context/contextAgents/0/relevantTypes/0', '4.2.7 iri'],
      [groups({ ...team, group: agent }), '/context/contextGroups/0/group', '4.2.2.1 objectType-required'],
      [{ ...base, timestamp: '2020-01-01T00:00:00' }, '/timestamp', '4.2.7 timestamp', /RFC 3339/],
      [{ ...base, version: '3.0.0' }, '/version', '4.2.4.3 version']
    ],
    '2.0.0'
  )
  accept(
    t,
    [
      { ...base, version: '2.0.0' },
      { ...base, version: '1.0.3' }
    ],
    '2.0.0'
  )
})

t.test('xAPI 1.0.3 Data 2.4.11: an attachment says what it is, its length and its hash', async t => {
  accept(t, [
    { ...base, attachments: [] },
    attached({ description: {}, fileUrl: 'http://x.org/f', length: 0, contentType: 'a/b; c="d\\"e" ;f=g' }),
    attached({ sha2: attachment.sha2.slice(8).toUpperCase() }),
    { ...base, object: { ...sub, attachments: [attachment] } }
  ])
  const at = (key: string) => `/attachments/0/${key}`
  refuse(t, [
    [{ ...base, attachments: attachment }, '/attachments', '2.4.11 array'],
    [{ ...base, attachments: [{}] }, '/attachments/0', '2.4.11 usageType-required'],
    [attached({ contentType: 'text' }), at('contentType'), '2.4.11 content-type'],
    [attached({ contentType: 'text/plain; charset' }), at('contentType'), '2.4.11 content-type'],
    [attached({ length: -1 }), at('length'), '2.4.11 length'],
    [attached({ length: 1.5 }), at('length'), '2.4.11 length'],
    [attached({ length: '27' }), at('length'), '2.2 type'],
    [attached({ length: JSON.parse('1e400') }), at('length'), '2.2 finite'],
    [attached({ sha2: 'abc' }), at('sha2'), '2.4.11 sha2'],
    [attached({ sha2: attachment.sha2.replace('4', 'g') }), at('sha2'), '2.4.11 sha2'],
    [attached({ fileUrl: '' }), at('fileUrl'), '4.3 iri']
  ])
})

t.test('xAPI 1.0.3 Communication 3.3: the version header is 1.0, 2.0 or a patch of them', async t => {
  for (const header of ['1.0', '1.0.0', '1.0.3', '1.0.99']) t.equal(negotiateVersion(header), '1.0.3', header)
  for (const header of ['2.0', '2.0.0', '2.0.1']) t.equal(negotiateVersion(header), '2.0.0', header)
  for (const header of ['', '1', '1.1', '0.95', '1.0.', '1.0.x', '3.0', '1.0.3 ', '2.0.0.0']) {
    t.equal(negotiateVersion(header), null, JSON.stringify(header))
  }
  t.equal(isTimestamp('2020-01-01T00:00Z'), true)
  t.equal(isTimestamp('2020-01-01'), false)
})
