import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import { sql } from 'kysely'
import t from 'tap'
import { deedKinds } from '../../src/events/deed-kinds.js'
import { answerMetric } from '../../src/metrics/answer.js'
import { courseDiversity } from '../../src/metrics/course-diversity.js'
import { rebuildPersons } from '../../src/rollup/rebuild-rollups.js'
import { testDatabase } from '../support/database.js'
import { agree, type NaiveMetric } from './agreement.js'
import { type Deed, deedsOf, type EventWorld, eventStage, fivefold, iriOf, seedEventWorld } from './event-world.js'
import type { Person } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const week = { from: '2026-03-02', to: '2026-03-09' }

const learner: Person = { known: true, roster: [{ from: null, to: null, cohorts: [] }], days: [] }
const people = Array.from({ length: 5 }, () => learner)

const deed = (by: number, categories: readonly number[] | null, type: number | null = null): Deed => ({
  ...{ kind: 'opened', by, day: 1, activity: 0, module: 0, categories, type }
})

/** The example of docs/reference/metrics/course-diversity.md. */
const deeds = [
  ...Array.from({ length: 4 }, (_, category) => deed(0, [category], 5)),
  ...[0, 0, 0, 1].map(category => deed(1, [category])),
  deed(2, [0, 1]),
  deed(2, [0, 1]),
  deed(3, null, 6),
  { ...deed(4, [0]), kind: 'delivered' } as const
]

/** The rollups and the events say the same. */
const ask = async (tenantId: number, options: Record<string, string> = {}) => {
  const [eventual, strong] = await Promise.all(
    (['eventual', 'strong'] as const).map(async consistency => {
      const query = { ...week, options, consistency }
      return (await answerMetric(db, courseDiversity, query, { ...asker, tenantId })).results[0]
    })
  )
  deepStrictEqual(eventual, strong)
  return eventual
}

const rebuild = (tenantId: number) => db.transaction().execute(trx => rebuildPersons(trx, tenantId, 0))

/** Writes a world with what is derived of it. */
const seed = async (world: EventWorld) => {
  const tenantId = await seedEventWorld(db, world)
  await rebuild(tenantId)
  return tenantId
}

t.test('the worked example: 4, 1.755 and 2 effective categories', async t => {
  const tenantId = await seed(fivefold({ people, deeds }))
  const effective = await ask(tenantId)
  t.equal(effective?.value?.toFixed(6), '2.584922')
  t.match(effective, { denominator: 15, n: 15, details: { coverage: 0.6 } })
  t.match(await ask(tenantId, { of: 'distinct' }), { value: 40 / 15, numerator: 40, denominator: 15 })
  t.match(await ask(tenantId, { by: 'contentType' }), { value: 1, denominator: 10, details: { coverage: 0.4 } })
})

t.test('as many equal shares are as many categories, to the last digit', async t => {
  const equal = Array.from({ length: 7 }, (_, category) => deed(0, [category]))
  const tenantId = await seed(fivefold({ people, deeds: equal }))
  t.match(await ask(tenantId), { value: 7, numerator: 35 })
})

t.test('that a statement is of cmi5 is no category of what it is about', async t => {
  const tenantId = await seed(fivefold({ people, deeds: [deed(0, [0, 1, 2])] }))
  for (const [category, name] of ['cmi5', 'moveon'].entries()) {
    const iri = `https://w3id.org/xapi/cmi5/context/categories/${name}`
    await sql`update activity set iri = ${iri}, digest = sha256(convert_to(${iri}, 'UTF8'))
      where tenant_id = ${tenantId} and iri = ${iriOf(category)}`.execute(db)
  }
  await rebuild(tenantId)
  t.match(await ask(tenantId), { value: 1, denominator: 5 })
})

t.test('nobody did anything with a category: no value, and not 0', async t => {
  const tenantId = await seed(fivefold({ people, deeds: [deed(0, null)] }))
  t.match(await ask(tenantId), { value: null, denominator: 0, nullReason: 'empty_denominator' })
})

const stage = eventStage('opened', 'completed', 'posted', 'delivered')

/** How often the learner's own deeds that count are of each category. */
const tally = (categories: readonly number[]) => {
  const counts = new Map<number, number>()
  for (const category of categories) counts.set(category, (counts.get(category) ?? 0) + 1)
  return [...counts.values()]
}

const options = fc.record({
  of: fc.constant('distinct' as const),
  by: fc.constantFrom('category' as const, 'contentType' as const)
})

const share =
  (isFutureCounted: boolean): NaiveMetric<{ of: 'distinct'; by: 'category' | 'contentType' }, EventWorld>['share'] =>
  ({ at, countedDays }, moment, { by }, world) => {
    const counts = tally(
      deedsOf(world, at, isFutureCounted ? { today: 1000 } : moment)
        .filter(({ kind, day }) => countedDays.includes(day) && deedKinds.some(other => other === kind))
        .flatMap(({ type, categories }) => (by === 'category' ? (categories ?? []) : (type ?? [])))
    )
    return { x: counts.length, y: counts.length > 0 ? 1 : 0 }
  }

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, courseDiversity, { stage: { ...stage, sources: ['events'] }, options, share: share(false) })
})

t.test('any world: the same of the rollups, for which all of it has happened', async () => {
  const derived = { ...stage, sources: ['rollup'] as const, seed: (_db: typeof db, world: EventWorld) => seed(world) }
  const byCategory = fc.record({ of: fc.constant('distinct' as const), by: fc.constant('category' as const) })
  await agree(db, courseDiversity, { stage: derived, options: byCategory, share: share(true) })
})

t.test('any shares: the effective number is exp of their entropy, from 1 to the distinct number', async t => {
  const counts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 7 })
  await fc.assert(
    fc.asyncProperty(counts, async numbers => {
      const many = numbers.flatMap((number, category) => Array.from({ length: number }, () => deed(0, [category])))
      const tenantId = await seed(fivefold({ people: [learner], deeds: many }))
      const total = numbers.reduce((sum, number) => sum + number, 0)
      const entropy = numbers.reduce((sum, number) => sum - (number / total) * Math.log(number / total), 0)
      const value = (await ask(tenantId))?.value ?? 0
      t.ok(Math.abs(value - Math.exp(entropy)) < 1e-9, `${numbers}`)
      t.ok(value >= 1 - 1e-12 && value <= numbers.length + 1e-12, `${numbers}`)
    }),
    // Of more deeds than logarithms are looked up for.
    { numRuns: 20, examples: [[[256, 3]], [[257, 3]], [[320, 70, 1]]] }
  )
})
