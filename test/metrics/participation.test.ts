import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import { deedKinds } from '../../src/events/deed-kinds.js'
import { answerMetric } from '../../src/metrics/answer.js'
import { type DeedDimension, type Dimension, dimensionNames } from '../../src/metrics/dimension.js'
import { measure } from '../../src/metrics/measure.js'
import { participation } from '../../src/metrics/participation.js'
import { testDatabase } from '../support/database.js'
import { agree, naiveSums } from './agreement.js'
import { type Deed, deedsOf, eventStage, iriOf, seedEventWorld } from './event-world.js'
import { activeDaysOf } from './naive.js'
import { dateOf, type Person, questions } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const week = { from: '2026-03-02', to: '2026-03-09' }

const learner = (team: string): Person => ({
  known: true,
  roster: [{ from: null, to: null, cohorts: [], team }],
  days: []
})
const deed = (by: number, module: number | null, more: Partial<Deed> = {}): Deed => ({
  ...{ kind: 'opened', by, day: 1, activity: module, module, type: 5 },
  ...more
})

/** The example of docs/reference/metrics/participation.md: 14 of team red, 6 of team blue. */
const people = Array.from({ length: 20 }, (_, at) => learner(at < 14 ? 'red' : 'blue'))
const deeds = [
  ...Array.from({ length: 7 }, (_, by) => deed(by, 0)),
  deed(0, 0),
  deed(0, 1, { type: 6 }),
  deed(14, 0),
  deed(15, null, { type: null }),
  deed(16, 2, { kind: 'delivered' }),
  deed(17, 3, { day: 7 })
]

const ask = async (tenantId: number, query: object) =>
  (await answerMetric(db, participation, { ...week, consistency: 'strong', ...query }, { ...asker, tenantId })).results

const cellsOf = async (tenantId: number, query: object) =>
  (await ask(tenantId, query)).map(({ dimensions, numerator, denominator }) => ({
    ...dimensions,
    share: [numerator, denominator]
  }))

t.test('the worked example: 9 of 20 did anything, and 8, 1 and 1 in each module', async t => {
  const tenantId = await seedEventWorld(db, { people, deeds })
  t.match(await ask(tenantId, {}), [{ value: 9 / 20, numerator: 9, denominator: 20 }])
  t.same(await cellsOf(tenantId, { breakdown: 'module' }), [
    { module: null, share: [1, 20] },
    { module: iriOf(0), share: [8, 20] },
    { module: iriOf(1), share: [1, 20] }
  ])
  t.same(await cellsOf(tenantId, { breakdown: 'contentType' }), [
    { contentType: null, share: [1, 20] },
    { contentType: iriOf(5), share: [8, 20] },
    { contentType: iriOf(6), share: [1, 20] }
  ])
})

t.test('with a team beside it, each module has a cell for each team, also where nobody did anything', async t => {
  const tenantId = await seedEventWorld(db, { people, deeds })
  t.same(await cellsOf(tenantId, { breakdown: 'team,module' }), [
    { team: 'blue', module: null, share: [1, 6] },
    { team: 'blue', module: iriOf(0), share: [1, 6] },
    { team: 'blue', module: iriOf(1), share: [0, 6] },
    { team: 'red', module: null, share: [0, 14] },
    { team: 'red', module: iriOf(0), share: [7, 14] },
    { team: 'red', module: iriOf(1), share: [1, 14] }
  ])
})

t.test('a small team is hidden in every module, and a second one with it; a module alone hides nobody', async t => {
  const teams = [
    ...people.slice(0, 14),
    ...people.slice(0, 6).map(() => learner('blue')),
    ...[1, 2, 3].map(() => learner('x'))
  ]
  const tenantId = await seedEventWorld(db, { people: teams, deeds: [...deeds, deed(20, 1)] })
  const hidden = (await ask(tenantId, { breakdown: 'module,team' })).filter(({ suppressed }) => suppressed)
  t.same(
    hidden.map(({ dimensions }) => [dimensions.module, dimensions.team]),
    [null, iriOf(0), iriOf(1)].flatMap(module => ['blue', 'x'].map(team => [module, team]))
  )
  t.notOk((await ask(tenantId, { breakdown: 'module' })).some(({ suppressed }) => suppressed))
})

t.test('a series has every module in each of its periods, and what to compare it with', async t => {
  const tenantId = await seedEventWorld(db, { people, deeds: [deed(0, 0, { day: 0 }), deed(1, 1, { day: 8 })] })
  const cells = await ask(tenantId, { to: '2026-03-16', interval: 'week', compare: 'previous', breakdown: 'module' })
  t.same(
    cells.map(({ period, dimensions, numerator, previous }) => [period.from, dimensions.module, numerator, previous]),
    [
      ['2026-03-02', iriOf(0), 1, 0],
      ['2026-03-02', iriOf(1), 0, 0],
      ['2026-03-09', iriOf(0), 0, 0.05],
      ['2026-03-09', iriOf(1), 1, 0]
    ]
  )
})

