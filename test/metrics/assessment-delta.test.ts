import fc from 'fast-check'
import t from 'tap'
import { answerMetric } from '../../src/metrics/answer.js'
import { assessmentDelta } from '../../src/metrics/assessment-delta.js'
import { testDatabase } from '../support/database.js'
import { agree } from './agreement.js'
import { agreeWithRollups } from './assigned-world.js'
import { type Deed, deedsOf, eventStage, fivefold, seedDerivedWorld, seedEventWorld } from './event-world.js'
import type { Person } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const week = { from: '2026-03-02', to: '2026-03-09' }

const learner: Person = { known: true, roster: [{ from: null, to: null, cohorts: [] }], days: [] }
const people = Array.from({ length: 4 }, () => learner)

const attempt = (by: number, module: number, day: number, scaled: number | null): Deed => ({
  ...{ kind: 'assessed', by, day, activity: module, module, scaled }
})

/** The example of docs/reference/metrics/assessment-delta.md. */
const deeds = [
  attempt(0, 0, 0, 0.4),
  attempt(0, 0, 1, 0.2),
  attempt(0, 0, 2, 0.7),
  attempt(0, 1, 3, 0.6),
  attempt(1, 0, 0, 1),
  attempt(1, 0, 1, 0.9),
  attempt(1, 1, 2, 0.7),
  attempt(1, 1, 3, 0.8),
  attempt(1, 2, 4, 0.7),
  attempt(2, 0, 3, 0.5),
  attempt(2, 0, 9, 1)
]

const ask = async (tenantId: number, options: Record<string, string> = {}, query: object = {}) => {
  const { results } = await answerMetric(db, assessmentDelta, { ...week, ...query, options }, { ...asker, tenantId })
  return results[0]
}

t.test('the worked example: three activities were tried twice or more', async t => {
  const tenantId = await seedDerivedWorld(db, fivefold({ people, deeds }))
  for (const consistency of ['eventual', 'strong']) {
    t.match(await ask(tenantId, {}, { consistency }), {
      ...{ value: 1.5 / 15, numerator: 1.5, denominator: 15, n: 10 },
      details: { improved: 5, declined: 0 }
    })
    // A: 0.3 ÷ 0.6. B began quiz 1 with 1, and gained 0.1 ÷ 0.3 in quiz 2.
    const hake = await ask(tenantId, { of: 'hake' }, { consistency })
    t.equal(hake?.value?.toFixed(9), '0.416666667')
    t.equal(hake?.denominator, 10)
    // A: from 0.4 to 0.6. B: 1, 0.7, 0.7.
    const slope = { value: 0.025, numerator: 0.25, denominator: 10, n: 10 }
    t.match(await ask(tenantId, { of: 'slope' }, { consistency }), slope)
  }
})

t.test('who began with the best score has no gain to make: no value, and not 0', async t => {
  const perfect = fivefold({ people, deeds: [attempt(0, 0, 0, 1), attempt(0, 0, 1, 1)] })
  const tenantId = await seedDerivedWorld(db, perfect)
  t.match(await ask(tenantId, { of: 'hake' }), { value: null, denominator: 0, nullReason: 'empty_denominator' })
  t.match(await ask(tenantId), { value: 0, denominator: 5, n: 5 })
})

t.test('one module is no line, and equal scores are a flat one', async t => {
  const one = await seedEventWorld(db, fivefold({ people, deeds: [attempt(0, 0, 0, 0.1), attempt(0, 0, 1, 0.9)] }))
  t.match(await ask(one, { of: 'slope' }), { value: null, nullReason: 'empty_denominator' })
  const flat = await seedEventWorld(db, fivefold({ people, deeds: [attempt(0, 0, 0, 0.5), attempt(0, 1, 1, 0.5)] }))
  t.match(await ask(flat, { of: 'slope' }), { value: 0, denominator: 5 })
})

/** Σ (i − ī) s ÷ Σ (i − ī)²; of scores and up to three modules of the harness it is exact. */
function slopeOf(scores: readonly number[]): number {
  const middle = (scores.length - 1) / 2
  const squares = scores.reduce((sum, _score, nth) => sum + (nth - middle) ** 2, 0)
  return scores.reduce((sum, score, nth) => sum + (nth - middle) * score, 0) / squares
}

const stage = { ...eventStage('assessed'), sources: ['events' as const] }
const options = fc.record({
  scale: fc.constantFrom('scaled' as const, 'ratio' as const),
  of: fc.constantFrom('difference' as const, 'hake' as const, 'slope' as const)
})

t.test('any world: the rollups answer what the events do', async () => {
  await agreeWithRollups(db, assessmentDelta, { stage, options })
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, assessmentDelta, {
    stage,
    options,
    share: ({ at, countedDays }, moment, { scale, of }, world) => {
      const attempts = deedsOf(world, at, moment).flatMap(deed => {
        const score = deed[scale] ?? null
        const activity = deed.activity ?? null
        if (score === null || activity === null || !countedDays.includes(deed.day)) return []
        return [{ score, part: of === 'slope' ? (deed.module ?? null) : activity }]
      })
      const parts = new Map<number | null, number[]>()
      for (const { score, part } of attempts) parts.set(part, [...(parts.get(part) ?? []), score])
      if (of === 'slope') {
        const scores = [...parts.values()].flatMap(([first]) => first ?? [])
        return scores.length < 2 ? { x: 0, y: 0 } : { x: slopeOf(scores), y: 1 }
      }
      const gains = [...parts.values()].flatMap(scores => {
        const [pre = 0] = scores
        const post = scores.at(-1) ?? 0
        if (scores.length < 2 || (of === 'hake' && pre === 1)) return []
        return [of === 'hake' ? (post - pre) / (1 - pre) : post - pre]
      })
      return { x: gains.reduce((sum, gain) => sum + gain, 0), y: gains.length }
    }
  })
})
