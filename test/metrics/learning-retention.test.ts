import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { learningRetention } from '../../src/metrics/learning-retention.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import { learner } from './learner.js'
import { type Person, seedWorld, worlds } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-04-20T10:00:00Z') }
const practised = { completed_task: 1 }
const checked = { manager_check_received: 1 }

/** The example of docs/reference/metrics/learning-retention.md: the four weeks begin on days 0, 7, 14 and 21. */
const people = [
  learner({ 0: practised, 13: practised, 14: practised, 27: { ...practised, ...checked } }),
  learner({ 6: practised, 7: practised, 20: practised, 21: practised, 10: checked }),
  learner({ 0: practised, 7: practised, 14: practised, 21: practised }),
  learner({ 0: practised, 7: practised, 14: practised, 21: practised, [-1]: checked, 28: checked }),
  learner({ 0: practised, 14: practised, 15: practised, 21: practised, 16: checked }),
  learner({ 20: { ...practised, ...checked }, 21: practised }),
  learner({ 10: checked }),
  learner()
]

t.test('the worked example: 2 of 8 practised in each of 4 weeks and were checked', async t => {
  const tenantId = await seedWorld(db, { people })
  const ask = async (weeks: number | undefined, from = '2026-03-02') => {
    const options = weeks === undefined ? {} : { weeks }
    const query = { from, to: '2026-03-30', options }
    return (await answerMetric(db, learningRetention, query, { ...asker, tenantId })).results
  }
  t.match(await ask(undefined), [{ value: 0.25, numerator: 2, denominator: 8, n: 8 }])
  t.match(await ask(4, '2026-03-29'), [{ numerator: 2 }], 'a short period looks back beyond its beginning')
  t.match(await ask(2), [{ numerator: 3 }])
  t.match(await ask(8), [{ value: 0, numerator: 0, denominator: 8 }])
})

t.test('weeks count whole for who belongs to P, whenever they came', async t => {
  const joined = people.map(person => ({ ...person, roster: [{ from: 25, to: null, cohorts: [] }] }))
  const tenantId = await seedWorld(db, { people: joined })
  const query = { from: '2026-03-02', to: '2026-03-30' }
  const ask = async (membership: 'at_window_start' | 'at_event') =>
    (await answerMetric(db, learningRetention, { ...query, membership }, { ...asker, tenantId })).results
  t.match(await ask('at_event'), [{ numerator: 2, denominator: 8 }])
  t.match(await ask('at_window_start'), [{ value: null, denominator: 0, nullReason: 'empty_denominator' }])
})

/** The same, who practises on each active day, and is checked on every third day of the calendar. */
const diligent = (person: Person): Person => ({
  ...person,
  days: person.days.map(({ day, counts }) => ({
    day,
    counts: { ...counts, ...practised, ...(day % 3 === 0 ? checked : {}) }
  }))
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, learningRetention, {
    options: fc.record({ weeks: fc.constantFrom(2, 4, 8) }),
    worlds: worlds.map(({ people }) => ({ people: people.map(diligent) })),
    share: ({ days }, { to }, { weeks }) => {
      const within = days.filter(({ day }) => day >= to - 7 * weeks && day < to)
      const practised = within.filter(({ counts }) => (counts.completed_task ?? 0) > 0)
      const each = Array.from({ length: weeks }, (_, nth) => to - 7 * (nth + 1)).every(start =>
        practised.some(({ day }) => day >= start && day < start + 7)
      )
      return { x: each && within.some(({ counts }) => (counts.manager_check_received ?? 0) > 0) ? 1 : 0, y: 1 }
    }
  })
})
