import t from 'tap'
import { activitySpike } from '../../src/metrics/activity-spike.js'
import { answerMetric } from '../../src/metrics/answer.js'
import { testDatabase } from '../support/database.js'
import { learnerActiveOn } from './learner.js'
import { agreeOnDays } from './unusual.js'
import { seedWorld } from './world.js'

const { db } = await testDatabase(t)

t.test('the worked example: twice as many as on other Mondays', async t => {
  const mondays = [4, 5, 6, 5, 4, 6, 5, 5, 9]
  const people = Array.from({ length: 12 }, (_, at) =>
    learnerActiveOn(...mondays.flatMap((count, week) => (at < count ? [7 * week] : [])))
  )
  const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-05-08T10:00:00Z') }
  const query = { from: '2026-04-27', to: '2026-04-28' }
  const ask = async (count: number) => {
    const tenantId = await seedWorld(db, { people: people.slice(0, count) })
    return (await answerMetric(db, activitySpike, query, { ...asker, tenantId })).results[0]
  }
  const twelve = await ask(12)
  t.match(twelve, { value: 1, numerator: 1, denominator: 1, n: 12 })
  t.same(twelve?.details, {
    days: [{ day: '2026-04-27', learners: 9, median: 5, mad: 0.5, robustZ: 5.396 }],
    notJudged: 0
  })
  t.match(await ask(7), { value: 0, numerator: 0, denominator: 1 }, '7 are no spike: robust z is 2.698')
})

t.test('any world: the same days as judging one after another', async () => {
  await agreeOnDays(db, activitySpike, 1)
})
