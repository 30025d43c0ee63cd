import t from 'tap'
import { filterDefinition, formatCanonical, formatIds } from '../../src/xapi/format.js'
import { chooseLanguage, parseAcceptLanguage } from '../../src/xapi/language.js'

const definition = {
  name: { 'en-US': 'Color', 'en-GB': 'Colour', de: 'Farbe' },
  description: {},
  interactionType: 'choice',
  choices: [{ id: 'a', description: { de: 'rot', en: 'red' } }, { id: 'b' }]
}
const activity = { objectType: 'Activity', id: 'http://x.org/a', definition }
const agent = { name: 'A', objectType: 'Agent', mbox: 'mailto:a@x.org' }
const anonymous = { objectType: 'Group', name: 'G', member: [agent, { name: 'B', openid: 'http://x.org/b' }] }
const verb = { id: 'http://x.org/did', display: { en: 'did', de: 'tat' } }
const extensions = { 'http://x.org/e': { name: { en: 'x', de: 'y' } } }
const context = {
  instructor: agent,
  team: { ...anonymous, mbox: 'mailto:team@x.org' },
  contextActivities: { parent: [activity], other: [] },
  contextAgents: [{ objectType: 'contextAgent', agent }],
  contextGroups: [{ objectType: 'contextGroup', group: anonymous }],
  extensions
}
const statement = { actor: anonymous, verb, object: activity, context, authority: agent, result: { extensions } }

const none = { definitionOf: () => null, displayOf: () => null }
const leanAgent = { objectType: 'Agent', mbox: 'mailto:a@x.org' }
const leanGroup = { objectType: 'Group', member: [leanAgent, { openid: 'http://x.org/b' }] }
const leanActivity = { id: 'http://x.org/a' }
const leanContext = {
  instructor: leanAgent,
  team: { objectType: 'Group', mbox: 'mailto:team@x.org' },
  contextActivities: { parent: [leanActivity], other: [] },
  contextAgents: [{ objectType: 'contextAgent', agent: leanAgent }],
  contextGroups: [{ objectType: 'contextGroup', group: leanGroup }],
  extensions
}
const leanVerb = { id: 'http://x.org/did' }

t.test(
  'xAPI 1.0.3 Communication 2.1.3: the format ids keeps of agents, verbs and activities only what identifies them',
  async t => {
    t.strictSame(JSON.parse(formatIds(JSON.stringify(statement, null, 2))), {
      ...statement,
      actor: leanGroup,
      verb: leanVerb,
      object: leanActivity,
      context: leanContext,
      authority: leanAgent
    })
    const sub = { objectType: 'SubStatement', actor: agent, verb, object: agent, context }
    t.strictSame(JSON.parse(formatIds(JSON.stringify({ ...statement, object: sub }))).object, {
      objectType: 'SubStatement',
      actor: leanAgent,
      verb: leanVerb,
      object: leanAgent,
      context: leanContext
    })
    const ref = { objectType: 'StatementRef', id: 'x' }
    t.strictSame(JSON.parse(formatIds(JSON.stringify({ ...statement, object: ref }))).object, ref)
    t.strictSame(JSON.parse(formatIds(JSON.stringify({ object: { ...sub, object: ref } }))).object.object, ref)
  }
)

t.test('what a format does not touch keeps its digits and escapes', async t => {
  const text = '{"object":{"id":"http:\\/\\/x.org"},"result":{"score":{"raw":1.0},"response":"\\u00e9\\ud800"}}'
  t.equal(formatIds(text), text)
  t.equal(
    formatCanonical(
      text,
      { ...none, definitionOf: iri => (iri === 'http://x.org' ? ' {"extensions":{"a:b":1.0}} ' : null) },
      'en'
    ),
    text.replace('x.org"}', 'x.org","definition":{"extensions":{"a:b":1.0}}}')
  )
  t.equal(formatCanonical(text, none, null), text)
})

t.test(
  'xAPI 1.0.3 Communication 2.1.3: the format canonical has the definitions of the store, in one language each',
  async t => {
    const stored = { name: { fr: 'Couleur', de: 'Farbe' } }
    const german = JSON.parse(
      formatCanonical(
        JSON.stringify(statement),
        { ...none, definitionOf: () => JSON.stringify(stored) },
        'de, en;q=0.5'
      )
    )
    t.strictSame(german.object.definition, { name: { de: 'Farbe' } })
    t.strictSame(german.context.contextActivities.parent[0].definition, { name: { de: 'Farbe' } })
    t.strictSame(german.verb.display, { de: 'tat' })
    const shown = formatCanonical(JSON.stringify(statement), { ...none, displayOf: () => '{"fr":"a fait"}' }, 'fr')
    t.strictSame(JSON.parse(shown).verb, { id: verb.id, display: { fr: 'a fait' } })
    t.strictSame(german.actor, anonymous, 'actors are as sent')
    t.strictSame(german.context.extensions, extensions, 'and so are extensions')
    const own = JSON.parse(formatCanonical(JSON.stringify(statement), none, 'en-GB'))
    t.strictSame(own.object.definition, {
      name: { 'en-GB': 'Colour' },
      description: {},
      interactionType: 'choice',
      choices: [{ id: 'a', description: { en: 'red' } }, { id: 'b' }]
    })
    const sub = JSON.stringify({ object: { objectType: 'SubStatement', verb, object: activity } })
    t.strictSame(JSON.parse(formatCanonical(sub, { ...none, definitionOf: () => '{}' }, null)).object, {
      objectType: 'SubStatement',
      verb: { id: verb.id, display: { en: 'did' } },
      object: { ...activity, definition: {} }
    })
    t.equal(filterDefinition('{"name":null,"choices":null}', 'en'), '{"name":null,"choices":null}')
    t.equal(formatCanonical('{"object":{}}', { ...none, definitionOf: () => '{}' }, 'en'), '{"object":{}}')
  }
)

t.test('the language of a map is the one that Accept-Language wants most', async t => {
  const tags = ['en-US', 'de', 'zh-Hant-TW', 'en-GB']
  const cases: [header: string | null, chosen: string][] = [
    [null, 'en-US'],
    ['', 'en-US'],
    ['de', 'de'],
    ['DE-de', 'de'],
    ['en', 'en-US'],
    ['en-gb', 'en-GB'],
    ['en-AU, de;q=0.9', 'en-US'],
    ['fr, zh-Hant;q=0.2, de;q=0.1', 'zh-Hant-TW'],
    ['fr;q=1.0, de;q=0.8, en;q=0.9', 'en-US'],
    ['*', 'en-US'],
    ['fr', 'en-US'],
    ['en;q=0', 'de'],
    ['en;q=0, en-GB;q=0.5', 'en-GB'],
    ['*;q=0, zh-Hant-TW;q=0.001', 'zh-Hant-TW'],
    ['*;q=0', 'en-US'],
    ['nonsense!, ;q, de;q=2, de;x=1, en-GB ; q=0.3', 'en-GB']
  ]
  for (const [header, chosen] of cases) t.equal(chooseLanguage(tags, header), chosen, String(header))
  t.equal(chooseLanguage([], 'en'), null)
  t.strictSame(parseAcceptLanguage('de;q=0.5,EN'), [
    { tag: 'en', quality: 1 },
    { tag: 'de', quality: 0.5 }
  ])
})
