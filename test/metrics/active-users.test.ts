import { deepStrictEqual as deepEqual } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import { activeUsers } from '../../src/metrics/active-users.js'
import { answerMetric } from '../../src/metrics/answer.js'
import { measure } from '../../src/metrics/measure.js'
import { testDatabase } from '../support/database.js'
import { countsOf, naiveActiveUsers, naiveExcluded } from './naive.js'
import { dateOf, questions, seedWorld, type World, worlds } from './world.js'

const { db } = await testDatabase(t)

/** The example of docs/reference/metrics/active-users.md. */
const example: World = {
  people: [
    ...Array.from({ length: 7 }, (_, at) => north([{ day: at % 5, counts: { opened: 1 } }])),
    north([{ day: 2, counts: { delivered: 1 } }]),
    north([{ day: 7, counts: { opened: 1 } }]),
    north([]),
    { known: true, roster: [{ from: 3, to: null, cohorts: ['north'] }], days: [{ day: 4, counts: { opened: 1 } }] },
    { known: true, roster: [{ from: null, to: null, cohorts: ['south'] }], days: [{ day: 4, counts: { opened: 1 } }] },
    { known: false, roster: [], days: [{ day: 4, counts: { opened: 3 } }] }
  ]
}

function north(days: World['people'][number]['days']): World['people'][number] {
  return { known: true, roster: [{ from: null, to: null, cohorts: ['north'] }], days }
}

const asker = { timeZone: 'UTC', minGroupSize: 10, within: null, asOf: new Date('2026-03-20T10:00:00Z') }

t.test('the worked example: 7 of 10 opened, 8 of 10 received', async t => {
  const tenantId = await seedWorld(db, example)
  const query = { from: '2026-03-02', to: '2026-03-09', cohort: 'north' }
  const opened = await answerMetric(db, activeUsers, query, { ...asker, tenantId })
  t.match(opened.results, [
    {
      period: { from: '2026-03-02', to: '2026-03-09' },
      value: 0.7,
      numerator: 7,
      denominator: 10,
      n: 10,
      partial: false,
      suppressed: false,
      nullReason: null
    }
  ])
  t.equal(opened.results[0]?.ci?.low.toFixed(3), '0.397')
  t.equal(opened.results[0]?.ci?.high.toFixed(3), '0.892')
  t.same(opened.meta.excluded, { voided: 0, unresolvedActor: 3, future: 0 })
  t.same(opened.meta.warnings, [])
  const received = await answerMetric(
    db,
    activeUsers,
    { ...query, options: { basis: 'received' } },
    { ...asker, tenantId }
  )
  t.match(received.results, [{ value: 0.8, numerator: 8, denominator: 10 }])
})

t.test('each period is a window of its own: who joins later counts from the next one on', async t => {
  const tenantId = await seedWorld(db, example)
  const query = { from: '2026-03-02', to: '2026-03-16', cohort: 'north', interval: 'week' } as const
  const { results } = await answerMetric(db, activeUsers, query, { ...asker, tenantId })
  t.match(results, [
    { numerator: 7, denominator: 10 },
    { numerator: 1, denominator: 11 }
  ])
})

t.test('a small cohort is hidden, an empty one is null, an unknown one is null with a warning', async t => {
  const tenantId = await seedWorld(db, example)
  const ask = (cohort: string) =>
    answerMetric(db, activeUsers, { from: '2026-03-02', to: '2026-03-09', cohort }, { ...asker, tenantId })
  t.match(await ask('south'), {
    results: [{ value: null, denominator: null, suppressed: true }],
    meta: { warnings: [] }
  })
  t.match(await ask('nowhere'), {
    results: [
      { value: null, numerator: 0, denominator: 0, ci: null, suppressed: false, nullReason: 'empty_denominator' }
    ],
    meta: { warnings: [{ code: 'unknown_cohort' }] }
  })
})

t.test('there is no answer about no period', async t => {
  const request = {
    tenantId: 1,
    timeZone: 'UTC',
    source: 'rollup',
    periods: [],
    window: { from: '2026-03-02', to: '2026-03-09' },
    filter: null,
    membership: 'at_window_start',
    breakdown: [],
    module: null,
    today: '2026-03-20',
    asOf: asker.asOf,
    options: { basis: 'opened' }
  } as const
  await t.rejects(measure(db, activeUsers, request), { name: 'RangeError' })
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  const basis = fc.constantFrom('opened', 'received')
  await fc.assert(
    fc.asyncProperty(worlds, questions, basis, async (world, { periods, filter, membership, today }, basis) => {
      const tenantId = await seedWorld(db, world)
      const spans = periods.map(({ from, days }) => ({ from, to: from + days }))
      const window = { from: Math.min(...spans.map(({ from }) => from)), to: Math.max(...spans.map(({ to }) => to)) }
      const measurement = await measure(db, activeUsers, {
        tenantId,
        timeZone: 'UTC',
        source: 'rollup',
        periods: spans.map(({ from, to }) => ({ from: dateOf(from), to: dateOf(to) })),
        window: { from: dateOf(window.from), to: dateOf(window.to) },
        filter,
        membership,
        breakdown: [],
        module: null,
        today: dateOf(today),
        asOf: new Date(`${dateOf(today)}T10:00:00Z`),
        options: { basis }
      })
      const kinds = basis === 'opened' ? ['opened'] : ['opened', 'delivered']
      deepEqual(
        countsOf(measurement),
        spans.map(period => naiveActiveUsers(world, { period, filter, membership, today }, kinds))
      )
      deepEqual(measurement.excluded, naiveExcluded(world, window))
    }),
    { numRuns: 150 }
  )
})
