import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { doneOfDue } from '../../src/metrics/due-checks.js'
import type { Metric } from '../../src/metrics/metric.js'
import { outstandingManagerChecks } from '../../src/metrics/outstanding-manager-checks.js'
import { rebuildPersons } from '../../src/rollup/rebuild-rollups.js'
import { testDatabase } from '../support/database.js'
import { agree, type NaiveLearner, type NaiveMoment } from './agreement.js'
import {
  type AssignedWorld,
  agreeWithRollups,
  assignedStage,
  fivefoldAssigned,
  holdsOn,
  seedAssignedWorld,
  type WorldAssignment
} from './assigned-world.js'
import { type Deed, liveDeeds, rootOf } from './event-world.js'
import type { Person } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const week = { from: '2026-03-09', to: '2026-03-16' }

const learner: Person = { known: true, roster: [{ from: null, to: null, cohorts: [] }], days: [] }
const people = Array.from({ length: 5 }, () => learner)

const check = (to: number, assigned: number, due: number, withdrawn: number | null = null): WorldAssignment => ({
  ...{ to, kind: 'manager-check', activity: 0, assigned, due, withdrawn }
})
const checked = (about: number, day: number, more: Partial<Deed> = {}): Deed => ({
  ...{ kind: 'manager-check', by: 4, about, day },
  ...more
})

/** The example of docs/reference/metrics/outstanding-manager-checks.md; day 7 is Monday 9 March. */
const example: AssignedWorld = {
  people,
  assignments: [
    ...[check(0, 0, 9), check(0, 8, 11), check(0, 12, 13), check(0, 12, 14)],
    ...[check(1, 2, 8), check(1, 2, 8), check(1, 10, 4)],
    ...[check(2, 0, 12, 12), check(2, 0, 12, 13)]
  ],
  deeds: [checked(0, 10), checked(1, 1), checked(1, 14), checked(2, 3), checked(3, 9)]
}

/** What `done ÷ due` is made of. */
const doneShare: Metric = { ...outstandingManagerChecks, calculation: 'ratio', counting: doneOfDue }

const ask = async (tenantId: number, query: object = {}, metric: Metric = outstandingManagerChecks) => {
  const { results } = await answerMetric(db, metric, { ...week, ...query }, { ...asker, tenantId })
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
    t.match(await ask(tenantId, { consistency }, doneShare), { value: 0.5, numerator: 15, denominator: 30, n: 15 })
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

t.test('where nothing was due, nothing is outstanding, and no share of it is done', async t => {
  const tenantId = await seedAssignedWorld(db, { people, assignments: [], deeds: [] })
  t.match(await ask(tenantId), { value: 0, n: 5, details: { due: 0, done: 0 } })
  t.match(await ask(tenantId, {}, doneShare), { value: null, nullReason: 'empty_denominator' })
})

const stage = assignedStage('manager-check', 'manager-check')

/** A learner's checks that came due, one a day, and those of them that were done. */
function checksOf({ at, countedDays }: NaiveLearner, { to, today }: NaiveMoment, world: AssignedWorld) {
  const received = liveDeeds(world, today)
    .filter(({ kind, about, day }) => kind === 'manager-check' && rootOf(world, about ?? -1) === at && day < to)
    .map(({ day }) => day)
  const due = new Map<number, number>()
  for (const given of world.assignments) {
    const day = Math.max(given.due, given.assigned)
    const counts = given.kind === 'manager-check' && rootOf(world, given.to) === at && holdsOn(given, day)
    if (counts && day <= today && countedDays.includes(day)) {
      due.set(day, Math.min(due.get(day) ?? day, given.assigned))
    }
  }
  const done = [...due.values()].filter(assigned => received.some(day => day >= assigned))
  return { due: due.size, done: done.length }
}

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, outstandingManagerChecks, {
    stage,
    options: fc.constant({}),
    share: (learner, moment, _options, world) => {
      const { due, done } = checksOf(learner, moment, world)
      return { x: due - done, y: 1 }
    }
  })
  await agree(
    db,
    doneShare,
    {
      stage,
      options: fc.constant({}),
      share: (learner, moment, _options, world) => {
        const { due, done } = checksOf(learner, moment, world)
        return { x: done, y: due }
      }
    },
    50
  )
})

t.test('any world: the rollups answer what the events do', async () => {
  await agreeWithRollups(db, outstandingManagerChecks, { stage, options: fc.constant({}) })
})
