import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { managerCheckRate } from '../../src/metrics/manager-check-rate.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import { learner } from './learner.js'
import { seedWorld, type World } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const query = { from: '2026-03-02', to: '2026-03-09' }
const checked = { manager_check_received: 1 }

/** The example of docs/reference/metrics/manager-check-rate.md. */
const example: World = {
  people: [
    learner({ 0: { manager_check: 3 } }),
    learner({ 0: checked, 3: checked }, { manager: 'person-0' }),
    learner({ 6: checked }, { manager: 'person-0' }),
    learner({ 7: checked }, { manager: 'person-0' }),
    learner({ 2: { opened: 3, peer_feedback_received: 1 } }, { manager: 'person-0' }),
    learner({}, { manager: 'somebody the roster does not name' }),
    learner({ 2: checked }),
    learner({ 2: checked }, { manager: 'person-7' })
  ]
}

t.test('the worked example: 2 of 5 direct reports were checked', async t => {
  const tenantId = await seedWorld(db, example)
  const { results } = await answerMetric(db, managerCheckRate, query, { ...asker, tenantId })
  t.match(results, [{ value: 0.4, numerator: 2, denominator: 5, n: 5 }])
  t.equal(results[0]?.ci?.low.toFixed(3), '0.118')
  t.equal(results[0]?.ci?.high.toFixed(3), '0.769')
})

t.test('nobody who reports to somebody is no denominator; fewer than the group size are hidden', async t => {
  const none = await seedWorld(db, { people: [1, 2, 3, 4, 5].map(() => learner({ 2: checked })) })
  t.match((await answerMetric(db, managerCheckRate, query, { ...asker, tenantId: none })).results, [
    { value: null, numerator: 0, denominator: 0, n: 0, nullReason: 'empty_denominator', suppressed: false }
  ])
  const few = await seedWorld(db, { people: example.people.slice(0, 5) })
  t.match((await answerMetric(db, managerCheckRate, query, { ...asker, tenantId: few })).results, [
    { value: null, numerator: null, denominator: null, suppressed: true, nullReason: 'small_group' }
  ])
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, managerCheckRate, {
    options: fc.constant({}),
    share: ({ days, countedDays, managers }) => {
      const isReport = managers.some(manager => manager !== null)
      const isChecked = days.some(
        ({ day, counts }) => countedDays.includes(day) && (counts.manager_check_received ?? 0) > 0
      )
      return { x: isReport && isChecked ? 1 : 0, y: isReport ? 1 : 0 }
    }
  })
})
