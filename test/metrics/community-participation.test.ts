import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { communityParticipation } from '../../src/metrics/community-participation.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import { learner } from './learner.js'
import { seedWorld } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const query = { from: '2026-03-02', to: '2026-03-09' }

t.test('the worked example: 4 of 8 took part, on 7 days', async t => {
  const people = [
    learner({ 0: { posted: 3, replied: 1 }, 1: { endorsed: 1 }, 6: { replied: 2 } }),
    learner({ 2: { endorsed: 1 }, 3: { endorsed: 1 } }),
    learner({ 4: { peer_feedback: 1 } }),
    learner({ 5: { posted: 1 }, 7: { posted: 1 } }),
    learner({ 2: { peer_feedback_received: 2 } }),
    learner({ 2: { opened: 1, visited: 3 } }),
    learner({ 7: { replied: 1 } }),
    learner()
  ]
  const { results } = await answerMetric(db, communityParticipation, query, {
    ...asker,
    tenantId: await seedWorld(db, { people })
  })
  t.match(results, [{ value: 0.5, numerator: 4, denominator: 8, n: 8 }])
  t.same(results[0]?.details, { communityDays: 7, median: 1.5 })
})

t.test('where nobody takes part there is no median', async t => {
  const tenantId = await seedWorld(db, { people: [1, 2, 3, 4, 5].map(() => learner()) })
  const { results } = await answerMetric(db, communityParticipation, query, { ...asker, tenantId })
  t.match(results, [{ value: 0, numerator: 0, denominator: 5 }])
  t.same(results[0]?.details, { communityDays: 0, median: null })
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  const kinds = ['posted', 'replied', 'endorsed', 'peer_feedback']
  await agree(
    db,
    communityParticipation,
    {
      options: fc.constant({}),
      share: ({ days, countedDays }) => {
        const isOne = days.some(
          ({ day, counts }) => countedDays.includes(day) && Object.keys(counts).some(column => kinds.includes(column))
        )
        return { x: isOne ? 1 : 0, y: 1 }
      }
    },
    60
  )
})
