import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { managerChecksDone } from '../../src/metrics/manager-checks-done.js'
import { rebuildPersons } from '../../src/rollup/rebuild-rollups.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import { agreeWithRollups, fivefoldAssigned, seedAssignedWorld } from './assigned-world.js'
import { check, checked, checksOf, example, people, stage } from './scheduled-checks.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const week = { from: '2026-03-09', to: '2026-03-16' }

const ask = async (tenantId: number, query: object = {}) => {
  const { results } = await answerMetric(db, managerChecksDone, { ...week, ...query }, { ...asker, tenantId })
  return results[0]
}

t.test('the worked example: of 30 checks that came due in the week, 15 were done by its end', async t => {
  const tenantId = await seedAssignedWorld(db, fivefoldAssigned(example))
  await db.transaction().execute(trx => rebuildPersons(trx, tenantId, 0))
  for (const consistency of ['eventual', 'strong']) {
    t.match(await ask(tenantId, { consistency }), {
      ...{ value: 0.5, numerator: 15, denominator: 30, n: 15 },
      ci: { method: 't' }
    })
  }
})

t.test(
  'a voided check does nothing, all alike have no spread, and where nothing was due there is no share',
  async t => {
    const world = { people, assignments: [check(0, 20, 21)], deeds: [checked(0, 21, { voided: true })] }
    const tenantId = await seedAssignedWorld(db, fivefoldAssigned(world))
    const query = { from: '2026-03-16', to: '2026-03-30', consistency: 'strong' }
    t.match(await ask(tenantId, query), { value: 0, numerator: 0, denominator: 5, n: 5 })
    const none = await seedAssignedWorld(db, { people, assignments: [], deeds: [] })
    t.match(await ask(none), { value: null, denominator: 0, nullReason: 'empty_denominator' })
  }
)

t.test(
  'any world: the same numbers as counting one learner after another, and the rollups answer what events do',
  async () => {
    await agree(db, managerChecksDone, {
      stage,
      options: fc.constant({}),
      share: (learner, moment, _options, world) => {
        const { due, done } = checksOf(learner, moment, world)
        return { x: done, y: due }
      }
    })
    await agreeWithRollups(db, managerChecksDone, { stage, options: fc.constant({}) })
  }
)
