import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { dau } from '../../src/metrics/dau.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import { activeDaysOf } from './naive.js'
import { type Person, seedWorld } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }

const learner = (...days: readonly number[]): Person => ({
  known: true,
  roster: [{ from: null, to: null, cohorts: [] }],
  days: days.map(day => ({ day, counts: { visited: 2, delivered: 1 } }))
})

/** The example of docs/reference/metrics/dau.md. */
const people = [
  learner(0, 1, 2),
  learner(0, 6),
  learner(6),
  learner(),
  { ...learner(), days: [{ day: 1, counts: { delivered: 1 } }] }
]

t.test('the worked example: 6 active days in 7 days', async t => {
  const tenantId = await seedWorld(db, { people })
  const query = { from: '2026-03-02', to: '2026-03-09' }
  const week = await answerMetric(db, dau, query, { ...asker, tenantId })
  t.match(week.results, [{ value: 6 / 7, numerator: 6, denominator: 7, n: 5, ci: null }])
  const days = await answerMetric(db, dau, { ...query, interval: 'day' }, { ...asker, tenantId })
  t.same(
    days.results.map(({ value }) => value),
    [2, 1, 1, 0, 0, 0, 2]
  )
})

t.test('days that have not begun are not counted as idle', async t => {
  const tenantId = await seedWorld(db, { people })
  const query = { from: '2026-03-02', to: '2026-03-09' }
  const asOf = new Date('2026-03-04T10:00:00Z')
  const { results } = await answerMetric(db, dau, query, { ...asker, asOf, tenantId })
  t.match(results, [{ value: 4 / 3, numerator: 4, denominator: 3, partial: true }])
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, dau, {
    options: fc.constant({}),
    share: (learner, { today }) => ({
      x: activeDaysOf(learner).filter(day => learner.countedDays.includes(day) && day <= today).length,
      y: 1
    })
  })
})
