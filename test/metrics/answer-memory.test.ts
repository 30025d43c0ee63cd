import { deepStrictEqual } from 'node:assert'
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { Kysely } from 'kysely'
import t from 'tap'
import type { Database } from '../../src/database/schema.js'
import { makeAnswerMemory } from '../../src/metrics/answer-memory.js'
import { findMetric } from '../../src/metrics/find-metric.js'
import { findLearnerValues } from '../../src/metrics/learner-values.js'
import { measure } from '../../src/metrics/measure.js'
import type { MeasureRequest } from '../../src/metrics/metric.js'
import { putPeople } from '../../src/people/put-people.js'
import { processQueue } from '../../src/rollup/process-queue.js'
import { raiseDataVersions } from '../../src/store/data-version.js'
import { ensureTenant } from '../../src/store/tenant.js'
import { ifiOf, mboxOf } from '../people/deals.js'
import { context, doingsIn, postTo } from '../store/doings.js'
import { drain } from '../support/app.js'
import { testDatabase } from '../support/database.js'
import { opened } from '../support/statements.js'

const { db } = await testDatabase(t, 6)

const metric = findMetric('active-users')
const agents = [0, 1, 2, 3, 4, 5]

const requestOf = (tenantId: number, asked: Partial<MeasureRequest> = {}): MeasureRequest => ({
  tenantId,
  timeZone: 'UTC',
  source: 'rollup',
  periods: [{ from: '2026-02-27', to: '2026-03-06' }],
  window: { from: '2026-02-27', to: '2026-03-06' },
  filter: null,
  membership: 'at_event',
  breakdown: [],
  module: null,
  today: '2026-03-20',
  asOf: new Date(),
  options: { basis: 'opened' },
  ...asked
})

async function newTenant(): Promise<{ readonly id: number; readonly name: string }> {
  const name = randomUUID()
  const { id } = await ensureTenant(db, name, 'UTC')
  await postTo(
    db,
    id,
    agents.map(agent => ({ ...opened, timestamp: '2026-03-01T10:00:00Z', actor: { mbox: mboxOf(agent) } }))
  )
  await putPeople(
    db,
    [0, 1, 2].map(at => ({ personId: `p${at}`, agents: [ifiOf(at)], team: 'a' })),
    context(id)
  )
  await drain(db)
  return { id, name }
}

/** Everything that can be asked of a metric, from the database. */
async function askAll(from: Kysely<Database>, request: MeasureRequest) {
  return { cells: await measure(from, metric, request), learners: await findLearnerValues(from, metric, request) }
}

const asked: fc.Arbitrary<Partial<MeasureRequest>> = fc.record({
  source: fc.constantFrom('rollup' as const, 'events' as const),
  filter: fc.constantFrom(null, { team: ['a'] }, { cohort: ['c1'] }),
  breakdown: fc.constantFrom([], ['team' as const])
})

t.test('after any doings, what is remembered is what would be counted now, in a transaction as well', async t => {
  const memory = makeAnswerMemory(1000)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(doingsIn(db), asked), { minLength: 3, maxLength: 12 }),
      fc.boolean(),
      async (given, isInside) => {
        const { id, name } = await newTenant()
        for (const [{ what, run }, parameters] of given) {
          for (const doing of [() => run(id, name), async () => undefined]) {
            await doing()
            const request = requestOf(id, { ...parameters, asOf: new Date() })
            const [remembered, counted] = await db
              .transaction()
              .setIsolationLevel('repeatable read')
              .execute(async trx => {
                const through = isInside ? trx : db
                return [await askAll(through, { ...request, memory }), await askAll(trx, request)]
              })
            deepStrictEqual(remembered, counted, what)
          }
        }
      }
    ),
    { numRuns: 15 }
  )
  t.ok(memory.counts.remembered > memory.counts.counted / 10, 'some of it was remembered')
})

