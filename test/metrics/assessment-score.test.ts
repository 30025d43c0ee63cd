import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { assessmentScore } from '../../src/metrics/assessment-score.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import { agreeWithRollups } from './assigned-world.js'
import { type Deed, deedsOf, eventStage, fivefold, iriOf, seedDerivedWorld, seedEventWorld } from './event-world.js'
import type { Person } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const week = { from: '2026-03-02', to: '2026-03-09' }

const learner: Person = { known: true, roster: [{ from: null, to: null, cohorts: [] }], days: [] }
const people = Array.from({ length: 5 }, () => learner)

const attempt = (by: number, activity: number, day: number, scaled: number | null, more: Partial<Deed> = {}): Deed => ({
  ...{ kind: 'assessed', by, day, activity, module: 7, scaled },
  ...more
})

/** The example of docs/reference/metrics/assessment-score.md. */
const deeds = [
  attempt(0, 0, 0, 0.4),
  attempt(0, 0, 2, 0.9),
  attempt(0, 1, 1, 0.7),
  attempt(1, 0, 3, 0.8),
  attempt(1, 0, 3, 0.6, { minute: 5 }),
  attempt(2, 1, 4, null, { ratio: 0.5 }),
  attempt(3, 0, 7, 1)
]

const ask = async (tenantId: number, options: Record<string, string>, query: object = {}) => {
  const { results } = await answerMetric(db, assessmentScore, { ...week, ...query, options }, { ...asker, tenantId })
  return results[0]
}

t.test('the worked example: 15 activities of 10 learners have scores that add up to 11', async t => {
  const tenantId = await seedDerivedWorld(db, fivefold({ people, deeds }))
  for (const consistency of ['eventual', 'strong']) {
    t.match(await ask(tenantId, {}, { consistency }), {
      ...{ value: 11 / 15, numerator: 11, denominator: 15, n: 10 },
      details: { coverage: 0.4, onOtherScale: 5 }
    })
    t.match(await ask(tenantId, { policy: 'first' }, { consistency }), { value: 9.5 / 15 })
    t.match(await ask(tenantId, { policy: 'best' }, { consistency }), { value: 12 / 15 })
    const details = { coverage: 0.2, onOtherScale: 25 }
    t.match(await ask(tenantId, { scale: 'ratio' }, { consistency }), { value: 0.5, n: 5, details })
  }
})

t.test('nobody with a score: no value, and not 0', async t => {
  const tenantId = await seedDerivedWorld(db, fivefold({ people, deeds: [attempt(0, 0, 9, 1)] }))
  t.match(await ask(tenantId, {}), { value: null, denominator: 0, n: 0, nullReason: 'empty_denominator' })
})

t.test('what is voided, still to come, without a score or without an activity counts nowhere', async t => {
  const tenantId = await seedEventWorld(
    db,
    fivefold({
      people,
      deeds: [
        attempt(0, 0, 0, 0.5),
        attempt(0, 0, 1, 1, { voided: true }),
        attempt(0, 0, 6, null),
        attempt(1, 0, 28, 1, { minute: 606 }),
        attempt(2, 0, 3, 1, { activity: null, module: null })
      ]
    })
  )
  const query = { to: '2026-04-01', consistency: 'strong' }
  t.match(await ask(tenantId, {}, query), { value: 0.5, numerator: 2.5, denominator: 5, n: 5 })
})

t.test('of equal scores at the same instant the one stored later is the last', async t => {
  const tenantId = await seedDerivedWorld(
    db,
    fivefold({ people, deeds: [attempt(0, 0, 0, 0.2), attempt(0, 0, 0, 0.9)] })
  )
  t.match(await ask(tenantId, {}), { value: 0.9 })
  t.match(await ask(tenantId, { policy: 'first' }), { value: 0.2 })
})

t.test('a module, and a zone in which the clocks change, are of the query', async t => {
  const tenantId = await seedEventWorld(
    db,
    fivefold({
      people,
      // 23:30 on Sunday 29 March in Berlin, a day of 23 hours, and half past midnight the day after.
      deeds: [attempt(0, 0, 27, 0.5, { minute: 21.5 * 60 }), attempt(0, 1, 27, 1, { minute: 22.5 * 60, module: 3 })]
    })
  )
  const sunday = { from: '2026-03-29', to: '2026-03-30' }
  t.match(await ask(tenantId, {}, { ...sunday, tz: 'Europe/Berlin' }), { value: 0.5, denominator: 5 })
  t.match(await ask(tenantId, {}, { ...sunday, module: iriOf(3) }), { value: 1, denominator: 5 })
})

const stage = { ...eventStage('assessed', 'assessed', 'completed'), sources: ['events' as const] }
const options = fc.record({
  scale: fc.constantFrom('scaled' as const, 'ratio' as const),
  policy: fc.constantFrom('first' as const, 'last' as const, 'best' as const)
})

t.test('any world: the rollups answer what the events do', async () => {
  await agreeWithRollups(db, assessmentScore, { stage, options })
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, assessmentScore, {
    stage,
    options,
    share: ({ at, countedDays }, moment, { scale, policy }, world) => {
      const scores = new Map<number, number[]>()
      for (const deed of deedsOf(world, at, moment)) {
        const score = deed[scale] ?? null
        const activity = deed.activity ?? null
        if (deed.kind !== 'assessed' || score === null || activity === null || !countedDays.includes(deed.day)) continue
        scores.set(activity, [...(scores.get(activity) ?? []), score])
      }
      const chosen = [...scores.values()].map(all =>
        policy === 'best' ? Math.max(...all) : (all.at(policy === 'first' ? 0 : -1) ?? 0)
      )
      return { x: chosen.reduce((sum, score) => sum + score, 0), y: chosen.length }
    }
  })
})
