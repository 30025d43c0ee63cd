import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { rewardClaims } from '../../src/metrics/reward-claims.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import { learner } from './learner.js'
import { type Person, seedWorld } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const query = { from: '2026-03-02', to: '2026-03-09' }

const ask = async (people: readonly Person[]) =>
  (await answerMetric(db, rewardClaims, query, { ...asker, tenantId: await seedWorld(db, { people }) })).results

t.test('the worked example: 4 rewards claimed by 5 learners, of 8 offered', async t => {
  const results = await ask([
    learner({ 0: { reward_offered: 3, reward_claimed: 1 }, 6: { reward_claimed: 2 } }),
    learner({ 1: { reward_claimed: 1 } }),
    learner({ 2: { reward_offered: 5 }, 7: { reward_claimed: 3 } }),
    learner(),
    learner({ 3: { opened: 1 } })
  ])
  t.match(results, [{ value: 0.8, numerator: 4, denominator: 5, n: 5 }])
  t.same(results[0]?.details, { claimants: 2, offers: 8, claimsPerOffer: 0.5 })
})

t.test('where nothing is offered there are claims, and no claims per offer', async t => {
  const results = await ask([1, 2, 3, 4, 5].map(() => learner({ 1: { reward_claimed: 1 } })))
  t.match(results, [{ value: 1 }])
  t.same(results[0]?.details, { claimants: 5, offers: 0, claimsPerOffer: null })
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(
    db,
    rewardClaims,
    {
      options: fc.constant({}),
      share: ({ days, countedDays }) => {
        const counted = days.filter(({ day }) => countedDays.includes(day))
        return { x: counted.reduce((sum, { counts }) => sum + (counts.reward_claimed ?? 0), 0), y: 1 }
      }
    },
    60
  )
})