t.test('the same question is counted once, another one and changed data anew', async t => {
  const memory = makeAnswerMemory(1000)
  const { id } = await newTenant()
  const ask = (parameters: Partial<MeasureRequest> = {}) =>
    measure(db, metric, requestOf(id, { ...parameters, memory }))
  await ask()
  await ask()
  t.same(memory.counts, { remembered: 1, counted: 1 })
  const others: readonly Partial<MeasureRequest>[] = [
    { tenantId: id + 1_000_000 },
    { timeZone: 'Asia/Tokyo' },
    { source: 'events' },
    { periods: [{ from: '2026-02-27', to: '2026-03-05' }] },
    { window: { from: '2026-02-27', to: '2026-03-05' } },
    { filter: { team: ['a'] } },
    { membership: 'current' },
    { breakdown: ['team'] },
    { module: 'https://example.org/modules/feedback', source: 'events' },
    { today: '2026-03-21' },
    { options: { basis: 'received' } }
  ]
  for (const [at, other] of others.entries()) {
    await ask(other)
    t.equal(memory.counts.counted, at + 2, JSON.stringify(other))
  }
  await measure(db, findMetric('practice-tasks'), requestOf(id, { memory, options: {} }))
  await findLearnerValues(db, metric, requestOf(id, { memory }))
  t.equal(memory.counts.counted, others.length + 3, 'of another metric, and of its learners')
  await db.transaction().execute(trx => raiseDataVersions(trx, [id]))
  await ask()
  t.same(memory.counts, { remembered: 1, counted: others.length + 4 })
})

t.test('many who ask for the same at once have it counted once', async t => {
  const memory = makeAnswerMemory(1000)
  const { id } = await newTenant()
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => measure(db, metric, requestOf(id, { memory, asOf: new Date('2026-03-20') })))
  )
  t.equal(memory.counts.counted, 1)
  for (const answer of answers) t.same(answer, answers[0])
})

t.test('those who count inside transactions do not wait for each other, though they have every connection', async t => {
  const memory = makeAnswerMemory(1000)
  const { id } = await newTenant()
  const answers = await Promise.all(
    Array.from({ length: 12 }, () =>
      db
        .transaction()
        .setIsolationLevel('repeatable read')
        .execute(trx => measure(trx, metric, requestOf(id, { memory })))
    ).concat(Array.from({ length: 12 }, () => measure(db, metric, requestOf(id, { memory }))))
  )
  t.equal(new Set(answers.map(({ cells }) => JSON.stringify(cells))).size, 1)
})

t.test('what the rollups wait for is told of now, beside numbers that are remembered', async t => {
  const memory = makeAnswerMemory(1000)
  const { id } = await newTenant()
  // A row that was enqueued within this millisecond is due in the next.
  const ask = () => measure(db, metric, requestOf(id, { memory, asOf: new Date(Date.now() + 1) }))
  t.equal((await ask()).oldestDue, null)
  await postTo(db, id, [{ ...opened, timestamp: '2026-03-02T10:00:00Z', actor: { mbox: mboxOf(0) } }])
  t.type((await ask()).oldestDue, 'string')
  t.same(memory.counts, { remembered: 1, counted: 1 })
  await processQueue(db, 100)
  t.equal((await ask()).oldestDue, null)
  t.equal(memory.counts.counted, 2)
})

t.test('a count that fails is told to who asked, and the next one counts', async t => {
  const memory = makeAnswerMemory(1000)
  const { id } = await newTenant()
  const wrong = requestOf(id, { memory, periods: [] })
  await t.rejects(measure(db, metric, wrong), RangeError)
  await t.rejects(measure(db, metric, wrong), RangeError)
  t.same(memory.counts, { remembered: 0, counted: 0 })
  t.equal(memory.underWay.size, 0)
})

t.test('no more numbers are kept than there is room for', async t => {
  const memory = makeAnswerMemory(2)
  const { id } = await newTenant()
  for (const to of ['2026-03-02', '2026-03-03', '2026-03-04']) {
    await measure(db, metric, requestOf(id, { memory, periods: [{ from: '2026-03-01', to }] }))
  }
  t.equal(memory.kept.size, 2)
  await findLearnerValues(db, metric, requestOf(id, { memory }))
  t.equal(memory.kept.size, 2, 'what is larger than all the room is not kept')
})
