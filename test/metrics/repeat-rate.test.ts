import { deepStrictEqual as deepEqual } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { measure } from '../../src/metrics/measure.js'
import { repeatRate } from '../../src/metrics/repeat-rate.js'
import { testDatabase } from '../support/database.js'
import { countsOf, naiveRepeatRate } from './naive.js'
import { dateOf, type Person, questions, seedWorld, type World, worlds } from './world.js'

const { db } = await testDatabase(t)

function learner(...activeDays: number[]): Person {
  return {
    known: true,
    roster: [{ from: null, to: null, cohorts: [] }],
    days: activeDays.map(day => ({ day, counts: { visited: 1 } }))
  }
}

/** The example of docs/reference/metrics/repeat-rate.md, in days from the window's first. */
const example: World = {
  people: [
    learner(0, 7),
    learner(1, 2, 3),
    learner(6, 13),
    learner(2, 9),
    learner(-1, 0, 5),
    learner(0, 8),
    learner(4),
    learner(5),
    learner(6, 14),
    {
      ...learner(3),
      days: [
        { day: 3, counts: { opened: 1 } },
        { day: 4, counts: { delivered: 1, manager_check_received: 1 } }
      ]
    },
    learner(7, 8),
    learner()
  ]
}

const asker = { timeZone: 'UTC', minGroupSize: 10, within: null }
const query = { from: '2026-03-02', to: '2026-03-09' }

t.test('the worked example: 5 of 10 came back within 7 days', async t => {
  const tenantId = await seedWorld(db, example)
  const late = { ...asker, tenantId, asOf: new Date('2026-04-20T10:00:00Z') }
  const answer = await answerMetric(db, repeatRate, query, late)
  t.match(answer, {
    metric: 'repeat-rate',
    results: [{ value: 0.5, numerator: 5, denominator: 10, n: 10, nullReason: null }],
    meta: { query: { options: { windowDays: 7, denominator: 'active' } }, warnings: [] }
  })
  const longer = await answerMetric(db, repeatRate, { ...query, options: { windowDays: 14 } }, late)
  t.match(longer.results, [{ value: 0.7, numerator: 7, denominator: 10 }])
  const ofAll = await answerMetric(db, repeatRate, { ...query, options: { denominator: 'population' } }, late)
  t.match(ofAll.results, [{ value: 5 / 12, numerator: 5, denominator: 12 }])
})

t.test('only brackets that have closed count, and a warning says that others have not', async t => {
  const tenantId = await seedWorld(db, { people: [...example.people, ...example.people] })
  const ask = (asOf: string) => answerMetric(db, repeatRate, query, { ...asker, tenantId, asOf: new Date(asOf) })
  // The bracket of day 6 ends with day 13, 15 March, which is over on the 16th.
  t.match(await ask('2026-03-16T00:00:00Z'), { results: [{ numerator: 10, denominator: 20 }], meta: { warnings: [] } })
  t.match(await ask('2026-03-15T23:59:59Z'), {
    results: [{ numerator: 8, denominator: 16 }],
    meta: { warnings: [{ code: 'immature_brackets', message: /^Fewer than 10 / }] }
  })
  t.match(await ask('2026-03-09T10:00:00Z'), {
    results: [{ value: null, numerator: 0, denominator: 0, nullReason: 'empty_denominator' }],
    meta: { warnings: [{ code: 'immature_brackets', message: /^20 / }] }
  })
})

t.test('the default window is the last 7 days whose brackets have closed', async t => {
  const tenantId = await seedWorld(db, example)
  const asOf = new Date('2026-03-16T08:00:00Z')
  const answer = await answerMetric(db, repeatRate, {}, { ...asker, tenantId, asOf })
  t.match(answer, {
    results: [{ period: query, numerator: 5, denominator: 10 }],
    meta: { query: { fromDate: '2026-03-02', toDate: '2026-03-09' }, warnings: [] }
  })
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  const options = fc.record({
    windowDays: fc.constantFrom(7, 14, 30),
    denominator: fc.constantFrom('active', 'population')
  }) as fc.Arbitrary<{ windowDays: 7 | 14 | 30; denominator: 'active' | 'population' }>
  await fc.assert(
    fc.asyncProperty(worlds, questions, options, async (world, { periods, filter, membership, today }, options) => {
      const tenantId = await seedWorld(db, world)
      const spans = periods.map(({ from, days }) => ({ from, to: from + days }))
      const asked = spans.map(({ from, to }) => ({ from: dateOf(from), to: dateOf(to) }))
      const measurement = await measure(db, repeatRate, {
        tenantId,
        timeZone: 'UTC',
        source: 'rollup',
        periods: asked,
        window: asked[0] ?? query,
        filter,
        membership,
        breakdown: [],
        module: null,
        today: dateOf(today),
        asOf: new Date(`${dateOf(today)}T10:00:00Z`),
        options
      })
      deepEqual(
        countsOf(measurement),
        spans.map(period => naiveRepeatRate(world, { period, filter, membership, today }, options))
      )
    }),
    { numRuns: 150 }
  )
})
