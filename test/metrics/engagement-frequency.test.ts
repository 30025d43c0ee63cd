import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { engagementFrequency } from '../../src/metrics/engagement-frequency.js'
import { testApp } from '../support/app.js'
import { agree } from './agreement.js'
import { agentOf, did } from './did.js'
import { learnerActiveOn } from './learner.js'
import { activeDaysOf } from './naive.js'
import { seedWorld } from './world.js'

const { db, tenantId, post, putPeople, drain } = await testApp(t, { timeZone: 'Europe/Berlin' })

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-04-20T10:00:00Z') }

/** The example of docs/reference/metrics/engagement-frequency.md. */
const people = [
  learnerActiveOn(0, 1, 2, 7, 8, 9),
  learnerActiveOn(6, 13, 14, 15),
  learnerActiveOn(3),
  learnerActiveOn(),
  learnerActiveOn(-1, 14)
]

t.test('the worked example: 9 active days of 5 learners in 2 full weeks are 0.9 a week', async t => {
  const tenantId = await seedWorld(db, { people })
  const ask = async (to: string) =>
    (await answerMetric(db, engagementFrequency, { from: '2026-03-02', to }, { ...asker, tenantId })).results
  t.match(await ask('2026-03-18'), [{ value: 0.9, numerator: 9, denominator: 10, n: 5, details: { median: 0.5 } }])
  t.match(await ask('2026-03-08'), [{ value: null, denominator: 0, nullReason: 'empty_denominator' }])
})

t.test('sessions, from rollups as from events, over the night in which the clock goes forward', async t => {
  const names = ['ada', 'ben', 'cleo', 'dora', 'eve']
  await putPeople(names.map(name => ({ personId: name, agents: [agentOf(name)] })))
  await post([
    // From 01:50 to 03:10 by the wall clock of Berlin are 20 minutes: one session.
    did('opened', 'ada', '2026-03-29T00:50:00Z'),
    did('visited', 'ada', '2026-03-29T01:10:00Z'),
    did('visited', 'ada', '2026-03-29T12:00:00Z'),
    // Over midnight it is one session, of the day on which it began.
    did('opened', 'ben', '2026-03-28T22:50:00Z'),
    did('opened', 'ben', '2026-03-28T23:10:00Z'),
    did('delivered', 'cleo', '2026-03-28T12:00:00Z')
  ])
  const ask = async (options: { of: string }, consistency: 'eventual' | 'strong') => {
    const query = { from: '2026-03-23', to: '2026-03-30', options, consistency }
    return (await answerMetric(db, engagementFrequency, query, { ...asker, timeZone: 'Europe/Berlin', tenantId }))
      .results
  }
  t.match(await ask({ of: 'sessions' }, 'strong'), [{ value: 0.6, numerator: 3, denominator: 5 }])
  t.match(await ask({ of: 'active-days' }, 'strong'), [{ value: 0.6, numerator: 3, denominator: 5 }])
  await drain()
  t.match(await ask({ of: 'sessions' }, 'eventual'), [{ value: 0.6, numerator: 3, denominator: 5 }])
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, engagementFrequency, {
    options: fc.constant({ of: 'active-days' }),
    share: (learner, { from, to, today }) => {
      const weeks = Math.max(0, Math.floor((Math.min(to, today) - from) / 7))
      const active = activeDaysOf(learner).filter(day => learner.countedDays.includes(day) && day < from + weeks * 7)
      return { x: active.length, y: weeks }
    }
  })
})
