import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { peerFeedbackReceived } from '../../src/metrics/peer-feedback-received.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import { learner } from './learner.js'
import { seedWorld } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const query = { from: '2026-03-02', to: '2026-03-09' }

t.test('the worked example: 3 of 6 received peer feedback', async t => {
  const people = [
    learner({ 0: { peer_feedback_received: 3 }, 5: { peer_feedback_received: 1 } }),
    learner({ 6: { peer_feedback_received: 1, peer_feedback: 1 } }),
    learner({ 3: { peer_feedback_received: 1, manager_check_received: 1 } }),
    learner({ 7: { peer_feedback_received: 1 } }),
    learner({ 2: { peer_feedback: 4 } }),
    learner()
  ]
  const { results } = await answerMetric(db, peerFeedbackReceived, query, {
    ...asker,
    tenantId: await seedWorld(db, { people })
  })
  t.match(results, [{ value: 0.5, numerator: 3, denominator: 6, n: 6 }])
  t.equal(results[0]?.ci?.low.toFixed(3), '0.188')
  t.equal(results[0]?.ci?.high.toFixed(3), '0.812')
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(
    db,
    peerFeedbackReceived,
    {
      options: fc.constant({}),
      share: ({ days, countedDays }) => ({
        x: days.some(({ day, counts }) => countedDays.includes(day) && (counts.peer_feedback_received ?? 0) > 0)
          ? 1
          : 0,
        y: 1
      })
    },
    60
  )
})
