import t from 'tap'
import { descriptionsOf } from '../../src/xapi/descriptions.js'
import type { Statement } from '../../src/xapi/statement.js'

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
