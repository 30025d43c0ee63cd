import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { practiceTasks } from '../../src/metrics/practice-tasks.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import { type Person, seedWorld } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }

const learner = (...tasks: readonly (readonly [day: number, count: number])[]): Person => ({
  known: true,
  roster: [{ from: null, to: null, cohorts: [] }],
  days: tasks.map(([day, completed_task]) => ({ day, counts: { completed_task } }))
})

/** The example of docs/reference/metrics/practice-tasks.md. */
const people = [learner([0, 2], [8, 4]), learner([3, 1], [14, 5]), learner([13, 3]), learner(), learner()]

t.test('the worked example: 10 tasks of 5 learners in 2 full weeks are 1 a week', async t => {
  const tenantId = await seedWorld(db, { people })
  const query = { from: '2026-03-02', to: '2026-03-18' }
  const { results } = await answerMetric(db, practiceTasks, query, { ...asker, tenantId })
  t.match(results, [{ value: 1, numerator: 10, denominator: 10, n: 5, details: { median: 0.5 } }])
  // Learners' 6, 1, 3, 0 and 0 tasks: mean 2, standard deviation √6.5, t(4) 2.776.
  t.equal(results[0]?.ci?.low.toFixed(3), '-0.583')
  t.equal(results[0]?.ci?.high.toFixed(3), '2.583')
})

t.test('a period without a full week has no value', async t => {
  const tenantId = await seedWorld(db, { people })
  const query = { from: '2026-03-02', to: '2026-03-08' }
  const { results } = await answerMetric(db, practiceTasks, query, { ...asker, tenantId })
  t.match(results, [{ value: null, numerator: 0, denominator: 0, n: 0, nullReason: 'empty_denominator' }])
})

t.test('a week counts when it is over', async t => {
  const tenantId = await seedWorld(db, { people })
  const query = { from: '2026-03-02', to: '2026-03-16' }
  const at = async (asOf: string) => {
    const { results } = await answerMetric(db, practiceTasks, query, { ...asker, asOf: new Date(asOf), tenantId })
    return [results[0]?.numerator, results[0]?.denominator, results[0]?.nullReason]
  }
  t.same(await at('2026-03-08T23:00:00Z'), [0, 0, 'empty_denominator'])
  t.same(await at('2026-03-09T00:00:00Z'), [3, 5, null])
  t.same(await at('2026-03-16T00:00:00Z'), [10, 10, null])
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, practiceTasks, {
    options: fc.constant({}),
    share: ({ days, countedDays }, { from, to, today }) => {
      const weeks = Math.max(0, Math.floor((Math.min(to, today) - from) / 7))
      const counted = days.filter(({ day }) => countedDays.includes(day) && day < from + weeks * 7)
      return { x: counted.reduce((sum, { counts }) => sum + (counts.completed_task ?? 0), 0), y: weeks }
    }
  })
})
