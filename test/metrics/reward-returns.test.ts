import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import type { MetricQuery } from '../../src/metrics/resolve-query.js'
import { rewardReturns } from '../../src/metrics/reward-returns.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import { learner } from './learner.js'
import { activeDaysOf } from './naive.js'
import { type Person, seedWorld, worlds } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-04-20T10:00:00Z') }
const claimed = { reward_claimed: 1 }
const visited = { visited: 1 }

/** The example of docs/reference/metrics/reward-returns.md. */
const people = [
  learner({ 0: claimed, 7: visited }),
  learner({ 1: { reward_claimed: 2 }, 3: claimed }),
  learner({ 6: claimed, 13: visited }),
  learner({ 0: claimed, 8: visited }),
  learner({ 4: claimed, 5: { delivered: 1, reward_offered: 1 } }),
  learner({ 2: visited, 3: visited })
]

const ask = async (query: MetricQuery = {}, asOf = asker.asOf) => {
  const tenantId = await seedWorld(db, { people })
  return answerMetric(
    db,
    rewardReturns,
    { from: '2026-03-02', to: '2026-03-09', ...query },
    { ...asker, tenantId, asOf }
  )
}

t.test('the worked example: after 4 of 7 claims the learner came back', async t => {
  t.match(await ask(), { results: [{ value: 4 / 7, numerator: 4, denominator: 7, n: 5 }], meta: { warnings: [] } })
  t.match(await ask({ options: { windowDays: 14 } }), { results: [{ numerator: 5, denominator: 7 }] })
})

t.test('only claims count of which it can be known', async t => {
  // The brackets of days 0 to 6 end on days 7 to 13; day 13 is 15 March.
  t.match(await ask({}, new Date('2026-03-15T10:00:00Z')), {
    results: [{ suppressed: true, value: null, n: null, nullReason: 'small_group' }],
    meta: { warnings: [{ code: 'immature_brackets' }] }
  })
  t.match(await ask({}, new Date('2026-03-16T10:00:00Z')), { results: [{ denominator: 7 }], meta: { warnings: [] } })
  t.match(await ask({ from: '2026-03-09', to: '2026-03-10' }), {
    results: [{ value: null, denominator: 0, nullReason: 'empty_denominator' }]
  })
})

/** The same, who claims a reward on every third active day. */
const rewarded = (person: Person): Person => ({
  ...person,
  days: person.days.map(({ day, counts }, at) => ({
    day,
    counts: at % 3 === 0 ? { ...counts, reward_claimed: 2 } : counts
  }))
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, rewardReturns, {
    options: fc.record({ windowDays: fc.constantFrom(7, 14, 30) }),
    worlds: worlds.map(({ people }) => ({ people: people.map(rewarded) })),
    share: ({ days, countedDays }, { today }, { windowDays }) => {
      const active = activeDaysOf({ days })
      let [x, y, open] = [0, 0, 0]
      for (const { day, counts } of days) {
        const claims = counts.reward_claimed ?? 0
        if (!countedDays.includes(day)) continue
        if (day + windowDays >= today) {
          open += claims
          continue
        }
        y += claims
        if (active.some(later => later > day && later <= day + windowDays)) x += claims
      }
      return { x, y, isImmature: open > 0 }
    }
  })
})
