import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { stickiness } from '../../src/metrics/stickiness.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import { learnerActiveOn } from './learner.js'
import { activeDaysOf } from './naive.js'
import { seedWorld } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const query = { from: '2026-03-02', to: '2026-03-12' }

/** The example of docs/reference/metrics/stickiness.md. */
const people = [
  learnerActiveOn(0, 1, 2, 3, 4, 7, 8, 9),
  learnerActiveOn(0, 6, 10),
  learnerActiveOn(5, 6),
  learnerActiveOn(1),
  learnerActiveOn(9),
  learnerActiveOn(),
  learnerActiveOn(-1, 10)
]

t.test('the worked example: 14 active days of 5 active learners in 10 days', async t => {
  const tenantId = await seedWorld(db, { people })
  const { results } = await answerMetric(db, stickiness, query, { ...asker, tenantId })
  t.match(results, [{ value: 14 / 50, numerator: 14, denominator: 50, n: 5 }])
  t.same(results[0]?.details, {
    activeDays: [
      { days: 1, learners: 2 },
      { days: 2, learners: 2 },
      { days: 8, learners: 1 }
    ]
  })
})

t.test('days that have not begun are no days without activity', async t => {
  const tenantId = await seedWorld(db, { people })
  const asOf = new Date('2026-03-11T10:00:00Z')
  const { results } = await answerMetric(db, stickiness, { ...query, to: '2026-03-20' }, { ...asker, tenantId, asOf })
  t.match(results, [{ numerator: 16, denominator: 60, partial: true }])
})

t.test('the distribution is hidden with its cell, and empty nowhere but where nobody was active', async t => {
  const few = await seedWorld(db, { people: people.slice(0, 4) })
  const hidden = await answerMetric(db, stickiness, query, { ...asker, tenantId: few })
  t.match(hidden.results, [{ suppressed: true, value: null, details: null }])
  const idle = await seedWorld(db, { people: [1, 2, 3, 4, 5, 6].map(() => learnerActiveOn()) })
  const nothing = await answerMetric(db, stickiness, query, { ...asker, tenantId: idle })
  t.match(nothing.results, [{ value: null, nullReason: 'empty_denominator', details: null }])
  const alike = await seedWorld(db, { people: [1, 2, 3, 4, 5].map(() => learnerActiveOn(0, 1)) })
  const broken = await answerMetric(db, stickiness, { ...query, breakdown: 'role' }, { ...asker, tenantId: alike })
  t.match(broken.results, [{ dimensions: { role: null }, details: { activeDays: [{ days: 2, learners: 5 }] } }])
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, stickiness, {
    options: fc.constant({}),
    share: (learner, { from, to, today }) => {
      const active = activeDaysOf(learner).filter(day => learner.countedDays.includes(day))
      return { x: active.length, y: active.length > 0 ? Math.max(0, Math.min(to, today + 1) - from) : 0 }
    }
  })
})
