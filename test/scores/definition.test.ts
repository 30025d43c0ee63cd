import t from 'tap'
import { defaultCoachingDefinition, parseCoachingDefinition } from '../../src/scores/coaching-index.js'
import { defaultEnergizeDefinition, parseEnergizeDefinition } from '../../src/scores/energize-score.js'
import { defaultLeadershipFlagDefinition, parseLeadershipFlagDefinition } from '../../src/scores/leadership-flag.js'
import { defaultLeadershipDefinition, parseLeadershipDefinition } from '../../src/scores/leadership-index.js'
import { defaultMomentumDefinition, parseMomentumDefinition } from '../../src/scores/momentum.js'
import { defaultPilotDefinition, parsePilotDefinition } from '../../src/scores/pilot-decision.js'

const parsers = [
  { parse: parseCoachingDefinition, defaults: defaultCoachingDefinition },
  { parse: parseLeadershipDefinition, defaults: defaultLeadershipDefinition },
  { parse: parseLeadershipFlagDefinition, defaults: defaultLeadershipFlagDefinition },
  { parse: parseMomentumDefinition, defaults: defaultMomentumDefinition },
  { parse: parseEnergizeDefinition, defaults: defaultEnergizeDefinition },
  { parse: parsePilotDefinition, defaults: defaultPilotDefinition }
]

t.test('a definition that says nothing is the default, and the default is a definition', async t => {
  for (const { parse, defaults } of parsers) {
    t.same(parse({}), defaults)
    t.same(parse(JSON.parse(JSON.stringify(defaults))), defaults)
    t.same(parse({ version: 4 }), { ...defaults, version: 4 })
  }
})

t.test('what is no object, has an unknown field or no proper version is refused', async t => {
  for (const { parse } of parsers) {
    for (const input of [null, undefined, 3, 'x', []]) {
      t.throws(() => parse(input), { code: 'invalid-parameter', place: { pointer: '' } })
    }
    t.throws(() => parse({ 'a/b~': 1 }), { code: 'invalid-parameter', place: { pointer: '/a~1b~0' } })
    for (const version of [0, 1.5, -1, '2', null, Number.NaN]) {
      t.throws(() => parse({ version }), { code: 'invalid-parameter', place: { pointer: '/version' } })
    }
  }
})

t.test('weights name every component, are not negative and not all 0', async t => {
  const parse = parseEnergizeDefinition
  const weights = { retention: 1, trend: 1, incentive: 0, community: 2 }
  t.same(parse({ weights }), { version: 1, weights, needs: 3 })
  const table = [
    { weights: { ...weights, trend: -1 }, pointer: '/weights/trend' },
    { weights: { ...weights, trend: '1' }, pointer: '/weights/trend' },
    { weights: { ...weights, trend: Infinity }, pointer: '/weights/trend' },
    { weights: { ...weights, streak: 1 }, pointer: '/weights/streak' },
    { weights: { retention: 1, trend: 1, incentive: 1 }, pointer: '/weights/community' },
    { weights: { retention: 0, trend: 0, incentive: 0, community: 0 }, pointer: '/weights' },
    { weights: [1, 1, 1, 1], pointer: '/weights' },
    { weights: null, pointer: '/weights' }
  ]
  for (const { weights, pointer } of table) {
    t.throws(() => parse({ weights }), { code: 'invalid-parameter', place: { pointer } }, JSON.stringify(weights))
  }
})

t.test('no more components can be needed than have a weight, and none is too few', async t => {
  const weights = { retention: 1, trend: 1, incentive: 0, community: 0 }
  t.same(parseEnergizeDefinition({ weights, needs: 2 }).needs, 2)
  const table = [{ weights }, { needs: 5 }, { needs: 0 }, { needs: 2.5 }, { needs: null }]
  for (const input of table) {
    t.throws(() => parseEnergizeDefinition(input), { code: 'invalid-parameter', place: { pointer: '/needs' } })
  }
  t.throws(() => parseLeadershipDefinition({ needs: 7 }), {
    message: '/needs (7) must not be more than the 6 components with a weight'
  })
})

t.test('thresholds are of known measures, with a success that is above 0 and not below the minimum', async t => {
  const thresholds = { 'active-users': { minimum: 0.5, success: 0.9 }, 'practice-tasks': { minimum: 2, success: 5 } }
  for (const parse of [parseCoachingDefinition, parsePilotDefinition]) {
    t.match(parse({ thresholds }), { thresholds: { ...defaultPilotDefinition.thresholds, ...thresholds } })
    const table = [
      { thresholds: { opens: { minimum: 0, success: 1 } }, pointer: '/thresholds/opens' },
      { thresholds: { 'repeat-rate': { minimum: 0.5, success: 0.4 } }, pointer: '/thresholds/repeat-rate/success' },
      { thresholds: { 'repeat-rate': { minimum: 0, success: 0 } }, pointer: '/thresholds/repeat-rate/success' },
      { thresholds: { 'repeat-rate': { minimum: 20, success: 45 } }, pointer: '/thresholds/repeat-rate/minimum' },
      { thresholds: { 'repeat-rate': { minimum: -0.1, success: 0.4 } }, pointer: '/thresholds/repeat-rate/minimum' },
      { thresholds: { 'repeat-rate': { success: 0.4 } }, pointer: '/thresholds/repeat-rate/minimum' },
      { thresholds: { 'repeat-rate': 0.4 }, pointer: '/thresholds/repeat-rate' },
      { thresholds: null, pointer: '/thresholds' }
    ]
    for (const { thresholds, pointer } of table) {
      t.throws(() => parse({ thresholds }), { code: 'invalid-parameter', place: { pointer } })
    }
  }
})

t.test('every other number has its bounds', async t => {
  const table = [
    { parse: parseMomentumDefinition, input: { minimumChange: 0 }, says: 'must be a number above 0' },
    { parse: parseMomentumDefinition, input: { needs: 7 }, says: 'must be a whole number at least 1 and at most 6' },
    {
      parse: parseMomentumDefinition,
      input: { spikeShare: 0.4 },
      says: 'must be a number at least 0.5 and at most 1'
    },
    { parse: parseMomentumDefinition, input: { leastWeeks: 13 }, says: '' },
    { parse: parseLeadershipFlagDefinition, input: { assessmentAbove: '1.5' }, says: 'must be a number' },
    { parse: parseLeadershipFlagDefinition, input: { forumAbove: null }, says: 'must be a number' },
    { parse: parsePilotDefinition, input: { minimumWeeks: 0 }, says: '' },
    { parse: parsePilotDefinition, input: { minimumLearners: 19.5 }, says: 'must be a whole number at least 1' },
    { parse: parsePilotDefinition, input: { failingForHalt: 6 }, says: '' }
  ]
  for (const { parse, input, says } of table) {
    const [[name, value] = ['']] = Object.entries(input)
    const message = new RegExp(`^/${name} \\(${JSON.stringify(value)}\\) .*${says}$`)
    t.throws(() => parse(input), { code: 'invalid-parameter', message, place: { pointer: `/${name}` } })
  }
})
