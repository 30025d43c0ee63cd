import { sql } from 'kysely'
import t from 'tap'
import { activeUsers } from '../../src/metrics/active-users.js'
import { answerMetric } from '../../src/metrics/answer.js'
import { repeatRate } from '../../src/metrics/repeat-rate.js'
import type { MetricQuery } from '../../src/metrics/resolve-query.js'
import { testDatabase } from '../support/database.js'
import { type Person, seedWorld } from './world.js'

const { db } = await testDatabase(t)

const learner = (...openedDays: number[]): Person => ({
  known: true,
  roster: [{ from: null, to: null, cohorts: [] }],
  days: openedDays.map(day => ({ day, counts: { opened: 1 } }))
})

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-20T10:00:00Z') }
const week = { from: '2026-03-09', to: '2026-03-16' }

t.test('an answer echoes the query as it was understood', async t => {
  const tenantId = await seedWorld(db, { people: [] }, 'Europe/Berlin')
  const { meta } = await answerMetric(db, repeatRate, {}, { ...asker, tenantId, timeZone: 'Europe/Berlin' })
  t.same(meta, {
    query: {
      metric: 'repeat-rate',
      fromDate: '2026-03-06',
      toDate: '2026-03-13',
      from: '2026-03-06T00:00:00+01:00',
      to: '2026-03-13T00:00:00+01:00',
      timeZone: 'Europe/Berlin',
      interval: null,
      cohort: null,
      filters: {},
      module: null,
      membership: 'at_window_start',
      breakdown: [],
      options: { windowDays: 7, denominator: 'active' },
      compare: null,
      minGroupSize: 5,
      consistency: 'eventual'
    },
    definitionVersion: 1,
    asOf: '2026-03-20T10:00:00.000Z',
    consistentThrough: '2026-03-20T10:00:00.000Z',
    warnings: [
      {
        code: 'empty_population',
        message: "In 1 of 1 periods the roster placed nobody in the target population on the period's first day."
      }
    ],
    excluded: { voided: 0, unresolvedActor: 0, future: 0 },
    nextCursor: null
  })
})

t.test('compare=previous gives the value before and the change', async t => {
  const people = [learner(0, 7), learner(8), learner(9), learner(1), learner(13, 14)]
  const tenantId = await seedWorld(db, { people })
  const ask = async (query: MetricQuery) => (await answerMetric(db, activeUsers, query, { ...asker, tenantId })).results
  t.match(await ask(week), [{ value: 0.8, previous: null, change: null }])
  t.match(await ask({ ...week, compare: 'previous' }), [{ value: 0.8, previous: 0.4, change: 0.4 }])
  const weeks = await ask({ from: '2026-03-02', to: '2026-03-23', interval: 'week', compare: 'previous' })
  t.match(weeks, [
    { value: 0.4, previous: 0, change: 0.4, partial: false },
    { value: 0.8, previous: 0.4, change: 0.4, partial: false },
    // Friday has begun, so Monday to Friday are compared with Monday to Friday.
    { value: 0.2, previous: 0.6, partial: true }
  ])
})

t.test('what was hidden or unknown before has no change, and a hidden cell shows nothing of before', async t => {
  const from = (day: number, person: Person): Person => ({ ...person, roster: [{ from: day, to: null, cohorts: [] }] })
  const until = (day: number, person: Person): Person => ({ ...person, roster: [{ from: null, to: day, cohorts: [] }] })
  const query = { ...week, compare: 'previous' } as const
  const ask = async (people: Person[]) => {
    const tenantId = await seedWorld(db, { people })
    return (await answerMetric(db, activeUsers, query, { ...asker, tenantId })).results
  }
  const four = [learner(7), learner(), learner(), learner()]
  t.match(await ask([...four, from(7, learner(8))]), [{ value: 0.4, previous: null, change: null }])
  t.match(await ask([...four, until(7, learner(1))]), [{ value: null, previous: null, change: null, suppressed: true }])
  t.match(await ask([1, 2, 3, 4, 5].map(() => from(7, learner(7)))), [{ value: 1, previous: null, change: null }])
})

t.test('a period that has not begun is null, not 0', async t => {
  const tenantId = await seedWorld(db, { people: [1, 2, 3, 4, 5].map(() => learner(18)) })
  const query = { from: '2026-03-20', to: '2026-03-22', interval: 'day' } as const
  const { results } = await answerMetric(db, activeUsers, query, { ...asker, tenantId })
  t.match(results, [
    { value: 1, partial: true, nullReason: null },
    { value: null, numerator: null, denominator: null, ci: null, partial: true, nullReason: 'period_not_started' }
  ])
})

