import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { completionRate } from '../../src/metrics/completion-rate.js'
import { rebuildPersons } from '../../src/rollup/rebuild-rollups.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import {
  type AssignedWorld,
  agreeWithRollups,
  assignedStage,
  assignedTo,
  fivefoldAssigned,
  holdsOn,
  seedAssignedWorld,
  type WorldAssignment
} from './assigned-world.js'
import { type Deed, deedsOf, iriOf } from './event-world.js'
import type { Person } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const week = { from: '2026-03-09', to: '2026-03-16' }

const learner: Person = { known: true, roster: [{ from: null, to: null, cohorts: [] }], days: [] }
const people = Array.from({ length: 5 }, () => learner)

const given = (to: number, activity: number, assigned: number, withdrawn: number | null = null): WorldAssignment => ({
  ...{ to, kind: 'activity', activity, assigned, due: assigned + 14, withdrawn }
})
const deed = (kind: Deed['kind'], by: number, activity: number, day: number, more: Partial<Deed> = {}): Deed => ({
  ...{ kind, by, activity, module: 7, day },
  ...more
})

/** The example of docs/reference/metrics/completion-rate.md; day 7 is Monday 9 March. */
const example: AssignedWorld = {
  people,
  assignments: [
    ...[given(0, 0, 0), given(0, 1, 3), given(0, 1, 8)],
    ...[given(1, 0, 0), given(1, 1, 0, 7)],
    ...[given(2, 0, 13), given(3, 0, 14)]
  ],
  deeds: [
    ...[deed('started', 0, 0, 1), deed('completed', 0, 0, 2), deed('started', 0, 1, 9)],
    ...[deed('completed', 1, 0, 13), deed('started', 1, 3, 4)],
    ...[deed('completed-task', 2, 0, 13), deed('completed', 2, 0, 14), deed('completed', 4, 2, 8)]
  ]
}

const ask = async (tenantId: number, query: object = {}) => {
  const { results } = await answerMetric(db, completionRate, { ...week, ...query }, { ...asker, tenantId })
  return results[0]
}
const seed = (world: AssignedWorld, timeZone?: string) => seedAssignedWorld(db, fivefoldAssigned(world), timeZone)
const strong = { consistency: 'strong' as const }

t.test('the worked example: 10 of 20 activities that are assigned in the week are completed by its end', async t => {
  const tenantId = await seed(example)
  await db.transaction().execute(trx => rebuildPersons(trx, tenantId, 0))
  for (const consistency of ['eventual', 'strong']) {
    t.match(await ask(tenantId, { consistency }), {
      ...{ value: 0.5, numerator: 10, denominator: 20, n: 15 },
      details: { denominator: 'assigned' }
    })
    t.match(await ask(tenantId, { consistency, options: { denominator: 'started' } }), {
      ...{ value: 0.6, numerator: 15, denominator: 25, n: 15 },
      details: { denominator: 'started' }
    })
  }
})

t.test('without an assignment on any day of the query, what was started is divided by, and said', async t => {
  const none = await seed({ ...example, assignments: [] })
  t.match(await ask(none, strong), { value: 0.6, denominator: 25, details: { denominator: 'started' } })
  const before = await seed({
    ...example,
    assignments: [given(3, 0, 0, 7), { ...given(3, 0, 8), kind: 'manager-check' }]
  })
  t.match(await ask(before, strong), { value: 0.6, details: { denominator: 'started' } })
  t.match(await ask(before, { ...strong, from: '2026-03-08' }), { value: 0, details: { denominator: 'assigned' } })
  const asked = { ...strong, options: { denominator: 'assigned' } }
  t.match(await ask(before, asked), { value: null, denominator: 0, nullReason: 'empty_denominator' })
})

t.test('one denominator for the whole query, also for weeks in which nothing was assigned', async t => {
  const tenantId = await seed({ people, assignments: [given(0, 0, 7)], deeds: [deed('completed', 0, 0, 1)] })
  const query = { from: '2026-03-02', to: '2026-03-16', interval: 'week' as const, ...strong }
  const { results } = await answerMetric(db, completionRate, query, { ...asker, tenantId })
  t.match(results, [
    { value: null, nullReason: 'empty_denominator' },
    { value: 1, details: { denominator: 'assigned' } }
  ])
})

t.test('what is voided, still to come or of a learner’s own past name: only live completions count', async t => {
  const merged = (into: number): Person => ({ ...learner, mergedInto: into })
  const world = {
    people: [learner, learner, learner, learner, learner, ...[0, 1, 2, 3, 4].map(merged)],
    assignments: [0, 1, 2, 3, 4].flatMap(at => [
      given(at, 0, 0),
      given(at + 5, 0, 2),
      given(at, 1, 0),
      given(at, 2, 0)
    ]),
    deeds: [0, 1, 2, 3, 4].flatMap(at => [
      deed('completed', at + 5, 0, 8),
      deed('completed', at, 1, 8, { voided: true }),
      deed('completed', at, 2, 28, { minute: 606 })
    ])
  }
  const tenantId = await seedAssignedWorld(db, world)
  t.match(await ask(tenantId, { ...strong, to: '2026-04-01' }), { numerator: 5, denominator: 15, n: 5 })
})

