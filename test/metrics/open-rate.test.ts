import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { openRate } from '../../src/metrics/open-rate.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import { agreeWithRollups } from './assigned-world.js'
import { eventStage, fivefold, iriOf, seedDerivedWorld, seedEventWorld } from './event-world.js'
import { followedShare, followedWorld } from './followed.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const week = { from: '2026-03-02', to: '2026-03-09' }

/** The example of docs/reference/metrics/open-rate.md. */
const example = fivefold(followedWorld('delivered', 'opened'))

t.test('the worked example: 10 of 20 modules that were delivered are opened in the week', async t => {
  const tenantId = await seedDerivedWorld(db, example)
  const ask = async (query: object = {}) => {
    const { results } = await answerMetric(db, openRate, { ...week, ...query }, { ...asker, tenantId })
    return results[0]
  }
  t.match(await ask(), { value: 0.5, numerator: 10, denominator: 20, n: 10 })
  t.match(await ask({ consistency: 'strong' }), { value: 0.5, numerator: 10, denominator: 20, n: 10 })
  t.match(await ask({ module: iriOf(0) }), { value: 1, numerator: 5, denominator: 5, n: 5 })
  // A day later, what learner 2 went on with on 9 March counts as well.
  t.match(await ask({ to: '2026-03-10' }), { numerator: 15, denominator: 20 })
  t.match(await ask({ from: '2026-03-10', to: '2026-03-17' }), { value: null, nullReason: 'empty_denominator' })
})

t.test('the period ends where the day of the query’s zone does, also on a day of 23 hours', async t => {
  const late = (minute: number) => ({ kind: 'opened' as const, by: 0, module: 0, activity: 0, day: 27, minute })
  const world = (minute: number) => {
    const { people } = followedWorld('delivered', 'opened')
    return fivefold({ people, deeds: [{ ...late(60), kind: 'delivered' }, late(minute)] })
  }
  // Berlin's Sunday 29 March 2026 ends at 22:00 UTC.
  for (const [minute, numerator] of [
    [22 * 60 - 1, 5],
    [22 * 60, 0]
  ] as const) {
    const tenantId = await seedEventWorld(db, world(minute))
    const query = { from: '2026-03-29', to: '2026-03-30', tz: 'Europe/Berlin' }
    const { results } = await answerMetric(db, openRate, query, { ...asker, tenantId })
    t.match(results, [{ numerator, denominator: 5 }])
  }
})

const kinds = ['delivered', 'opened'] as const
const stage = { ...eventStage(...kinds), sources: ['events' as const] }

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, openRate, { stage, options: fc.constant({}), share: followedShare(kinds) })
})

t.test('any world: the rollups answer what the events do', async () => {
  await agreeWithRollups(db, openRate, { stage, options: fc.constant({}) })
})
