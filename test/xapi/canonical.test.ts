import fc from 'fast-check'
import t from 'tap'
import { mergeDefinitions, mergeLanguageMaps } from '../../src/xapi/canonical.js'

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
