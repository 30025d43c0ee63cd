import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { forumInfluence } from '../../src/metrics/forum-influence.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import { type Deed, eventStage, liveDeeds, rootOf, seedEventWorld } from './event-world.js'
import type { Person } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const week = { from: '2026-03-02', to: '2026-03-09' }

const learner = (team: string): Person => ({
  known: true,
  roster: [{ from: null, to: null, cohorts: [], team }],
  days: []
})
const stranger: Person = { known: true, roster: [], days: [] }

const answer = (by: number, about: number, more: Partial<Deed> = {}): Deed => ({
  ...{ kind: 'replied', by, about, day: 1, activity: 0, module: 0 },
  ...more
})

/** The example of docs/reference/metrics/forum-influence.md: 11 in P, of whom 6 are of team red, and one who is not. */
const people = [...Array.from({ length: 11 }, (_, at) => learner(at < 6 ? 'red' : 'blue')), stranger]
const deeds = [
  answer(1, 0),
  answer(1, 0, { kind: 'endorsed' }),
  answer(2, 0),
  answer(7, 0),
  answer(0, 0),
  answer(11, 0),
  answer(3, 0, { day: 7 }),
  answer(0, 8),
  answer(9, 8, { voided: true }),
  answer(4, 8, { kind: 'posted' })
]

t.test('the worked example: 4 of 110 ordered pairs of people', async t => {
  const tenantId = await seedEventWorld(db, { people, deeds })
  const { results } = await answerMetric(db, forumInfluence, week, { ...asker, tenantId })
  t.match(results, [{ value: 4 / 110, numerator: 4, denominator: 110, n: 11, details: { answered: 2 } }])
})

t.test('broken down, N stays that of the whole target population', async t => {
  const tenantId = await seedEventWorld(db, { people, deeds })
  const query = { ...week, breakdown: 'team' }
  const { results } = await answerMetric(db, forumInfluence, query, { ...asker, tenantId })
  t.match(results, [
    { dimensions: { team: 'blue' }, value: 1 / 50, denominator: 50, n: 5 },
    { dimensions: { team: 'red' }, value: 3 / 60, denominator: 60, n: 6 }
  ])
})

t.test('one person has nobody to move: no value, and not 0', async t => {
  const tenantId = await seedEventWorld(db, { people: [learner('red'), stranger], deeds: [answer(1, 0)] })
  const { results } = await answerMetric(db, forumInfluence, week, { ...asker, tenantId })
  t.match(results, [{ value: null, denominator: 0, n: 0, nullReason: 'empty_denominator' }])
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, forumInfluence, {
    stage: eventStage('replied', 'endorsed', 'posted'),
    options: fc.constant({}),
    share: ({ at, countedDays, population }, { today }, _options, world) => {
      const givers = liveDeeds(world, today)
        .filter(({ kind, day }) => kind !== 'posted' && countedDays.includes(day))
        .filter(({ about = null }) => about !== null && rootOf(world, about) === at)
        .map(({ by }) => rootOf(world, by))
        .filter(giver => giver !== at && population.has(giver))
      return { x: new Set(givers).size, y: population.size - 1 }
    }
  })
})