t.test('rollups are consistent through the oldest work that is due; events through asOf', async t => {
  const tenantId = await seedWorld(db, { people: [] })
  const throughOf = async (query: MetricQuery) =>
    (await answerMetric(db, activeUsers, query, { ...asker, tenantId })).meta.consistentThrough
  const enqueue = (enqueuedAt: string, dueAt: string, attempts = 0) =>
    sql`insert into rollup_queue (tenant_id, agent_id, day, enqueued_at, due_at, attempts)
      values (${tenantId}, 1, '2026-03-10', ${enqueuedAt}, ${dueAt}, ${attempts})`.execute(db)
  await enqueue('2026-03-01T00:00:00Z', '2026-04-01T00:00:00Z')
  t.equal(await throughOf({}), '2026-03-20T10:00:00.000Z', 'work for later does not count')
  await enqueue('2026-03-20T10:00:00.5Z', '2026-03-20T09:00:00Z')
  t.equal(await throughOf({}), '2026-03-20T10:00:00.000Z', 'never later than asOf')
  await enqueue('2026-03-20T09:59:59.1239Z', '2026-03-20T09:59:59.1239Z')
  t.equal(await throughOf({}), '2026-03-20T09:59:59.123Z', 'cut, not rounded up')
  await enqueue('2026-03-10T00:00:00Z', '2026-03-20T09:59:58Z')
  t.equal(await throughOf({}), '2026-03-20T09:59:58.000Z', 'a future event was right until its time came')
  await enqueue('2026-03-20T09:59:57Z', '2026-03-20T09:00:00Z')
  t.equal(await throughOf({}), '2026-03-20T09:59:57.000Z', 'nothing waits since before it was enqueued')
  await enqueue('2026-03-20T09:59:56Z', '2026-03-20T10:08:00Z', 1)
  t.equal(
    await throughOf({}),
    '2026-03-20T09:59:56.000Z',
    'what has failed is put off, and waits since it was enqueued'
  )
  t.equal(await throughOf({ consistency: 'strong' }), '2026-03-20T10:00:00.000Z')
  t.equal(await throughOf({ tz: 'Asia/Tokyo' }), '2026-03-20T10:00:00.000Z')
})

t.test('another zone, or strong consistency, counts the events themselves', async t => {
  const tenantId = await seedWorld(db, { people: [1, 2, 3, 4, 5].map(() => learner()) })
  await openAt(tenantId, ['2026-03-09T03:30:00Z', '2026-03-12T12:00:00Z'])
  const ask = async (query: MetricQuery) => {
    const { results, meta } = await answerMetric(db, activeUsers, { ...week, ...query }, { ...asker, tenantId })
    return [results[0]?.numerator, meta.query.consistency]
  }
  t.same(await ask({}), [0, 'eventual'], 'no worker has run')
  t.same(await ask({ consistency: 'strong' }), [2, 'strong'])
  t.same(await ask({ tz: 'America/New_York' }), [1, 'strong'], 'half past three is the day before in New York')
})

/** Lets the first persons of a tenant open something, one each, as events without rollups. */
async function openAt(tenantId: number, instants: readonly string[]): Promise<void> {
  const people = await db.selectFrom('person').select('id').where('tenant_id', '=', tenantId).orderBy('id').execute()
  for (const [at, instant] of instants.entries()) {
    const agent = await db
      .insertInto('agent')
      .values({ tenant_id: tenantId, digest: Buffer.from(instant), ifi: instant })
      .returning('id')
      .executeTakeFirstOrThrow()
    await db
      .insertInto('person_agent')
      .values({ tenant_id: tenantId, agent_id: agent.id, person_id: people[at]?.id ?? 0 })
      .execute()
    await sql`
      insert into learning_event (tenant_id, statement_seq, statement_id, kind, agent_id, "timestamp", day)
      values (${tenantId}, ${at}, gen_random_uuid(), 'opened', ${agent.id}, ${instant}, ${instant.slice(0, 10)})`.execute(
      db
    )
  }
}

t.test('options that the metric does not know are refused', async t => {
  const ask = (options: NonNullable<MetricQuery['options']>) =>
    answerMetric(db, activeUsers, { options }, { ...asker, tenantId: 1 })
  await t.rejects(ask({ basis: 'liked' }), {
    code: 'invalid-parameter',
    message: 'basis ("liked") must be one of opened, received for active-users'
  })
  await t.rejects(ask({ windowDays: 7 }), { code: 'invalid-parameter', message: /windowDays is no parameter/ })
  await t.rejects(answerMetric(db, repeatRate, { minGroupSize: 4 }, { ...asker, tenantId: 1 }), {
    code: 'invalid-parameter'
  })
})
