import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { outstandingManagerChecks } from '../../src/metrics/outstanding-manager-checks.js'
import { rebuildPersons } from '../../src/rollup/rebuild-rollups.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import { agreeWithRollups, fivefoldAssigned, seedAssignedWorld } from './assigned-world.js'
import { check, checked, checksOf, example, people, stage } from './scheduled-checks.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const week = { from: '2026-03-09', to: '2026-03-16' }

const ask = async (tenantId: number, query: object = {}) => {
  const { results } = await answerMetric(db, outstandingManagerChecks, { ...week, ...query }, { ...asker, tenantId })
  return results[0]
}

t.test('the worked example: of 30 checks that came due in the week, 15 are not done by its end', async t => {
  const tenantId = await seedAssignedWorld(db, fivefoldAssigned(example))
  await db.transaction().execute(trx => rebuildPersons(trx, tenantId, 0))
  for (const consistency of ['eventual', 'strong']) {
    t.match(await ask(tenantId, { consistency }), {
      ...{ value: 15, numerator: 15, denominator: null, n: 25, ci: null },
      details: { due: 30, done: 15 }
    })
  }
})

t.test('a check of a day to come is not due, and a voided one is not done', async t => {
  const world = {
    people,
    assignments: [check(0, 20, 27), check(0, 20, 28), check(0, 20, 29)],
    deeds: [checked(0, 21, { voided: true })]
  }
  const tenantId = await seedAssignedWorld(db, fivefoldAssigned(world))
  const query = { from: '2026-03-23', to: '2026-04-06', consistency: 'strong' }
  t.match(await ask(tenantId, query), { value: 10, details: { due: 10, done: 0 } })
})

t.test('where nothing was due, nothing is outstanding', async t => {
  const tenantId = await seedAssignedWorld(db, { people, assignments: [], deeds: [] })
  t.match(await ask(tenantId), { value: 0, n: 5, details: { due: 0, done: 0 } })
})

t.test(
  'any world: the same numbers as counting one learner after another, and the rollups answer what events do',
  async () => {
    await agree(db, outstandingManagerChecks, {
      stage,
      options: fc.constant({}),
      share: (learner, moment, _options, world) => {
        const { due, done } = checksOf(learner, moment, world)
        return { x: due - done, y: 1 }
      }
    })
    await agreeWithRollups(db, outstandingManagerChecks, { stage, options: fc.constant({}) })
  }
)
