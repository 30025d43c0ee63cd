import fc from 'fast-check'
import t from 'tap'
import { defaultRules } from '../../src/events/default-mapping.js'
import { changedVerbs, kindOf, makeMapping } from '../../src/events/mapping.js'
import type { MappingRule } from '../../src/events/mapping-rule.js'
import { scoreRatio } from '../../src/events/score-ratio.js'
import type { Statement } from '../../src/xapi/statement.js'

const verb = 'https://lms.example/verbs/did'
const course = 'https://types.example/course'
const video = 'https://types.example/video'
const pilot = 'https://categories.example/pilot'
const other = 'https://categories.example/other'
const own = 'https://w3id.org/momentum-lrs/verbs/'

/** A statement with an object of a type, in categories. */
function statement(type: string | null, categories: readonly string[] = [], verbId = verb): Statement {
  return {
    actor: { mbox: 'mailto:ada@example.org' },
    verb: { id: verbId },
    object: { id: 'https://example.org/modules/feedback', ...(type === null ? {} : { definition: { type } }) },
    context: { contextActivities: { category: categories.map(id => ({ id })) } }
  }
}

const byVerb: MappingRule = { verb, kind: 'visited' }
const byCategory: MappingRule = { verb, category: pilot, kind: 'started' }
const byType: MappingRule = { verb, activityType: course, kind: 'completed' }
const byBoth: MappingRule = { verb, activityType: course, category: pilot, kind: 'assessed' }

t.test('the most specific rule that a statement meets decides, wherever it stands', async t => {
  const table: [Statement, string | null][] = [
    [statement(null), 'visited'],
    [statement(video, [other]), 'visited'],
    [statement(video, [other, pilot]), 'started'],
    [statement(course, [other]), 'completed'],
    [statement(course, [other, pilot]), 'assessed'],
    [statement(course, [pilot], 'https://lms.example/verbs/other'), null],
    [{ ...statement(null, [pilot]), object: { objectType: 'Agent', mbox: 'mailto:ben@example.org' } }, 'started']
  ]
  const orders = fc.shuffledSubarray([byVerb, byCategory, byType, byBoth], { minLength: 4 })
  fc.assert(
    fc.property(orders, rules => {
      const mapping = makeMapping(1, rules)
      return table.every(([given, kind]) => kindOf(mapping, given) === kind)
    })
  )
  t.pass('in every order')
})

t.test('a single category counts like a list of one, and so do those beside it', async t => {
  const mapping = makeMapping(1, [byCategory])
  const alone = { ...statement(null), context: { contextActivities: { category: { id: pilot } } } }
  t.equal(kindOf(mapping, alone), 'started')
  t.equal(kindOf(mapping, { ...alone, context: { contextActivities: { grouping: { id: pilot } } } }), null)
  t.equal(kindOf(mapping, { ...alone, context: {} }), null)
})

t.test('of two rules that are equally specific the earlier one decides', async t => {
  const toOther: MappingRule = { verb, category: other, kind: 'replied' }
  t.equal(kindOf(makeMapping(1, [byCategory, toOther]), statement(null, [other, pilot])), 'started')
  t.equal(kindOf(makeMapping(1, [toOther, byCategory]), statement(null, [pilot, other])), 'replied')
})

t.test('a tenant’s rule replaces the default of the same condition, and null switches one off', async t => {
  const opened = statement(null, [], `${own}opened`)
  t.equal(kindOf(makeMapping(0, []), opened), 'opened')
  t.equal(kindOf(makeMapping(1, [{ verb: `${own}opened`, kind: 'visited' }]), opened), 'visited')
  t.equal(kindOf(makeMapping(1, [{ verb: `${own}opened`, kind: null }]), opened), null)
  const narrower = makeMapping(1, [{ verb: `${own}opened`, activityType: video, kind: null }])
  t.equal(kindOf(narrower, opened), 'opened', 'the default stays for what the rule does not meet')
  t.equal(kindOf(narrower, statement(video, [], `${own}opened`)), null)
  t.equal(
    makeMapping(1, [{ verb: `${own}opened`, kind: null }]).rules.length,
    defaultRules.length,
    'replaced, not added'
  )
  t.equal(makeMapping(1, [byVerb]).rules.length, defaultRules.length + 1)
})

t.test('the verbs whose statements can change their kind are those whose rules in force differ', async t => {
  const changed = (before: readonly MappingRule[], after: readonly MappingRule[]) =>
    changedVerbs(makeMapping(1, before), makeMapping(2, after))
  t.same(changed([], []), [])
  t.same(changed([], [byVerb]), [verb])
  t.same(changed([byVerb], []), [verb])
  t.same(changed([byVerb, byType], [byType, byVerb]), [], 'an order that decides nothing')
  t.same(changed([byVerb], [{ ...byVerb, kind: null }]), [verb])
  t.same(changed([], [{ verb: `${own}opened`, kind: 'opened' }]), [], 'what the default says anyway')
  t.same(changed([{ verb: `${own}opened`, kind: null }], [byVerb]), [`${own}opened`, verb])
})

t.test('whatever the rules, a statement whose verb is not among the changed ones keeps its kind', async t => {
  const conditions = fc.record({
    verb: fc.constantFrom(verb, `${own}opened`, `${own}visited`),
    activityType: fc.constantFrom(undefined, course, video),
    category: fc.constantFrom(undefined, pilot, other),
    kind: fc.constantFrom('opened', 'visited', null)
  }) as fc.Arbitrary<MappingRule>
  const rules = fc.array(conditions, { maxLength: 6 })
  const statements = fc
    .tuple(
      fc.constantFrom(null, course, video),
      fc.subarray([pilot, other]),
      fc.constantFrom(verb, `${own}opened`, `${own}visited`, `${own}started`)
    )
    .map(([type, categories, id]) => statement(type, categories, id))
  fc.assert(
    fc.property(rules, rules, statements, (before, after, given) => {
      const old = makeMapping(1, before)
      const now = makeMapping(2, after)
      return changedVerbs(old, now).includes(given.verb.id) || kindOf(old, given) === kindOf(now, given)
    })
  )
  t.pass('in every case')
})

t.test('the ratio of a score is worked out with decimals, where raw, min and max were sent', async t => {
  const table: [object | undefined, string | null][] = [
    [undefined, null],
    [{ scaled: 0.5 }, null],
    [{ raw: 5, min: 0 }, null],
    [{ raw: 5, max: 10 }, null],
    [{ min: 0, max: 10 }, null],
    [{ raw: 5, min: 10, max: 10 }, null],
    [{ raw: 5, min: 10, max: 0 }, null],
    [{ raw: 7, min: 0, max: 10 }, '0.70000000000000000000'],
    [{ raw: 0.3, min: 0.1, max: 0.4 }, '0.66666666666666666667'],
    [{ raw: -5, min: -10, max: 10 }, '0.25000000000000000000'],
    [{ raw: 10, min: 0, max: 10 }, '1.00000000000000000000'],
    [{ raw: 0, min: 0, max: 3 }, '0.00000000000000000000'],
    [{ raw: -1, min: 0, max: 4 }, '-0.25000000000000000000'],
    [{ raw: 1e21, min: 0, max: 2e21 }, '0.50000000000000000000'],
    [{ raw: 1e-7, min: 0, max: 1e-6 }, '0.10000000000000000000'],
    [{ raw: 5e-324, min: 0, max: 1.7976931348623157e308 }, '0.00000000000000000000']
  ]
  for (const [score, expected] of table) t.equal(scoreRatio(score), expected, JSON.stringify(score))
})
