import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { mau } from '../../src/metrics/mau.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import { learnerActiveOn } from './learner.js'
import { activeDaysOf } from './naive.js'
import { dateOf, questions, seedWorld } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-06-10T10:00:00Z') }

/** The example of docs/reference/metrics/mau.md: day 30 is 1 April, day 60 is 1 May, day 91 is 1 June. */
const people = [
  learnerActiveOn(0, 1, 30, 31, 32),
  learnerActiveOn(29, 59, 60),
  learnerActiveOn(61, 90),
  learnerActiveOn(91),
  learnerActiveOn()
]

t.test('the worked example: 2 learners in April and 2 in May are 2 a month', async t => {
  const tenantId = await seedWorld(db, { people })
  const ask = async (from: string, to: string, interval?: 'month') =>
    (await answerMetric(db, mau, { from, to, interval }, { ...asker, tenantId })).results
  t.match(await ask('2026-03-02', '2026-06-10'), [{ value: 2, numerator: 4, denominator: 2, n: 5, ci: null }])
  t.match(await ask('2026-03-01', '2026-07-01', 'month'), [{ value: 2 }, { value: 2 }, { value: 2 }, { value: 1 }])
})

t.test('a period of no whole month is one while it has 31 days at most', async t => {
  const tenantId = await seedWorld(db, { people })
  const ask = async (from: string, to: string, asOf = asker.asOf) =>
    (await answerMetric(db, mau, { from, to }, { ...asker, tenantId, asOf })).results
  t.match(await ask('2026-04-02', '2026-05-03'), [{ value: 3, denominator: 1 }], '31 days')
  t.match(await ask('2026-04-02', '2026-05-04'), [{ value: null, denominator: 0, nullReason: 'empty_denominator' }])
  t.match(await ask('2026-04-01', '2026-05-01', new Date('2026-04-20T10:00:00Z')), [{ value: 2, denominator: 1 }])
  t.match(await ask('2024-02-01', '2024-03-01'), [{ value: 0, denominator: 1 }], 'a February of 29 days')
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, mau, {
    options: fc.constant({}),
    questions: questions.map(({ periods, ...others }) => ({
      ...others,
      periods: periods.map(({ from, days }) => ({ from, days: days * 6 })),
      today: others.today * 2
    })),
    share: (learner, { from, to, today }) => {
      const active = activeDaysOf(learner).filter(day => learner.countedDays.includes(day))
      const end = Math.min(to, today)
      const inPeriod = Array.from({ length: Math.max(0, end - from) }, (_, nth) => dateOf(from + nth).slice(0, 7))
      const daysIn = (month: string) => new Date(Number(month.slice(0, 4)), Number(month.slice(5)), 0).getDate()
      const months = [...new Set(inPeriod)].filter(
        month => inPeriod.filter(other => other === month).length === daysIn(month)
      )
      const whole = months.filter(month => active.some(day => dateOf(day).startsWith(month)))
      if (months.length > 0) return { x: whole.length, y: 1 }
      return { x: to - from <= 31 && active.length > 0 ? 1 : 0, y: 1 }
    }
  })
})
