import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { wau } from '../../src/metrics/wau.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import { learnerActiveOn } from './learner.js'
import { activeDaysOf } from './naive.js'
import { seedWorld } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }

/** The example of docs/reference/metrics/wau.md: day 0 is Monday 2 March. */
const people = [
  learnerActiveOn(0, 1, 2, 3, 4),
  learnerActiveOn(6, 7),
  learnerActiveOn(8, 9, 22),
  learnerActiveOn(-1, 14),
  learnerActiveOn()
]

t.test('the worked example: 2 and 2 learners in two whole weeks are 2 a week, however often they came', async t => {
  const tenantId = await seedWorld(db, { people })
  const ask = async (from: string, to: string, interval?: 'week') =>
    (await answerMetric(db, wau, { from, to, interval }, { ...asker, tenantId })).results
  t.match(await ask('2026-03-01', '2026-03-18'), [{ value: 2, numerator: 4, denominator: 2, n: 5, ci: null }])
  t.match(await ask('2026-03-02', '2026-03-16', 'week'), [{ value: 2 }, { value: 2 }])
})

t.test('what lies in a period of no whole week, or of a week that is not over', async t => {
  const tenantId = await seedWorld(db, { people })
  const ask = async (from: string, to: string, asOf = asker.asOf) =>
    (await answerMetric(db, wau, { from, to }, { ...asker, tenantId, asOf })).results
  t.match(await ask('2026-03-05', '2026-03-12'), [{ value: 3, denominator: 1 }], 'seven days of two weeks are one')
  t.match(await ask('2026-03-03', '2026-03-04'), [{ value: 1, denominator: 1 }], 'so is a day')
  t.match(await ask('2026-03-03', '2026-03-15'), [
    { value: null, numerator: 0, denominator: 0, nullReason: 'empty_denominator' }
  ])
  const friday = new Date('2026-03-13T10:00:00Z')
  t.match(await ask('2026-03-02', '2026-03-16', friday), [{ value: 2, denominator: 1, partial: true }])
  t.match(await ask('2026-03-09', '2026-03-16', friday), [{ value: 2, denominator: 1, partial: true }])
})

t.test('the 53rd week of a year is a week, and so is the one that spans New Year', async t => {
  const people = [learnerActiveOn(301), learnerActiveOn(302, 307), ...[1, 2, 3].map(() => learnerActiveOn())]
  const tenantId = await seedWorld(db, { people })
  const query = { from: '2026-12-28', to: '2027-01-04' }
  const { results } = await answerMetric(db, wau, query, { ...asker, tenantId, asOf: new Date('2027-02-01T00:00:00Z') })
  t.match(results, [{ value: 2, numerator: 2, denominator: 1 }])
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, wau, {
    options: fc.constant({}),
    share: (learner, { from, to, today }) => {
      const active = activeDaysOf(learner).filter(day => learner.countedDays.includes(day))
      const isWhole = (monday: number) => monday >= from && monday + 7 <= Math.min(to, today)
      const mondays = Array.from({ length: 20 }, (_, nth) => (nth - 2) * 7).filter(isWhole)
      const weeks = mondays.filter(monday => active.some(day => day >= monday && day < monday + 7))
      if (mondays.length > 0) return { x: weeks.length, y: 1 }
      return { x: to - from <= 7 && active.length > 0 ? 1 : 0, y: 1 }
    }
  })
})