t.test('nobody did anything, or nobody is in P: one cell, with and without a value', async t => {
  const tenantId = await seedEventWorld(db, { people, deeds: [] })
  t.match(await ask(tenantId, { breakdown: 'module' }), [{ dimensions: { module: null }, value: 0, denominator: 20 }])
  t.match(await ask(tenantId, { breakdown: 'module', team: 'green' }), [
    { dimensions: { module: null }, value: null, nullReason: 'empty_denominator' }
  ])
})

t.test('an answer of more than 100,000 cells is refused', async t => {
  const teams = Array.from({ length: 15 }, (_, at) => learner(`team ${at}`))
  const many = Array.from({ length: 7 }, (_, module) => deed(0, module))
  const tenantId = await seedEventWorld(db, { people: teams, deeds: many })
  const days = { from: '2023-07-01', to: '2026-03-16', interval: 'day' }
  t.match(await cellsOf(tenantId, { ...days, breakdown: 'module', limit: 1 }), { length: 1 })
  await t.rejects(ask(tenantId, { ...days, breakdown: 'module,team' }), { code: 'invalid-parameter' })
})

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, participation, {
    options: fc.constant({}),
    share: learner => ({ x: activeDaysOf(learner).some(day => learner.countedDays.includes(day)) ? 1 : 0, y: 1 })
  })
})

const stage = eventStage('opened', 'completed', 'posted', 'delivered')
const asked = fc.record({
  question: questions,
  source: fc.constantFrom(...stage.sources),
  ofRoster: fc.option(fc.constantFrom(...dimensionNames)),
  ofDeeds: fc.constantFrom<DeedDimension>('module', 'contentType'),
  isFirst: fc.boolean()
})

t.test(
  'any world, by module or type: the same numbers as counting one learner and one module after another',
  async () => {
    await fc.assert(
      fc.asyncProperty(stage.worlds, asked, async (world, { question, source, ofRoster, ofDeeds, isFirst }) => {
        const tenantId = await stage.seed(db, world)
        const roster: readonly Dimension[] = ofRoster === null ? [] : [ofRoster]
        const breakdown = isFirst ? [ofDeeds, ...roster] : [...roster, ofDeeds]
        const { periods, today, filter, membership } = question
        const dates = periods.map(({ from, days }) => ({ from: dateOf(from), to: dateOf(from + days) }))
        const { cells } = await measure(db, participation, {
          ...{ tenantId, timeZone: 'UTC', source, filter, membership, breakdown, module: null, options: {} },
          periods: dates,
          window: dates[0] ?? { from: '', to: '' },
          today: dateOf(today),
          asOf: new Date(`${dateOf(today)}T10:00:00Z`)
        })
        const thingOf = ({ module = null, type = null }: Deed) => (ofDeeds === 'module' ? module : type)
        const values = new Set<number | null>()
        const sumsOf = (value: number | null) =>
          naiveSums(world, question, roster, ({ at, countedDays }, moment) => {
            const done = deedsOf(world, at, moment)
              .filter(({ kind, day }) => countedDays.includes(day) && deedKinds.some(other => other === kind))
              .map(thingOf)
            for (const one of done) values.add(one)
            return { x: done.includes(value) ? 1 : 0, y: 1, isCounted: true }
          })
        const groups = sumsOf(null)
        const things = values.size === 0 ? [null] : [...values]
        const expected = things.flatMap(value =>
          sumsOf(value).map(({ dimensions, ...sum }) => {
            const iri = value === null || sum.population === 0 ? null : iriOf(value)
            return { ...sum, dimensions: isFirst ? [iri, ...dimensions] : [...dimensions, iri] }
          })
        )
        const found = cells.map(({ period, dimensions, population, n, sumX, sumY, immature }) => ({
          ...{ period, population, n, sumX, sumY, immature, dimensions }
        }))
        const inOrder = (sums: readonly object[]) => [...new Set(sums.map(sum => JSON.stringify(sum, keys)))].sort()
        deepStrictEqual(inOrder(found), inOrder(expected))
        if (groups.every(({ population }) => population > 0))
          deepStrictEqual(found.length, groups.length * things.length)
      }),
      { numRuns: 150 }
    )
  }
)

const keys = ['period', 'dimensions', 'population', 'n', 'sumX', 'sumY', 'immature']
