import { strictEqual } from 'node:assert'
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { DateTime } from 'luxon'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import type { MetricQuery } from '../../src/metrics/resolve-query.js'
import { sessionStarts } from '../../src/metrics/session-starts.js'
import { testApp } from '../support/app.js'
import { voiding } from '../support/statements.js'
import { agentOf, did } from './did.js'
import { learner } from './learner.js'
import { seedEvents } from './seed-events.js'
import { seedWorld } from './world.js'

const berlin = 'Europe/Berlin'
const { db, tenantId, post, putPeople, drain } = await testApp(t, { timeZone: berlin })
const asker = { timeZone: berlin, minGroupSize: 5, within: null, asOf: new Date('2026-04-20T10:00:00Z') }

t.test('the worked example: a longer pause makes fewer sessions', async t => {
  const names = ['ada', 'ben', 'cleo', 'dora', 'eve']
  await putPeople(names.map(name => ({ personId: name, agents: [agentOf(name)] })))
  const voided = { ...did('opened', 'dora', '2026-03-28T12:00:00Z'), id: randomUUID() }
  await post([
    did('opened', 'ada', '2026-03-28T09:00:00Z'),
    did('completed-task', 'ada', '2026-03-28T09:20:00Z'),
    did('visited', 'ada', '2026-03-28T09:50:00Z'),
    did('posted', 'ada', '2026-03-28T10:40:00Z', { object: { id: 'https://example.org/modules/other' } }),
    // Over midnight, and through the hour that the clock jumps over.
    did('opened', 'ben', '2026-03-28T22:50:00Z'),
    did('opened', 'ben', '2026-03-28T23:10:00Z'),
    did('opened', 'ben', '2026-03-29T00:55:00Z'),
    did('opened', 'ben', '2026-03-29T01:05:00Z'),
    did('delivered', 'cleo', '2026-03-28T12:00:00Z'),
    voided,
    voiding(voided.id)
  ])
  const ask = async (query: MetricQuery) => {
    const window = { from: '2026-03-28', to: '2026-03-30' }
    const { results } = await answerMetric(db, sessionStarts, { ...window, ...query }, { ...asker, tenantId })
    return results[0]
  }
  const gap = (gapMinutes: number, query: MetricQuery = {}) => ask({ ...query, options: { gapMinutes } })
  t.match(await gap(15), { value: 7, numerator: 7, denominator: null, n: 5, ci: null })
  t.match(await gap(30, { consistency: 'strong' }), { value: 4, details: { learners: 2, median: 2 } })
  t.match(await gap(60), { value: 3, details: { learners: 2, median: 1.5 } })
  t.match(await gap(60, { module: 'https://example.org/modules/other' }), { value: 1 })
  t.match(await gap(60, { from: '2026-03-29' }), { value: 1 }, 'a session belongs to the day on which it began')
  t.match(await gap(60, { tz: 'UTC', from: '2026-03-29' }), { value: 1 }, 'and that day to the zone')
  t.match(await ask({}), { value: 0 }, 'no worker has run')
  await drain()
  t.match(await ask({}), { value: 4 })
})

t.test('any events: the same number as cutting one learner after another, whatever the pause', async () => {
  const people = [1, 2, 3, 4, 5].map(() => learner())
  const begin = Date.parse('2026-03-28T20:00:00Z')
  const events = fc.array(fc.record({ at: fc.nat(4), minutes: fc.nat(24 * 12).map(fives => fives * 5) }), {
    maxLength: 60
  })
  const property = fc.asyncProperty(events, fc.constantFrom(15, 30, 60), fc.nat(2), async (events, gap, day) => {
    const tenantId = await seedWorld(db, { people }, berlin)
    const instants = events.map(({ at, minutes }) => ({ at, instant: begin + minutes * 60_000 }))
    await seedEvents(
      db,
      tenantId,
      instants.map(({ at, instant }) => ({ at, kind: 'visited', timestamp: new Date(instant).toISOString() }))
    )
    const from = `2026-03-${28 + day}`
    const query = { from, to: '2026-03-31', options: { gapMinutes: gap }, consistency: 'strong' } as const
    const { results } = await answerMetric(db, sessionStarts, query, { ...asker, tenantId })
    const starts = people.flatMap((_person, at) => {
      const own = [...new Set(instants.filter(event => event.at === at).map(({ instant }) => instant))]
      const first = own.filter(instant => !own.some(other => other < instant && instant - other <= gap * 60_000))
      return first.filter(instant => (DateTime.fromMillis(instant, { zone: berlin }).toISODate() ?? '') >= from)
    })
    strictEqual(results[0]?.value, starts.length)
  })
  await fc.assert(property, { numRuns: 60 })
})
