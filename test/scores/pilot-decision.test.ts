import fc from 'fast-check'
import t from 'tap'
import { defaultThresholds, type Kpi, kpis } from '../../src/scores/kpi-thresholds.js'
import type { KpiValue } from '../../src/scores/pilot.js'
import { decidePilot, defaultPilotDefinition } from '../../src/scores/pilot-decision.js'

const kpi = (value: number | null, low?: number, high?: number): KpiValue => ({
  value,
  ci: low === undefined || high === undefined ? null : { low, high }
})

/** Five measures that all have reached success, with narrow intervals. */
const successful: Readonly<Record<Kpi, KpiValue>> = {
  'active-users': kpi(0.82, 0.76, 0.87),
  'repeat-rate': kpi(0.45, 0.2, 0.6),
  'practice-tasks': kpi(3.4, 2.9, 3.9),
  'peer-feedback-rate': kpi(0.3, 0.24, 0.37),
  'manager-check-rate': kpi(0.61, 0.54, 0.68)
}
const failing = { low: 0, high: 0.04 }
const decided = (changes: Partial<Record<Kpi, KpiValue>>, weeks = 8, n = 200) =>
  decidePilot({ weeks, n, kpis: { ...successful, ...changes } })

t.test('a pilot is scaled when every value reaches success and every lower bound its minimum', async t => {
  const decision = decided({})
  t.match(decision, {
    decision: 'scale',
    sentence: 'Scale: all five measures have reached success, and none is likely to lie below its minimum.',
    definitionVersion: 1
  })
  t.same(decision.heldBackBy, [])
  t.same(decision.kpis[0], {
    id: 'active-users',
    value: 0.82,
    ci: { low: 0.76, high: 0.87 },
    minimum: 0.4,
    success: 0.7,
    state: 'success'
  })
})

t.test('otherwise it goes on, and the measures that hold it back are named with their reason', async t => {
  const decision = decided({
    'active-users': kpi(0.6996, 0.63, 0.76),
    'repeat-rate': kpi(0.5, 0.19, 0.8),
    'practice-tasks': kpi(0.9, 0.7, 1.1),
    'peer-feedback-rate': kpi(null),
    'manager-check-rate': kpi(0.05, 0.03, 0.09)
  })
  t.equal(decision.decision, 'iterate')
  t.same(
    decision.kpis.map(({ state }) => state),
    ['below_success', 'uncertain', 'below_minimum', 'unknown', 'failing']
  )
  t.same(decision.heldBackBy, kpis)
  t.equal(
    decision.sentence,
    'Iterate: 5 of 5 measures hold it back: active users (69.9 %, short of the 70 % of success); repeat rate (50 %, but it could still lie below the minimum of 20 %); practice tasks (0.9 per learner and week, below the minimum of 1 per learner and week); peer feedback (not known); manager checks (5 %, below the minimum of 10 %).'
  )
  t.match(decided({ 'repeat-rate': kpi(0.4, 0.3, 0.5) }), {
    decision: 'iterate',
    heldBackBy: ['repeat-rate'],
    sentence: 'Iterate: 1 of 5 measures holds it back: repeat rate (40 %, short of the 45 % of success).'
  })
})

t.test('a value that has no interval is not certain enough to scale', async t => {
  t.match(decided({ 'practice-tasks': kpi(9) }), { decision: 'iterate', heldBackBy: ['practice-tasks'] })
})

t.test('a pilot is halted when three of five upper bounds are below their minimum', async t => {
  const fails = { value: 0.02, ci: failing }
  const two = { 'peer-feedback-rate': fails, 'manager-check-rate': fails }
  t.equal(decided(two).decision, 'iterate')
  const decision = decided({ ...two, 'repeat-rate': fails, 'active-users': kpi(0.5, 0.4, 0.6) })
  t.match(decision, {
    decision: 'halt',
    heldBackBy: ['active-users', 'repeat-rate', 'peer-feedback-rate', 'manager-check-rate']
  })
  t.equal(
    decision.sentence,
    'Halt: 3 of 5 measures are almost certainly below their minimum: repeat rate (2 %, below the minimum of 20 %); peer feedback (2 %, below the minimum of 5 %); manager checks (2 %, below the minimum of 10 %).'
  )
})

t.test('an upper bound at the minimum is not below it', async t => {
  const at = { 'repeat-rate': kpi(0.1, 0, 0.2), 'manager-check-rate': kpi(0.05, 0, 0.1) }
  t.equal(decided({ ...at, 'active-users': kpi(0.3, 0.2, 0.4) }).decision, 'iterate')
})

t.test('before four weeks, or with fewer than twenty learners, nothing is decided, however clear it looks', async t => {
  const allFail = Object.fromEntries(kpis.map(id => [id, { value: 0, ci: failing }]))
  const table = [
    { weeks: 3, n: 200, why: 'it has run for 3 of at least 4 weeks' },
    { weeks: 3.9, n: 200, why: 'it has run for 3 of at least 4 weeks' },
    { weeks: 4, n: 19, why: 'it has fewer than 20 learners' },
    { weeks: 0, n: 0, why: 'it has run for 0 of at least 4 weeks, and it has fewer than 20 learners' }
  ]
  for (const { weeks, n, why } of table) {
    for (const changes of [{}, allFail]) {
      t.match(decided(changes, weeks, n), {
        decision: 'insufficient_data',
        sentence: `Not enough is known to decide on the pilot: ${why}.`
      })
    }
  }
  t.equal(decided({}, 4, 20).decision, 'scale')
  t.equal(decided(allFail, 4, 20).decision, 'halt')
})

t.test('thresholds, weeks and learners are data', async t => {
  const definition = {
    ...defaultPilotDefinition,
    version: 3,
    minimumWeeks: 12,
    thresholds: { ...defaultThresholds, 'active-users': { minimum: 0.5, success: 0.9 } }
  }
  t.equal(decidePilot({ weeks: 8, n: 200, kpis: successful }, definition).decision, 'insufficient_data')
  t.match(decidePilot({ weeks: 12, n: 200, kpis: successful }, definition), {
    decision: 'iterate',
    heldBackBy: ['active-users'],
    definitionVersion: 3
  })
})

t.test(
  'the decision agrees with the rules read one by one, and is held back by something unless it scales',
  async () => {
    const measure = fc
      .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 8 }), fc.nat(9))
      .map(([value, below, above, kind]) => {
        if (kind === 0) return kpi(null)
        return kind === 1 ? kpi(value / 10) : kpi(value / 10, (value - below) / 10, (value + above) / 10)
      })
    const measures = fc.record(Object.fromEntries(kpis.map(id => [id, measure])) as Record<Kpi, typeof measure>)
    fc.assert(
      fc.property(measures, fc.integer({ min: 0, max: 9 }), fc.integer({ min: 15, max: 40 }), (given, weeks, n) => {
        const { decision, heldBackBy, sentence } = decidePilot({ weeks, n, kpis: given })
        const all = kpis.map(id => ({ ...given[id], ...defaultThresholds[id] }))
        const isSuccess = all.every(
          ({ value, ci, minimum, success }) => value !== null && value >= success && ci !== null && ci.low >= minimum
        )
        const below = all.filter(({ value, ci, minimum }) => value !== null && ci !== null && ci.high < minimum).length
        const expected =
          weeks < 4 || n < 20 ? 'insufficient_data' : isSuccess ? 'scale' : below >= 3 ? 'halt' : 'iterate'
        return decision === expected && (heldBackBy.length === 0) === isSuccess && sentence.endsWith('.')
      })
    )
  }
)
