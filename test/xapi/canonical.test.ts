import fc from 'fast-check'
import t from 'tap'
import { mergeDefinitions, mergeLanguageMaps } from '../../src/xapi/canonical.js'
import { descriptionsOf } from '../../src/xapi/descriptions.js'
import type { Statement } from '../../src/xapi/statement.js'

t.test('a language map takes the newer text of a language and keeps the others', async t => {
  const table = [
    ['{}', '{ "en" : "one" }', '{"en":"one"}'],
    ['{"en":"one","de":"eins"}', '{"de":"zwei","fr":"deux"}', '{"en":"one","de":"zwei","fr":"deux"}'],
    ['{"en-us":"one"}', '{"en-US":"two"}', '{"en-US":"two"}'],
    ['{"en":"a\\u0000\\ud800"}', '{}', '{"en":"a\\u0000\\ud800"}']
  ] as const
  for (const [existing, newer, merged] of table) t.equal(mergeLanguageMaps(existing, newer), merged)
})

t.test('a definition merges its language maps and takes the newest of everything else', async t => {
  const table = [
    ['{}', '{}', '{}'],
    ['{}', '{ "name": { "en" : "A" }, "type": "https://a.org/t" }', '{"name":{"en":"A"},"type":"https://a.org/t"}'],
    [
      '{"name":{"en":"A"},"description":{"en":"a"},"type":"https://a.org/t"}',
      '{"description":{"de":"b"},"name":{"en":"B"},"moreInfo":"https://a.org/m"}',
      '{"name":{"en":"B"},"description":{"en":"a","de":"b"},"type":"https://a.org/t","moreInfo":"https://a.org/m"}'
    ],
    [
      '{"extensions":{"https://a.org/x":1,"https://a.org/y":2}}',
      '{"extensions":{"https://a.org/x":999999999999999999.0}}',
      '{"extensions":{"https://a.org/x":999999999999999999.0}}'
    ]
  ] as const
  for (const [existing, newer, merged] of table) t.equal(mergeDefinitions(existing, newer), merged)
})

t.test('the newer list of interaction components counts, and their descriptions keep every language', async t => {
  const known =
    '{"interactionType":"choice","choices":[{"id":"a","description":{"en":"A"}},{"id":"b","description":{"en":"B"}}]}'
  const newer = '{"choices":[{"id":"\\u0062","description":{"de":"Be"}},{"id":"c"}]}'
  t.equal(
    mergeDefinitions(known, newer),
    '{"interactionType":"choice","choices":[{"id":"\\u0062","description":{"en":"B","de":"Be"}},{"id":"c"}]}'
  )
})

t.test('another interaction type takes the components and responses of the old one away', async t => {
  const known =
    '{"interactionType":"choice","choices":[{"id":"a"}],"correctResponsesPattern":["a"],"type":"https://a.org/t"}'
  t.equal(
    mergeDefinitions(known, '{"interactionType":"likert","scale":[{"id":"1"}]}'),
    '{"interactionType":"likert","type":"https://a.org/t","scale":[{"id":"1"}]}'
  )
  t.equal(
    mergeDefinitions(known, '{"interactionType":"choic\\u0065"}').includes('"choices"'),
    true,
    'the same is no other'
  )
})

t.test('what was merged once is merged again without a change', t => {
  const languageMap = fc.dictionary(fc.constantFrom('en', 'EN', 'en-GB', 'de', 'fr'), fc.string(), { maxKeys: 4 })
  const component = fc.record(
    { id: fc.constantFrom('a', 'b', 'c'), description: languageMap },
    { requiredKeys: ['id'] }
  )
  const components = fc.uniqueArray(component, { selector: ({ id }) => id })
  const definition = fc.record(
    {
      name: languageMap,
      type: fc.webUrl(),
      choices: components,
      interactionType: fc.constantFrom('choice', 'sequencing')
    },
    { requiredKeys: [] }
  )
  fc.assert(
    fc.property(fc.array(definition, { minLength: 1, maxLength: 4 }), definitions => {
      const texts = definitions.map(value => JSON.stringify(value, null, 1))
      const once = texts.reduce(mergeDefinitions, '{}')
      const [last = ''] = texts.slice(-1)
      return mergeDefinitions(once, last) === once
    })
  )
  t.end()
})

