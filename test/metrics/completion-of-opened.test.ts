import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { completionOfOpened } from '../../src/metrics/completion-of-opened.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import { agreeWithRollups } from './assigned-world.js'
import { eventStage, fivefold, iriOf, seedDerivedWorld } from './event-world.js'
import { followedShare, followedWorld } from './followed.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const week = { from: '2026-03-02', to: '2026-03-09' }

/** The example of docs/reference/metrics/completion-of-opened.md. */
const example = fivefold(followedWorld('opened', 'completed-task'))

t.test('the worked example: a task is completed in 10 of 20 modules that were opened', async t => {
  const tenantId = await seedDerivedWorld(db, example)
  const ask = async (query: object = {}) => {
    const { results } = await answerMetric(db, completionOfOpened, { ...week, ...query }, { ...asker, tenantId })
    return results[0]
  }
  t.match(await ask(), { value: 0.5, numerator: 10, denominator: 20, n: 10 })
  t.match(await ask({ consistency: 'strong' }), { value: 0.5, numerator: 10, denominator: 20, n: 10 })
  t.match(await ask({ module: iriOf(0) }), { value: 1, numerator: 5, denominator: 5, n: 5 })
  // A day later, what learner 2 went on with on 9 March counts as well.
  t.match(await ask({ to: '2026-03-10' }), { numerator: 15, denominator: 20 })
  t.match(await ask({ from: '2026-03-10', to: '2026-03-17' }), { value: null, nullReason: 'empty_denominator' })
})

const kinds = ['opened', 'completed-task'] as const
const stage = { ...eventStage(...kinds), sources: ['events' as const] }

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, completionOfOpened, { stage, options: fc.constant({}), share: followedShare(kinds) })
})

t.test('any world: the rollups answer what the events do', async () => {
  await agreeWithRollups(db, completionOfOpened, { stage, options: fc.constant({}) })
})
