import { deepStrictEqual as deepEqual, ok } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import {
  countRetention,
  prepareRetention,
  type RetentionType,
  retentionTypes
} from '../../../src/metrics/journeys/retention.js'
import { testDatabase } from '../../support/database.js'
import { type Person, questions, seedWorld, type World, worlds } from '../world.js'
import { activities, answering, deeds, requestOf, seedDeeds, timeZones, within } from './events.js'
import { naiveRetention } from './naive-activity.js'

const { db } = await testDatabase(t)
const answerRetention = answering(prepareRetention)

function learner(...activeDays: number[]): Person {
  return {
    known: true,
    roster: [{ from: null, to: null, cohorts: [] }],
    days: activeDays.map(day => ({ day, counts: { visited: 1 } }))
  }
}

/** The example of docs/reference/metrics/retention.md, in days from Monday 2 March: six who began then, five a week later. */
const example: World = {
  people: [
    learner(0, 7, 14),
    learner(6, 7, 21),
    learner(3, 15),
    learner(1, 6, 27),
    learner(2, 8),
    learner(5),
    learner(7, 14),
    learner(8, 13),
    learner(9, 16, 22),
    learner(13, 14, 20),
    learner(10),
    learner(-1, 0, 7),
    { ...learner(), days: [{ day: 3, counts: { delivered: 1 } }] }
  ]
}

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-29T10:00:00Z') }
const query = { from: '2026-03-02', to: '2026-03-16', periods: 4 }
const pairs = (cells: readonly { readonly numerator: number | null; readonly eligible: number | null }[]) =>
  cells.map(({ numerator, eligible }) => [numerator, eligible])
const open = [null, null]

t.test('the worked example: eleven learners in two weekly cohorts, by each type', async t => {
  const tenantId = await seedWorld(db, example)
  const ask = async (type: RetentionType) => {
    const answer = await answerRetention(db, { ...query, type }, { ...asker, tenantId })
    t.same(
      answer.results.map(({ cohort, size }) => [cohort.from, size]),
      [
        ['2026-03-02', 6],
        ['2026-03-09', 5]
      ]
    )
    return answer
  }
  const bracket = await ask('bracket')
  t.same(
    bracket.results.map(({ cells }) => pairs(cells)),
    [
      [[6, 6], [3, 6], [2, 6], open],
      [[5, 5], [3, 5], open, open]
    ]
  )
  t.match(bracket.results[1]?.cells[2], { value: null, nullReason: 'bracket_open', suppressed: false })
  t.same(pairs(bracket.curve), [[11, 11], [6, 11], [2, 6], open])
  t.same(
    bracket.curve.map(({ loss }) => loss),
    [null, 1 - 6 / 11, 3 / 6 - 2 / 6, null]
  )
  t.same(bracket.largestLoss, { period: 1, loss: 1 - 6 / 11 })
  t.match(bracket.meta, { query: { options: { type: 'bracket', unit: 'week', periods: 4 } }, warnings: [] })
  t.same(
    (await ask('unbounded')).results.map(({ cells }) => pairs(cells)),
    [
      [[6, 6], [5, 6], [4, 6], open],
      [[5, 5], [3, 5], open, open]
    ]
  )
  t.same(
    (await ask('rolling')).results.map(({ cells }) => pairs(cells)),
    [
      [[6, 6], [2, 6], [2, 6], open],
      [[5, 5], [3, 5], open, open]
    ]
  )
})

t.test(
  'a cohort that is too small is hidden and no part of the curve, and what has not begun is not known',
  async t => {
    const tenantId = await seedWorld(db, example)
    const six = await answerRetention(db, { ...query, minGroupSize: 6 }, { ...asker, tenantId })
    t.match(six.results[1], { size: null, cells: [{ eligible: null, suppressed: true, nullReason: 'small_group' }] })
    t.same(pairs(six.curve), [[6, 6], [3, 6], [2, 6], open])
    const all = await answerRetention(db, { ...query, minGroupSize: 7 }, { ...asker, tenantId })
    t.match(all, { curve: [{ nullReason: 'small_group' }], largestLoss: null })
    const ahead = await answerRetention(
      db,
      { from: '2026-03-23', to: '2026-04-06', periods: 2 },
      { ...asker, tenantId }
    )
    t.match(ahead.results, [
      { size: 0, partial: true, cells: [{ nullReason: 'bracket_open' }, { nullReason: 'bracket_open' }] },
      { size: null, cells: [{ nullReason: 'period_not_started' }, { nullReason: 'period_not_started' }] }
    ])
    t.match(ahead.curve, [{ nullReason: 'bracket_open', loss: null }, { nullReason: 'bracket_open' }])
    const empty = await answerRetention(db, { ...query, role: 'nobody' }, { ...asker, tenantId })
    t.match(empty, { results: [{ size: 0, cells: [{ nullReason: 'empty_denominator' }] }], curve: [{ eligible: 0 }] })
  }
)

t.test('who was active ever before the window is of no cohort, however long ago that was', async t => {
  const begun = Array.from({ length: 5 }, () => learner(0, 7))
  const others = [learner(-40, 0), learner(-160, 0), learner(-800, 7)]
  const tenantId = await seedWorld(db, { people: [...begun, ...others] })
  const { results } = await answerRetention(db, query, { ...asker, tenantId })
  t.same(
    results.map(({ size }) => size),
    [5, 0]
  )
})

t.test('without from and to it is the last twelve units that are over, of twelve periods each', async t => {
  const tenantId = await seedWorld(db, example)
  const answer = await answerRetention(db, { unit: 'month' }, { ...asker, tenantId })
  t.match(answer.meta.query, { fromDate: '2025-03-01', toDate: '2026-03-01', options: { periods: 12 } })
  t.same([answer.results.length, answer.curve.length], [12, 12])
})

t.test('any world: the same as looking at one learner after another', async () => {
  const kinds = fc.record({ type: fc.constantFrom(...retentionTypes), count: fc.constantFrom(1, 5, 24) })
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(worlds, deeds, questions),
      activities,
      kinds,
      timeZones,
      async ([world, all, { filter, membership }], { from, days, unit, today, spread }, { type, count }, timeZone) => {
        const known = within(spread(all), world, today)
        const tenantId = await seedDeeds(db, world, known, timeZone)
        const asked = { tenantId, timeZone, filter, membership, today, from, to: from + days }
        const expected = naiveRetention(world, known, { ...asked, unit, type, count })
        for (const source of ['rollup', 'events'] as const) {
          const request = requestOf({ ...asked, source, interval: unit })
          const { rows } = await countRetention(db, { ...request, unit, type, count })
          const counted = rows.map(({ size, eligible, retained }) => ({ size, eligible, retained }))
          deepEqual(counted, expected, source)
          for (const { size, eligible, retained } of rows) {
            ok(eligible.every((learners, at) => learners <= size && (retained[at] ?? 0) <= learners))
          }
        }
      }
    ),
    { numRuns: 100 }
  )
})