t.test('a module, and a zone in which the clocks change, are of the query', async t => {
  // 23:30 on Sunday 29 March in Berlin, a day of 23 hours, and half past midnight the day after.
  const late = [deed('completed', 0, 0, 27, { minute: 21.5 * 60 }), deed('completed', 0, 1, 27, { minute: 22.5 * 60 })]
  const tenantId = await seed({ people, assignments: [given(0, 0, 20), given(0, 1, 20)], deeds: late })
  const sunday = { from: '2026-03-29', to: '2026-03-30' }
  t.match(await ask(tenantId, { ...sunday, tz: 'Europe/Berlin' }), { numerator: 5, denominator: 10 })
  t.match(await ask(tenantId, { ...sunday, tz: 'UTC', ...strong }), { numerator: 10, denominator: 10 })
  t.match(await ask(tenantId, { ...sunday, module: iriOf(0) }), { numerator: 0, denominator: 5 })
  const started = { ...sunday, options: { denominator: 'started' } }
  t.match(await ask(tenantId, { ...started, module: iriOf(7) }), { numerator: 10, denominator: 10 })
})

t.test('by the rollups too, a midnight that comes twice begins the day the first time', async t => {
  // In Havana clocks went back from 1:00 to 0:00 on Sunday 2 November 2025; half past midnight came at 4:30 UTC first.
  const tenantId = await seed(
    { people, assignments: [], deeds: [deed('started', 0, 0, -120, { minute: 270 })] },
    'America/Havana'
  )
  await db.transaction().execute(trx => rebuildPersons(trx, tenantId, 0))
  for (const consistency of ['eventual', 'strong']) {
    t.match(await ask(tenantId, { consistency, from: '2025-11-01', to: '2025-11-02' }), { denominator: 0 })
    t.match(await ask(tenantId, { consistency, from: '2025-11-02', to: '2025-11-03' }), { denominator: 5 })
  }
})

t.test(
  'what is completed within minutes of now is completed by the period’s end, also if that is tomorrow',
  async t => {
    const tomorrow = { minute: 2 }
    const deeds = [deed('started', 0, 0, 7), deed('completed', 0, 0, 8, tomorrow), deed('completed', 0, 1, 8, tomorrow)]
    const tenantId = await seed({ people, assignments: [], deeds })
    await db.transaction().execute(trx => rebuildPersons(trx, tenantId, 0))
    for (const consistency of ['eventual', 'strong'] as const) {
      const evening = { ...asker, tenantId, asOf: new Date('2026-03-09T23:58:00Z') }
      const { results } = await answerMetric(db, completionRate, { ...week, consistency }, evening)
      t.match(results, [{ numerator: 5, denominator: 5 }])
    }
  }
)

const stage = assignedStage('activity', 'started', 'completed', 'completed', 'completed-task')
const denominators = fc.record({ denominator: fc.constantFrom('assigned' as const, 'started' as const) })

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, completionRate, {
    stage,
    options: denominators,
    share: ({ at, countedDays }, moment, { denominator }, world) => {
      const days = countedDays.filter(day => day <= moment.today)
      const deeds = deedsOf(world, at, moment).filter(({ kind }) => kind === 'started' || kind === 'completed')
      const assigned = assignedTo(world, at, { kind: 'activity', today: moment.today })
      const pairs = [0, 1, 2, 3].filter(activity =>
        denominator === 'assigned'
          ? assigned.some(given => given.activity === activity && days.some(day => holdsOn(given, day)))
          : deeds.some(deed => deed.activity === activity && days.some(day => deed.day <= day))
      )
      const completed = pairs.filter(activity =>
        deeds.some(deed => deed.kind === 'completed' && deed.activity === activity && deed.day < moment.to)
      )
      return { x: completed.length, y: pairs.length }
    }
  })
})

t.test('a learner of two cohorts has each pair once in either', async t => {
  const both: Person = { known: true, roster: [{ from: null, to: null, cohorts: ['north', 'south'] }], days: [] }
  const tenantId = await seed({
    people: people.map(() => both),
    assignments: [given(0, 0, 0)],
    deeds: [deed('completed', 0, 0, 8)]
  })
  await db.transaction().execute(trx => rebuildPersons(trx, tenantId, 0))
  for (const consistency of ['eventual', 'strong'] as const) {
    const query = { ...week, consistency, breakdown: 'cohort' }
    const { results } = await answerMetric(db, completionRate, query, { ...asker, tenantId })
    t.match(results, [
      { dimensions: { cohort: 'north' }, numerator: 5, denominator: 5 },
      { dimensions: { cohort: 'south' }, numerator: 5, denominator: 5 }
    ])
  }
})

t.test('any world: the rollups answer what the events do', async () => {
  const auto = fc.record({ denominator: fc.constantFrom('auto' as const, 'started' as const) })
  await agreeWithRollups(db, completionRate, { stage, options: auto })
})
