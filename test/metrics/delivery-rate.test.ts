import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { deliveryRate } from '../../src/metrics/delivery-rate.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import {
  type AssignedWorld,
  assignedStage,
  assignedTo,
  fivefoldAssigned,
  seedAssignedWorld,
  type WorldAssignment
} from './assigned-world.js'
import { type Deed, deedsOf, iriOf } from './event-world.js'
import type { Person } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const week = { from: '2026-03-02', to: '2026-03-09' }

const learner: Person = { known: true, roster: [{ from: null, to: null, cohorts: [] }], days: [] }
const people = Array.from({ length: 4 }, () => learner)

const given = (to: number, activity: number, assigned: number, withdrawn: number | null = null): WorldAssignment => ({
  ...{ to, kind: 'activity', activity, assigned, due: assigned + 14, withdrawn }
})
const delivery = (by: number, activity: number, day: number, more: Partial<Deed> = {}): Deed => ({
  ...{ kind: 'delivered', by, activity, module: activity, day },
  ...more
})

/** The example of docs/reference/metrics/delivery-rate.md. */
const example: AssignedWorld = {
  people,
  assignments: [
    ...[given(0, 0, 0), given(0, 1, 0), given(0, 1, 3), given(0, 2, -1)],
    ...[given(1, 0, 4), given(1, 1, 6), given(2, 0, 1, 1)]
  ],
  deeds: [
    ...[delivery(0, 5, 0, { module: 0 }), delivery(0, 1, 2), delivery(0, 2, 2)],
    ...[delivery(1, 0, 3), delivery(1, 1, 7), delivery(2, 0, 2), delivery(3, 0, 2)]
  ]
}

const ask = async (world: AssignedWorld, query: object = {}) => {
  const tenantId = await seedAssignedWorld(db, fivefoldAssigned(world))
  const { results } = await answerMetric(db, deliveryRate, { ...week, ...query }, { ...asker, tenantId })
  return results[0]
}

t.test('the worked example: 10 of 20 activities assigned in the week are delivered in it', async t => {
  t.match(await ask(example), { value: 0.5, numerator: 10, denominator: 20, n: 10 })
  t.match(await ask(example, { consistency: 'strong' }), { value: 0.5, numerator: 10, denominator: 20, n: 10 })
  t.match(await ask(example, { module: iriOf(0) }), { value: 0.5, numerator: 5, denominator: 10 })
})

t.test('nothing assigned in the period, or only from a later day on: no value, and not 0', async t => {
  const earlier = { people, assignments: [given(0, 0, -1)], deeds: [delivery(0, 0, 1)] }
  t.match(await ask(earlier), { value: null, denominator: 0, nullReason: 'empty_denominator' })
  const later = { people, assignments: [given(0, 0, 29), given(0, 1, 28)], deeds: [] }
  t.match(await ask(later, { from: '2026-03-30', to: '2026-04-06' }), { value: 0, denominator: 5 })
})

t.test('what is voided is not delivered', async t => {
  const world = { people, assignments: [given(0, 0, 0)], deeds: [delivery(0, 0, 1, { voided: true })] }
  t.match(await ask(world), { value: 0, denominator: 5 })
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  const stage = assignedStage('activity', 'delivered', 'delivered', 'opened')
  await agree(db, deliveryRate, {
    stage: { ...stage, sources: ['rollup', 'events'] },
    options: fc.constant({}),
    share: ({ at, countedDays }, moment, _options, world) => {
      const deliveries = deedsOf(world, at, moment).filter(({ kind, day }) => kind === 'delivered' && day < moment.to)
      const begun = assignedTo(world, at, { kind: 'activity', today: moment.today }).filter(({ assigned }) =>
        countedDays.includes(assigned)
      )
      const delivered = begun.filter(({ activity, assigned }) =>
        deliveries.some(deed => deed.day >= assigned && (deed.activity === activity || deed.module === activity))
      )
      const distinct = (all: readonly WorldAssignment[]) => new Set(all.map(({ activity }) => activity)).size
      return { x: distinct(delivered), y: distinct(begun) }
    }
  })
})
