import t from 'tap'
import { activitiesIn, agentsIn, authorityKey } from '../../src/xapi/mentions.js'
import type { Agent, Group, Statement } from '../../src/xapi/statement.js'

const agent = (name: string): Agent => ({ mbox: `mailto:${name}@x.org` })
const group = (name: string, ...members: string[]): Group => ({
  objectType: 'Group',
  mbox: `mailto:${name}@x.org`,
  member: members.map(agent)
})
const anonymous = (...members: string[]): Group => ({ objectType: 'Group', member: members.map(agent) })
const activity = (name: string) => ({ id: `http://x.org/${name}` })
const verb = { id: 'http://x.org/did' }

const names = (words: ReadonlySet<string>) =>
  [...words].map(word => /(\w+)@x\.org/.exec(word)?.[1] ?? word.slice(13)).sort()

const cases: [title: string, statement: Statement, direct: string[], related: string[]][] = [
  ['actor', { actor: agent('ada'), verb, object: activity('a') }, ['ada'], []],
  [
    'object, as an Agent',
    { actor: agent('ada'), verb, object: { objectType: 'Agent', ...agent('bob') } },
    ['ada', 'bob'],
    []
  ],
  [
    'an identified group and its members',
    { actor: group('team', 'bob', 'cy'), verb, object: activity('a') },
    ['bob', 'cy', 'team'],
    []
  ],
  ['the members of an anonymous group', { actor: anonymous('bob'), verb, object: activity('a') }, ['bob'], []],
  [
    'an identified group without members',
    { actor: { objectType: 'Group', mbox: 'mailto:team@x.org' }, verb, object: activity('a') },
    ['team'],
    []
  ],
  [
    'the context',
    {
      actor: agent('ada'),
      verb,
      object: activity('a'),
      context: {
        instructor: agent('ina'),
        team: group('team', 'tom', 'ada'),
        contextAgents: [{ objectType: 'contextAgent', agent: agent('cass') }],
        contextGroups: [{ objectType: 'contextGroup', group: anonymous('gus') }]
      }
    },
    ['ada'],
    ['cass', 'gus', 'ina', 'team', 'tom']
  ],
  [
    'a SubStatement',
    {
      actor: agent('ada'),
      verb,
      object: {
        objectType: 'SubStatement',
        actor: agent('sue'),
        verb,
        object: { objectType: 'Agent', ...agent('sam') },
        context: { instructor: agent('sid') }
      }
    },
    ['ada'],
    ['sam', 'sid', 'sue']
  ],
  [
    'a reference names nobody',
    { actor: agent('ada'), verb, object: { objectType: 'StatementRef', id: 'x' } },
    ['ada'],
    []
  ]
]

for (const [title, statement, direct, related] of cases) {
  t.test(
    `xAPI 1.0.3 Communication 2.1.3: agent finds direct ones, related_agents the others too: ${title}`,
    async t => {
      const found = agentsIn(statement)
      t.strictSame([names(found.direct), names(found.related)], [direct, related])
    }
  )
}

t.test(
  'xAPI 1.0.3 Communication 2.1.3: activity finds the object, related_activities the context and SubStatement',
  async t => {
    const contextActivities = {
      parent: activity('p'),
      grouping: [activity('g'), activity('a')],
      category: [activity('c')],
      other: [activity('o')]
    }
    const found = activitiesIn({ actor: agent('ada'), verb, object: activity('a'), context: { contextActivities } })
    t.strictSame([names(found.direct), names(found.related)], [['a'], ['c', 'g', 'o', 'p']])
    const sub = { objectType: 'SubStatement' as const, actor: agent('ada'), verb, object: activity('s') }
    const nested = activitiesIn({ actor: agent('ada'), verb, object: { ...sub, context: { contextActivities } } })
    t.strictSame([names(nested.direct), names(nested.related)], [[], ['a', 'c', 'g', 'o', 'p', 's']])
    const about = activitiesIn({
      actor: agent('ada'),
      verb,
      object: { ...sub, object: { objectType: 'Agent' as const, mbox: 'mailto:b@x.org' } }
    })
    t.strictSame([about.direct.size, about.related.size], [0, 0])
  }
)

t.test('xAPI 1.0.3 Data 2.4.9: the authority is an Agent, or the pair of consumer and user in any order', async t => {
  t.equal(authorityKey(agent('ada')), '["mbox","mailto:ada@x.org"]')
  t.equal(authorityKey(anonymous('app', 'ada')), authorityKey(anonymous('ada', 'app')))
  t.not(authorityKey(anonymous('app', 'ada')), authorityKey(anonymous('app', 'bob')))
})
