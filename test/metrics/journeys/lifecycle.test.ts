import { deepStrictEqual as deepEqual, equal } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import { countLifecycle, prepareLifecycle } from '../../../src/metrics/journeys/lifecycle.js'
import { testDatabase } from '../../support/database.js'
import { type Person, questions, seedWorld, type World, worlds } from '../world.js'
import { activities, answering, deeds, requestOf, seedDeeds, timeZones, within } from './events.js'
import { naiveLifecycle } from './naive-activity.js'

const { db } = await testDatabase(t)
const answerLifecycle = answering(prepareLifecycle)

function learner(...activeDays: number[]): Person {
  return {
    known: true,
    roster: [{ from: null, to: null, cohorts: [] }],
    days: activeDays.map(day => ({ day, counts: { visited: 1 } }))
  }
}

/** The example of docs/reference/metrics/lifecycle.md, in days from Monday 2 March. */
const example: World = {
  people: [
    learner(0, 8, 15),
    learner(6, 7),
    learner(-7, 1, 20),
    learner(-14, 2),
    learner(-1, 8),
    learner(9, 14),
    learner(-30, 16),
    { ...learner(), days: [{ day: 3, counts: { delivered: 2, manager_check_received: 1 } }] },
    learner(-20),
    learner()
  ]
}

const asker = { timeZone: 'UTC', minGroupSize: 10, within: null, asOf: new Date('2026-03-25T10:00:00Z') }
const query = { from: '2026-03-02', to: '2026-03-23' }
const numbers = ({ results }: Awaited<ReturnType<typeof answerLifecycle>>) =>
  results.map(({ active, new: fresh, returning, resurrecting, dormant }) =>
    [active, fresh, returning, resurrecting, dormant].map(({ numerator }) => numerator)
  )

t.test('the worked example: three weeks of ten learners', async t => {
  const tenantId = await seedWorld(db, example)
  const answer = await answerLifecycle(db, query, { ...asker, tenantId })
  t.same(numbers(answer), [
    [4, 2, 1, 1, 1],
    [4, 1, 2, 1, 2],
    [4, 0, 2, 2, 2]
  ])
  t.match(answer.results[0], {
    period: { from: '2026-03-02', to: '2026-03-09' },
    partial: false,
    population: 10,
    active: { value: 0.4, numerator: 4, denominator: 10, n: 10, ci: { method: 'wilson' }, nullReason: null }
  })
  t.match(answer.meta, { query: { options: { interval: 'week' } }, definitionVersion: 1, warnings: [] })
})

t.test(
  'without from and to it is the last twelve units that are over; a clipped one looks back to its whole unit',
  async t => {
    const tenantId = await seedWorld(db, example)
    const weeks = await answerLifecycle(db, {}, { ...asker, tenantId })
    t.match(weeks.meta.query, { fromDate: '2025-12-29', toDate: '2026-03-23' })
    t.equal(weeks.results.length, 12)
    const months = await answerLifecycle(db, { interval: 'month', to: '2026-03-20' }, { ...asker, tenantId })
    t.match(months.meta.query, { fromDate: '2025-03-01', toDate: '2026-03-20' })
    t.match(months.results.at(-1), { partial: true })
    // From Wednesday on: who was new on Monday is returning on Wednesday.
    const clipped = await answerLifecycle(db, { from: '2026-03-04', to: '2026-03-10' }, { ...asker, tenantId })
    t.same(numbers(clipped), [
      [2, 1, 0, 1, 3],
      [1, 0, 1, 0, 3]
    ])
  }
)

t.test('small populations are hidden, and what has not begun is not known', async t => {
  const tenantId = await seedWorld(db, example)
  const hidden = await answerLifecycle(db, { ...query, minGroupSize: 11 }, { ...asker, tenantId })
  t.match(hidden.results[0], {
    population: null,
    active: { numerator: null, suppressed: true, nullReason: 'small_group' }
  })
  const ahead = await answerLifecycle(db, { from: '2026-03-23', to: '2026-04-06' }, { ...asker, tenantId })
  t.match(ahead.results, [
    { partial: true, population: 10, active: { numerator: 0, value: 0 } },
    { partial: true, population: null, active: { nullReason: 'period_not_started', suppressed: false } }
  ])
  const nobody = await answerLifecycle(db, { ...query, cohort: 'none' }, { ...asker, tenantId })
  t.match(nobody, {
    results: [{ population: 0, new: { value: null, numerator: 0, nullReason: 'empty_denominator' } }],
    meta: { warnings: [{ code: 'unknown_cohort' }] }
  })
})

t.test('any world: the same as looking at one learner after another, and active is the sum of its parts', async () => {
  await fc.assert(
    fc.asyncProperty(
      worlds,
      deeds,
      questions,
      activities,
      timeZones,
      async (world, all, question, asking, timeZone) => {
        const { filter, membership } = question
        const { from, days, unit, today } = asking
        const known = within(asking.spread(all), world, today)
        const tenantId = await seedDeeds(db, world, known, timeZone)
        const asked = { tenantId, timeZone, filter, membership, today, from, to: from + days }
        const expected = naiveLifecycle(world, known, { ...asked, unit })
        for (const source of ['rollup', 'events'] as const) {
          const { rows } = await countLifecycle(db, requestOf({ ...asked, source, interval: unit }), unit)
          deepEqual(rows, expected, source)
          for (const row of rows) equal(row.active, row.new + row.returning + row.resurrecting)
        }
      }
    ),
    { numRuns: 100 }
  )
})