const agent = (name: string, more = {}) => ({ mbox: `mailto:${name}@example.org`, name, ...more })
const activity = (id: string) => ({ id: `https://example.org/${id}`, definition: { name: { en: id } } })
const named = (name: string) => ({ of: 'agent', word: `["mbox","mailto:${name}@example.org"]`, text: `"${name}"` })
const defined = (id: string) => ({ of: 'activity', word: `https://example.org/${id}`, text: `{"name":{"en":"${id}"}}` })

const read = (value: unknown) => descriptionsOf(JSON.stringify(value), value as Statement)

t.test('definitions, displays and names are found wherever a statement has them', async t => {
  const found = read({
    actor: { objectType: 'Group', ...agent('team'), member: [agent('m1'), agent('m2', { objectType: 'Agent' })] },
    verb: { id: 'https://example.org/did', display: { en: 'did' } },
    object: activity('object'),
    context: {
      instructor: agent('instructor'),
      team: { objectType: 'Group', member: [agent('m3')] },
      contextAgents: [{ objectType: 'contextAgent', agent: agent('ca') }],
      contextGroups: [{ objectType: 'contextGroup', group: { objectType: 'Group', member: [agent('cg')] } }],
      contextActivities: { parent: activity('alone'), other: [activity('one'), { id: 'https://example.org/bare' }] }
    },
    authority: agent('authority')
  })
  t.same(found, [
    { of: 'verb', word: 'https://example.org/did', text: '{"en":"did"}' },
    ...['object', 'alone', 'one'].map(defined),
    ...['m1', 'm2', 'instructor', 'm3', 'ca', 'cg'].map(named)
  ])
})

t.test('a SubStatement says as much as a statement', async t => {
  const found = read({
    actor: agent('outer'),
    verb: { id: 'https://example.org/planned' },
    object: {
      objectType: 'SubStatement',
      actor: agent('inner'),
      verb: { id: 'https://example.org/do', display: { en: 'do' } },
      object: agent('object', { objectType: 'Agent' }),
      context: { contextActivities: { category: [activity('category')] } }
    }
  })
  t.same(found, [
    { of: 'verb', word: 'https://example.org/do', text: '{"en":"do"}' },
    defined('category'),
    ...['outer', 'inner', 'object'].map(named)
  ])
})

t.test('nothing empty is found, and nothing of references', async t => {
  const found = read({
    actor: { mbox: 'mailto:a@example.org', name: '' },
    verb: { id: 'https://example.org/did', display: {} },
    object: { objectType: 'StatementRef', id: '6690e6c9-3ef0-4ed3-8b37-7f3964730bee' },
    context: { contextActivities: { parent: [{ id: 'https://example.org/a', definition: {} }] } }
  })
  t.same(found, [])
})

t.test('texts are the statement’s own, digit by digit; names are JSON that PostgreSQL can hold', async t => {
  const text = `{"actor":{"mbox":"mailto:a@example.org","name":"\\u0000\\ud800é"},"verb":{"id":"https://example.org/did"},
    "object":{"id":"https:\\/\\/example.org\\/a","definition": {"extensions": {"https://e.org/x": 1.0e400}} }}`
  t.same(descriptionsOf(text, JSON.parse(text)), [
    { of: 'activity', word: 'https://example.org/a', text: '{"extensions": {"https://e.org/x": 1.0e400}}' },
    { of: 'agent', word: '["mbox","mailto:a@example.org"]', text: '"\\u0000\\ud800é"' }
  ])
})
