import { strictEqual } from 'node:assert'
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { forumInteractions } from '../../src/metrics/forum-interactions.js'
import type { MetricQuery } from '../../src/metrics/resolve-query.js'
import { testApp } from '../support/app.js'
import { voiding } from '../support/statements.js'
import { agree } from './agreement.js'
import { about, agentOf, did } from './did.js'
import { learner } from './learner.js'
import { seedEvents } from './seed-events.js'
import { dateOf, seedWorld } from './world.js'

const { db, tenantId, post, putPeople, drain } = await testApp(t, { timeZone: 'America/New_York' })

const asker = { timeZone: 'America/New_York', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }

t.test('the worked example: 7 interactions of 5 learners, who helped 3 people', async t => {
  const names = ['ada', 'ben', 'cleo', 'dora', 'eve']
  await putPeople([
    ...names.map(name => ({ personId: name, agents: [agentOf(name)] })),
    { personId: 'fay', agents: [agentOf('fay'), agentOf('fay-at-home')], leftOn: '2026-01-31' }
  ])
  const voided = { ...did('replied', 'dora', '2026-03-04T12:00:00Z', about('ada')), id: randomUUID() }
  const other = { object: { id: 'https://example.org/modules/other' } }
  await post([
    did('posted', 'ada', '2026-03-02T12:00:00Z'),
    did('replied', 'ada', '2026-03-02T13:00:00Z', about('fay')),
    did('endorsed', 'ada', '2026-03-03T13:00:00Z', about('fay-at-home')),
    did('replied', 'ben', '2026-03-04T13:00:00Z', about('ben')),
    // The clock goes forward on 8 March: in New York the day ends at 04:00 UTC, and the window with it.
    did('replied', 'ben', '2026-03-09T03:59:59Z', { ...about('cleo'), ...other }),
    did('endorsed', 'ben', '2026-03-09T04:00:00Z', about('dora')),
    did('endorsed', 'cleo', '2026-03-05T12:00:00Z', about('nobody-we-know')),
    did('posted', 'cleo', '2026-03-05T12:00:00Z', about('ada')),
    did('replied', 'eve', '2026-04-05T12:00:00Z', about('ada')),
    voided,
    voiding(voided.id)
  ])
  await drain()
  const ask = async (of: string | undefined, query: MetricQuery = {}) => {
    const options = of === undefined ? {} : { of }
    const asked = { from: '2026-03-02', to: '2026-03-09', ...query, options }
    return (await answerMetric(db, forumInteractions, asked, { ...asker, tenantId })).results
  }
  t.match(await ask(undefined), [
    { value: 7 / 5, numerator: 7, denominator: 5, n: 5, details: { learners: 3, median: 2 } }
  ])
  t.match(await ask('all', { consistency: 'strong' }), [{ numerator: 7 }])
  t.match(await ask('posted'), [{ value: 0.4, numerator: 2, details: { learners: 2, median: 0 } }])
  t.match(await ask('replied'), [{ numerator: 3 }])
  t.match(await ask('endorsed'), [{ numerator: 2 }])
  t.match(await ask('people-helped'), [
    { value: 0.6, numerator: 3, denominator: 5, details: { learners: 3, median: 1 } }
  ])
  t.match(await ask('people-helped', { tz: 'UTC' }), [{ numerator: 2 }], 'in London it was 9 March')
  t.match(await ask('people-helped', { module: other.object.id }), [{ numerator: 1 }])
  t.match(await ask('people-helped', { to: '2026-04-10' }), [{ numerator: 4 }], 'what lies ahead waits for its time')
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  const kinds = {
    all: ['posted', 'replied', 'endorsed'],
    posted: ['posted'],
    replied: ['replied'],
    endorsed: ['endorsed']
  }
  const of = fc.constantFrom<'all' | 'posted' | 'replied' | 'endorsed'>('all', 'posted', 'replied', 'endorsed')
  await agree(db, forumInteractions, {
    options: fc.record({ of }) as fc.Arbitrary<{ of: keyof typeof kinds }>,
    share: ({ days, countedDays }, _moment, { of }) => {
      const counts = days.filter(({ day }) => countedDays.includes(day)).flatMap(({ counts }) => Object.entries(counts))
      const wanted: readonly string[] = kinds[of as keyof typeof kinds]
      return { x: counts.reduce((sum, [column, count]) => sum + (wanted.includes(column) ? count : 0), 0), y: 1 }
    }
  })
})

t.test('any events: the same people helped as counting one learner after another', async () => {
  const people = [1, 2, 3, 4, 5].map(() => learner())
  const events = fc.array(
    fc.record({
      at: fc.nat(4),
      kind: fc.constantFrom('posted', 'replied', 'endorsed'),
      day: fc.nat(9),
      subject: fc.option(fc.nat(5))
    }),
    { maxLength: 40 }
  )
  const property = fc.asyncProperty(events, async events => {
    const tenantId = await seedWorld(db, { people })
    await seedEvents(
      db,
      tenantId,
      events.map(({ day, ...event }) => ({ ...event, timestamp: `${dateOf(day)}T12:00:00Z` }) as never)
    )
    const query = { from: dateOf(2), to: dateOf(8), options: { of: 'people-helped' } }
    const { results } = await answerMetric(db, forumInteractions, query, { ...asker, timeZone: 'UTC', tenantId })
    // Somebody outside the roster has two agents that nobody joined: each counts for itself.
    const helped = events.flatMap(({ at, kind, day, subject }, nth) => {
      if (kind === 'posted' || subject === null || subject === at || day < 2 || day >= 8) return []
      const side = Math.floor((nth + 1) / 2) % 2
      return [`${at} ${subject === 5 ? `nobody ${side}` : subject}`]
    })
    strictEqual(results[0]?.numerator, new Set(helped).size)
  })
  await fc.assert(property, { numRuns: 60 })
})
