import t from 'tap'
import { activityDrop } from '../../src/metrics/activity-drop.js'
import { activitySpike } from '../../src/metrics/activity-spike.js'
import { answerMetric } from '../../src/metrics/answer.js'
import type { MetricQuery } from '../../src/metrics/resolve-query.js'
import { testDatabase } from '../support/database.js'
import { learnerActiveOn } from './learner.js'
import { agreeOnDays } from './unusual.js'
import { seedWorld, type World } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-05-08T10:00:00Z') }

/** How many of 20 learners are active on which day; day 56 is Monday 27 April. */
function worldOf(comers: Readonly<Record<number, number>>): World {
  const days = Object.entries(comers)
  return {
    people: Array.from({ length: 20 }, (_, at) =>
      learnerActiveOn(...days.flatMap(([day, count]) => (at < count ? [Number(day)] : [])))
    )
  }
}

const eightOf = (first: number, counts: readonly number[]) =>
  Object.fromEntries(counts.map((count, week) => [first + 7 * week, count]))

/** The example of docs/reference/metrics/activity-drop.md: Mondays, Tuesdays, and Wednesdays that are all alike. */
const example = worldOf({
  ...eightOf(0, [10, 12, 11, 9, 10, 13, 12, 11]),
  ...eightOf(1, [10, 12, 11, 9, 10, 13, 12, 11]),
  ...eightOf(2, [8, 8, 8, 8, 8, 3, 8, 9]),
  56: 5,
  57: 6,
  58: 0
})

const week = { from: '2026-04-27', to: '2026-05-04' }
const ask = async (tenantId: number, query: MetricQuery = week, metric = activityDrop, asOf = asker.asOf) =>
  (await answerMetric(db, metric, query, { ...asker, tenantId, asOf })).results

t.test('the worked example: one of two days is a drop', async t => {
  const tenantId = await seedWorld(db, example)
  const [cell] = await ask(tenantId)
  t.match(cell, { value: 0.5, numerator: 1, denominator: 2, n: 20, ci: null })
  t.same(cell?.details, {
    days: [{ day: '2026-04-27', learners: 5, median: 11, mad: 1, robustZ: -4.047 }],
    notJudged: 5
  })
  t.match(await ask(tenantId, week, activitySpike), [{ value: 0, numerator: 0, denominator: 2 }])
})

t.test('a day is judged once it is over, and not without a scale', async t => {
  const tenantId = await seedWorld(db, example)
  const tuesday = new Date('2026-04-28T10:00:00Z')
  t.match(await ask(tenantId, week, activityDrop, tuesday), [{ value: 1, denominator: 1, details: { notJudged: 0 } }])
  const days = await ask(tenantId, { ...week, to: '2026-04-30', interval: 'day' })
  t.match(days, [
    { value: 1 },
    { value: 0, details: { days: [] } },
    { value: null, denominator: 0, nullReason: 'empty_denominator', details: null }
  ])
})

t.test('a small group is hidden with its days, and a group of nobody has none', async t => {
  const few = await seedWorld(db, { people: example.people.slice(0, 4) })
  t.match(await ask(few), [{ suppressed: true, value: null, details: null }])
  const nobody = await seedWorld(db, { people: [] })
  t.match(await ask(nobody), [{ value: null, numerator: 0, denominator: 0, nullReason: 'empty_denominator' }])
})

t.test('any world: the same days as judging one after another', async () => {
  await agreeOnDays(db, activityDrop, -1)
})
