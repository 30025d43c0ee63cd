import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { peerFeedbackRate } from '../../src/metrics/peer-feedback-rate.js'
import { peerFeedbackReceived } from '../../src/metrics/peer-feedback-received.js'
import { testApp } from '../support/app.js'
import { voiding } from '../support/statements.js'
import { agree } from './agreement.js'
import { about, agentOf, did } from './did.js'
import { learner } from './learner.js'
import { seedWorld } from './world.js'

const { db, tenantId, post, putPeople, drain } = await testApp(t, { timeZone: 'America/New_York' })

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const query = { from: '2026-03-02', to: '2026-03-09' }

t.test('the worked example: 2 of 8 gave peer feedback', async t => {
  const people = [
    learner({ 0: { peer_feedback: 3 }, 4: { peer_feedback: 1 } }),
    learner({ 6: { peer_feedback: 1 } }),
    learner({ 7: { peer_feedback: 1 } }),
    learner({ 2: { peer_feedback_received: 2 } }),
    ...[1, 2, 3, 4].map(() => learner())
  ]
  const { results } = await answerMetric(db, peerFeedbackRate, query, {
    ...asker,
    tenantId: await seedWorld(db, { people })
  })
  t.match(results, [{ value: 0.25, numerator: 2, denominator: 8, n: 8 }])
  t.equal(results[0]?.ci?.low.toFixed(3), '0.071')
  t.equal(results[0]?.ci?.high.toFixed(3), '0.591')
})

t.test('who gives is the actor and who receives the subject; what was voided counts for neither', async t => {
  const names = ['ada', 'ben', 'cleo', 'dora', 'eve']
  await putPeople(names.map(name => ({ personId: name, agents: [agentOf(name)] })))
  const voided = { ...did('peer-feedback', 'cleo', '2026-03-04T12:00:00Z', about('dora')), id: randomUUID() }
  await post([
    // The clock goes forward on 8 March: in New York the day ends at 04:00 UTC, and the window with it.
    did('peer-feedback', 'ada', '2026-03-09T03:59:59Z', about('ben')),
    did('peer-feedback', 'eve', '2026-03-09T04:00:00Z', about('eve')),
    did('peer-feedback', 'ben', '2026-03-02T12:00:00Z', about('somebody-else')),
    voided,
    voiding(voided.id)
  ])
  const ask = async (metric: typeof peerFeedbackRate, consistency: 'eventual' | 'strong') =>
    (await answerMetric(db, metric, { ...query, consistency }, { ...asker, timeZone: 'America/New_York', tenantId }))
      .results
  t.match(await ask(peerFeedbackRate, 'strong'), [{ numerator: 2, denominator: 5 }])
  t.match(await ask(peerFeedbackReceived, 'strong'), [{ numerator: 1, denominator: 5 }])
  await drain()
  t.match(await ask(peerFeedbackRate, 'eventual'), [{ numerator: 2, denominator: 5 }])
  t.match(await ask(peerFeedbackReceived, 'eventual'), [{ numerator: 1, denominator: 5 }])
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(
    db,
    peerFeedbackRate,
    {
      options: fc.constant({}),
      share: ({ days, countedDays }) => ({
        x: days.some(({ day, counts }) => countedDays.includes(day) && (counts.peer_feedback ?? 0) > 0) ? 1 : 0,
        y: 1
      })
    },
    60
  )
})
