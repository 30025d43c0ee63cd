import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import t from 'tap'
import { derive } from '../../src/rollup/derive.js'
import { enqueueTouched } from '../../src/rollup/enqueue-touched.js'
import { isFaultOfRows } from '../../src/rollup/failed-rows.js'
import { listParkedRows, retryParkedRows } from '../../src/rollup/parked-rows.js'
import { processQueue } from '../../src/rollup/process-queue.js'
import { findQueueState } from '../../src/rollup/queue-state.js'
import { findRebuild, openRebuild, rebuildPersons, recomputePersons } from '../../src/rollup/rebuild-rollups.js'
import { recomputeLearnerActivities, recomputeLearnerDays } from '../../src/rollup/recompute.js'
import { testApp } from '../support/app.js'
import { voiding } from '../support/statements.js'

const app = await testApp(t, { timeZone: 'Europe/Berlin' })
const { db, post, drain, tenantId } = app

const n = 'https://w3id.org/momentum-lrs/'
const module = 'https://example.org/modules/feedback'
const agentOf = (name: string) => ({ mbox: `mailto:${name}@example.org` })
const did = (kind: string, name: string, timestamp: string, parts: object = {}) => ({
  id: randomUUID(),
  actor: agentOf(name),
  verb: { id: `${n}verbs/${kind}` },
  object: { id: module },
  timestamp,
  ...parts
})

const personOf = (name: string) => sql`(
  select person_id from person_agent join agent on agent.id = agent_id
  where ifi = ${JSON.stringify(['mbox', agentOf(name).mbox])})`

/** Some columns of the learner's rows, each row as a list of texts. */
async function read(table: string, name: string, columns: readonly string[]): Promise<readonly unknown[]> {
  const texts = sql.join(columns.map(column => sql`${sql.ref(column)}::text`))
  const { rows } = await sql<{ row: unknown }>`
    select json_build_array(${texts}) as row from ${sql.table(table)} as stored
    where person_id = ${personOf(name)} order by to_jsonb(stored)`.execute(db)
  return rows.map(({ row }) => row)
}

const sessions = (name: string) => read('learner_day', name, ['day', 'session_starts', 'active_ms'])
const minutes = (count: number) => String(count * 60_000)

t.test(
  'sessions: a pause of more than 30 minutes ends one, and a gap counts for the day of the later deed',
  async t => {
    const table: { name: string; at: readonly string[]; expected: readonly (readonly string[])[] }[] = [
      { name: 'one-deed', at: ['2026-01-12T10:00Z'], expected: [['2026-01-12', '1', '0']] },
      {
        name: 'exactly-30-minutes',
        at: ['2026-01-12T10:00Z', '2026-01-12T10:30Z'],
        expected: [['2026-01-12', '1', minutes(30)]]
      },
      {
        name: 'a-millisecond-more',
        at: ['2026-01-12T10:00:00Z', '2026-01-12T10:30:00.001Z'],
        expected: [['2026-01-12', '2', '0']]
      },
      {
        name: 'at-once',
        at: ['2026-01-12T10:00Z', '2026-01-12T10:00Z'],
        expected: [['2026-01-12', '1', '0']]
      },
      {
        // Midnight in Berlin is 23:00 UTC.
        name: 'across-midnight',
        at: ['2026-01-12T22:50Z', '2026-01-12T23:10Z', '2026-01-12T23:35Z'],
        expected: [
          ['2026-01-12', '1', '0'],
          ['2026-01-13', '0', minutes(45)]
        ]
      },
      {
        // On 29 March 2026 the clock in Berlin goes from 2:00 to 3:00: 10 minutes, not 70.
        name: 'clock-forward',
        at: ['2026-03-29T00:55Z', '2026-03-29T01:05Z'],
        expected: [['2026-03-29', '1', minutes(10)]]
      },
      {
        // On 25 October it goes back: 2:50 summer time and 2:10 winter time are 20 minutes apart.
        name: 'clock-back',
        at: ['2026-10-25T00:50Z', '2026-10-25T01:10Z'],
        expected: [['2026-10-25', '1', minutes(20)]]
      }
    ]
    await post(table.flatMap(({ name, at }) => at.map(timestamp => did('opened', name, timestamp))))
    await drain()
    for (const { name, expected } of table)
      t.same(
        await sessions(name),
        expected.filter(row => row[0]),
        name
      )
  }
)

t.test('what is done to a learner is no deed of theirs, and neither begins a session nor keeps it up', async t => {
  const about = { context: { extensions: { [`${n}extensions/subject`]: agentOf('kim') } } }
  await post([
    did('opened', 'kim', '2026-01-12T10:00Z'),
    did('delivered', 'platform', '2026-01-12T10:20Z', about),
    did('manager-check', 'mia', '2026-01-12T10:25Z', about),
    did('opened', 'kim', '2026-01-12T10:40Z')
  ])
  await drain()
  t.same(await sessions('kim'), [['2026-01-12', '2', '0']])
})

t.test('a late deed joins two sessions and a void parts them again, on the next day too', async t => {
  const before = did('opened', 'lea', '2026-01-12T22:35Z')
  const late = did('opened', 'lea', '2026-01-12T22:55Z')
  const after = did('opened', 'lea', '2026-01-12T23:20Z')
  const apart = [
    ['2026-01-12', '1', '0'],
    ['2026-01-13', '1', '0']
  ]
  await post([before, after])
  await drain()
  t.same(await sessions('lea'), apart)
  await post(late)
  await drain()
  t.same(await sessions('lea'), [
    ['2026-01-12', '1', minutes(20)],
    ['2026-01-13', '0', minutes(25)]
  ])
  await post(voiding(late.id))
  await drain()
  t.same(await sessions('lea'), apart)
})

t.test('durations, scores and first instants of a day, by hand', async t => {
  const scored = (scaled: number) => ({ result: { score: { scaled } } })
  const lasted = (duration: string) => ({ result: { duration } })
  await post([
    did('assessed', 'max', '2026-01-12T10:00:00Z', scored(0.5)),
    did('assessed', 'max', '2026-01-12T10:01:00Z', scored(0.1)),
    did('assessed', 'max', '2026-01-12T10:02:00Z'),
    did('terminated', 'max', '2026-01-12T10:03:00Z', lasted('PT5M')),
    did('terminated', 'max', '2026-01-12T10:04:00Z', lasted('PT0.5S')),
    did('terminated', 'max', '2026-01-12T10:05:00Z', lasted('P1M')),
    did('completed', 'max', '2026-01-12T10:06:00Z', lasted('PT9M')),
    did('terminated', 'nia', '2026-01-12T10:00:00Z', { result: { duration: 'PT9007199254740S' } }),
    did('terminated', 'nia', '2026-01-12T10:01:00Z', { result: { duration: 'PT9007199254740S' } })
  ])
  // Whether a duration has a length is decided where events are read from statements.
  await sql`update learning_event set has_calendar_duration = true where kind = 'terminated' and duration_ms is null`.execute(
    db
  )
  await drain()
  const columns = ['duration_ms', 'durations', 'calendar_durations', 'score_n', 'score_sum', 'score_sum_squares']
  t.same(await read('learner_day', 'max', columns), [['300500', '2', '1', '2', '0.6', '0.26']])
  t.same(await read('learner_day', 'nia', ['duration_ms']), [[String(Number.MAX_SAFE_INTEGER)]], 'no sum is too long')
})

t.test('learner_activity: a row for each activity of a module, by hand', async t => {
  const task = { id: 'https://example.org/tasks/ask' }
  const ofModule = { object: task, context: { contextActivities: { parent: [{ id: module }] } } }
  const tags = (...words: readonly string[]) => ({ extensions: { [`${n}extensions/outcome-tags`]: words } })
  const score = (scaled: number) => ({ score: { scaled } })
  const last = did('assessed', 'ole', '2026-01-14T10:00Z', { ...ofModule, result: score(0.4) })
  await post([
    did('opened', 'ole', '2026-01-12T10:00Z'),
    did('opened', 'ole', '2026-01-11T10:00Z'),
    did('assessed', 'ole', '2026-01-12T10:00Z', { ...ofModule, result: { ...score(0.2), ...tags('needs-practice') } }),
    did('assessed', 'ole', '2026-01-13T10:00Z', { ...ofModule, result: { ...score(0.9), ...tags('confident', 'x') } }),
    // At the same instant, and stored later.
    did('assessed', 'ole', '2026-01-13T10:00Z', { ...ofModule, result: score(0.3) }),
    did('assessed', 'ole', '2026-01-13T11:00Z', ofModule),
    last,
    did('terminated', 'ole', '2026-01-13T12:00Z', { ...ofModule, result: { duration: 'PT1M' } }),
    did('assessed', 'ole', '2999-01-01T00:00Z', { ...ofModule, result: score(1) }),
    did('peer-feedback', 'ole', '2026-01-12T10:00Z', { object: { objectType: 'Agent', ...agentOf('pam') } })
  ])
  const columns = ['opened', 'attempts', 'first_score', 'best_score', 'last_score', 'outcome_tags', 'duration_ms']
  const instants = ['first_opened_at', 'last_score_at', 'outcome_tags_at', 'first_at', 'last_at']
  await drain()
  t.same(await read('learner_activity', 'ole', [...columns, ...instants]), [
    [
      ...['0', '5', '0.2', '0.9', '0.4', '{confident,x}', '60000'],
      ...[null, '2026-01-14 10:00:00+00', '2026-01-13 10:00:00+00', '2026-01-12 10:00:00+00', '2026-01-14 10:00:00+00']
    ],
    [
      ...['2', '0', null, null, null, null, '0'],
      ...['2026-01-11 10:00:00+00', null, null, '2026-01-11 10:00:00+00', '2026-01-12 10:00:00+00']
    ]
  ])
  t.same(await read('learner_activity', 'pam', ['first_at']), [], 'what has no module makes no row')
  await post(voiding(last.id))
  await drain()
  t.same(
    await read('learner_activity', 'ole', ['last_score', 'attempts']).then(rows => rows[0]),
    ['0.3', '4'],
    'of two at one instant the one that was stored later is the last'
  )
})

t.test('a row whose last live event is voided vanishes', async t => {
  const only = did('opened', 'quin', '2026-01-12T10:00Z')
  await post(only)
  await drain()
  t.equal((await read('learner_activity', 'quin', ['opened'])).length, 1)
  await post(voiding(only.id))
  await drain()
  t.same(await read('learner_activity', 'quin', ['opened']), [])
  t.same(await read('learner_day', 'quin', ['voided']), [['1']])
})

t.test('an event that was changed or erased is counted anew where it was and where it is', async t => {
  const gone = did('opened', 'rae', '2026-01-12T22:50Z')
  await post([gone, did('opened', 'rae', '2026-01-12T23:10Z', { object: { id: 'https://example.org/other' } })])
  await drain()
  for (const timestamp of ['2026-01-12T22:50Z', null]) {
    const { rows } = await sql<{ agentId: number; day: string; moduleId: number; activityId: number }>`
      select agent_id as "agentId", day, module_id as "moduleId", activity_id as "activityId" from learning_event
      where statement_id = ${gone.id}`.execute(db)
    await db.transaction().execute(async trx => {
      await sql`update learning_event set kind = 'visited' where statement_id = ${gone.id}`.execute(trx)
      if (timestamp === null) await sql`delete from learning_event where statement_id = ${gone.id}`.execute(trx)
      await enqueueTouched(trx, tenantId, [])
      await enqueueTouched(
        trx,
        tenantId,
        rows.map(row => ({ ...row, futureAt: null, ...(timestamp === null ? {} : { timestamp }) }))
      )
    })
    await drain()
    t.same(
      await sessions('rae'),
      timestamp === null
        ? [['2026-01-13', '1', '0']]
        : [
            ['2026-01-12', '1', '0'],
            ['2026-01-13', '0', minutes(20)]
          ]
    )
  }
  t.same(await read('learner_activity', 'rae', ['opened']), [['1']], 'the erased one has left no row')
})

t.test(
  'a poisoned row does not stop the rest: it is put off longer and longer, and parked at the fifth failure',
  async t => {
    await post(Array.from({ length: 12 }, (_, at) => did('opened', `sam-${at}`, '2026-01-12T10:00Z')))
    await drain()
    await sql`
    create function poison() returns trigger language plpgsql as
    $$begin if new.person_id = (select min(person_id) from poisoned) then raise 'poison'; end if; return new; end$$`.execute(
      db
    )
    await sql`create table poisoned as select ${personOf('sam-7')} as person_id`.execute(db)
    await sql`create trigger poison before insert on learner_day for each row execute function poison()`.execute(db)
    await post(Array.from({ length: 12 }, (_, at) => did('opened', `sam-${at}`, '2026-01-12T11:00Z')))
    const failed: unknown[] = []
    t.equal(await processQueue(db, 100, row => failed.push(row)), 12)
    t.match(failed, [{ tenantId, attempts: 1, isParked: false, error: { message: 'poison' } }])
    for (const at of [0, 6, 8, 11]) t.same(await read('learner_day', `sam-${at}`, ['opened']), [['2']])
    t.same(await read('learner_day', 'sam-7', ['opened']), [['1']])
    const waits: number[] = []
    for (let attempt = 1; attempt < 5; attempt++) {
      t.equal(await processQueue(db, 100), 0, 'it is not due yet')
      const { rows } = await sql<{ seconds: number }>`
      select round(extract(epoch from due_at - clock_timestamp()))::integer as seconds from rollup_queue
      where attempts > 0`.execute(db)
      waits.push(...rows.map(({ seconds }) => seconds))
      await sql`update rollup_queue set due_at = clock_timestamp() where attempts > 0`.execute(db)
      t.equal(await processQueue(db, 100, row => failed.push(row)), 1)
    }
    t.same(waits, [1, 8, 64, 512])
    t.match(failed.at(-1), { attempts: 5, isParked: true })
    await sql`update rollup_queue set due_at = clock_timestamp() where attempts > 0`.execute(db)
    t.equal(await processQueue(db, 100), 0, 'what is parked is not taken')
    const window = '/api/v1/metrics/active-users?from=2026-01-12&to=2026-01-13'
    const answer = (await app.call({ method: 'GET', url: window })).json()
    t.match(answer.meta.warnings.at(-1), { code: 'parked_work', message: /^1 changes could not/ })
    t.ok(answer.meta.consistentThrough < answer.meta.asOf, 'it is held back')
    const text = (await app.call({ method: 'GET', url: '/metrics' })).body
    t.match(text, /^momentum_rollup_parked_rows 1$/m)
    t.match(text, /^momentum_rollup_queue_rows 1$/m)
    t.match(text, /^momentum_rollup_lag_seconds [\d.]+$/m)
    t.match(text, /^momentum_worker_rows_total 0$/m)

    t.match(await listParkedRows(db, null), [
      { tenant: 'first', names: /^agent \d+ on 2026-01-12, activity \d+ of module \d+$/, lastError: 'P0001: poison' }
    ])
    await sql`drop trigger poison on learner_day`.execute(db)
    t.equal(await retryParkedRows(db, tenantId), 1)
    const retried = (await app.call({ method: 'GET', url: window })).json()
    t.equal(retried.meta.consistentThrough, answer.meta.consistentThrough, 'it goes on waiting since it was enqueued')
    await drain()
    t.same(await read('learner_day', 'sam-7', ['opened']), [['2']])
    t.same(await listParkedRows(db, tenantId), [])
  }
)

t.test('a batch takes what else is due of the same learners, up to ten times as many rows', async t => {
  const table: { rows: string; expected: readonly number[] }[] = [
    { rows: 'a', expected: [1, 0] },
    { rows: 'aba', expected: [2, 1, 0] },
    { rows: 'babbcab', expected: [4, 2, 1, 0] },
    { rows: 'aa-later-parked', expected: [2, 0] },
    { rows: `b${'a'.repeat(12)}b`, expected: [2, 10, 2, 0] }
  ]
  const { rows: numbers } = await sql<{ agents: readonly number[]; persons: readonly number[] }>`
    select array_agg(agent_id order by agent_id) as agents, array_agg(person_id order by agent_id) as persons
    from (select * from person_agent order by agent_id limit 3) as three`.execute(db)
  for (const column of ['agent_id', 'person_id'] as const)
    for (const { rows, expected } of table) {
      const [names = '', ...others] = rows.split('-')
      const ids = numbers[0]?.[column === 'agent_id' ? 'agents' : 'persons'] ?? []
      const all = [...names].map(name => ids['abc'.indexOf(name)])
      await sql`insert into rollup_queue (tenant_id, ${sql.ref(column)}, day, due_at)
        select ${tenantId}, id, '2026-02-01'::date + at::integer, clock_timestamp() - interval '1 hour' + at * interval '1 second'
        from unnest(${all}::integer[]) with ordinality as given(id, at)`.execute(db)
      await sql`insert into rollup_queue (tenant_id, ${sql.ref(column)}, day, due_at, parked_at)
        select ${tenantId}, ${ids[0]}, '2026-02-01', clock_timestamp() + case when what = 'later' then 1 else -1 end * interval '1 hour',
          case when what = 'parked' then clock_timestamp() end
        from unnest(${others}::text[]) as what`.execute(db)
      for (const count of expected) t.equal(await processQueue(db, 1), count, `${column} ${rows}`)
      await sql`delete from rollup_queue`.execute(db)
    }
})

t.test('a recomputation reads the events of its keys alone, not all of the learner for each', async t => {
  const count = 200
  const dayOf = (at: number) => new Date(Date.UTC(2025, 0, 1 + at, 12)).toISOString()
  const parent = [{ id: module }]
  await post(
    Array.from({ length: count }, (_, at) =>
      did('opened', 'wim', dayOf(at), {
        object: { id: `https://example.org/tasks/${at}` },
        context: { contextActivities: { parent } }
      })
    )
  )
  await drain()
  const { rows: days } = await sql<{ tenantId: number; personId: number; day: string }>`
    select tenant_id as "tenantId", person_id as "personId", day from learner_day
    where person_id = ${personOf('wim')}`.execute(db)
  const { rows: activities } = await sql<(typeof days)[number] & { moduleId: number; activityId: number }>`
    select tenant_id as "tenantId", person_id as "personId", module_id as "moduleId", activity_id as "activityId"
    from learner_activity where person_id = ${personOf('wim')}`.execute(db)
  t.same([days.length, activities.length], [count, count])
  // In a table of a few pages, to read all of it is the cheapest.
  const trx = await db.startTransaction().execute()
  await sql`insert into learning_event select (jsonb_populate_record(event, jsonb_build_object(
      'agent_id', 1000000 + other, 'statement_seq', 1000000 * other + statement_seq))).*
    from learning_event as event cross join generate_series(1, 20) as other`.execute(trx)
  await sql`analyze learning_event`.execute(trx)
  const readSoFar = async () => {
    const { rows } = await sql<{ read: number }>`
      select seq_tup_read + coalesce(idx_tup_fetch, 0) as read from pg_stat_xact_user_tables
      where relname = 'learning_event'`.execute(trx)
    return rows[0]?.read ?? 0
  }
  const before = await readSoFar()
  await recomputeLearnerActivities(trx, activities)
  const between = await readSoFar()
  t.equal(between - before, count)
  await recomputeLearnerDays(trx, days)
  // Of two days before, the day itself and the next one; for the categories the day itself.
  t.equal((await readSoFar()) - between, 5 * count - 4)
  await trx.rollback().execute()
})

t.test(
  'a row lags since it was enqueued, since a future event has come, or, once it failed, since enqueued again',
  async t => {
    await sql`delete from rollup_queue`.execute(db)
    t.same(await findQueueState(db), { rows: 0, lagSeconds: 0, parked: 0 })
    const table: [enqueued: number, due: number, attempts: number, lag: number][] = [
      [10, -50, 0, 0],
      [3600, 100, 0, 100],
      [200, 200, 0, 200],
      [300, 4000, 0, 300],
      [400, -500, 1, 400]
    ]
    for (const [enqueued, due, attempts, lag] of table) {
      await sql`insert into rollup_queue (tenant_id, agent_id, day, attempts, enqueued_at, due_at)
      values (${tenantId}, 1, '2026-01-01', ${attempts}, clock_timestamp() - ${enqueued} * interval '1 second',
        clock_timestamp() - ${due} * interval '1 second')`.execute(db)
      const { lagSeconds } = await findQueueState(db)
      t.ok(lagSeconds >= lag && lagSeconds < lag + 30, `${lagSeconds} for ${lag}`)
    }
    await sql`delete from rollup_queue`.execute(db)
  }
)

t.test('what no row is at fault of is not held against one', async t => {
  const table: [unknown, boolean][] = [
    [Object.assign(new Error('poison'), { code: 'P0001' }), true],
    [Object.assign(new Error('too long'), { code: '57014' }), true],
    [Object.assign(new Error('shut down'), { code: '57P01' }), false],
    [Object.assign(new Error('disk full'), { code: '53100' }), false],
    [Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), false],
    [new Error('Connection terminated'), false],
    [null, false]
  ]
  for (const [error, expected] of table) t.equal(isFaultOfRows(error), expected, String(error))
})

t.test(
  'a rebuild makes right what is wrong, goes on where it was broken off, and two who ask get the same',
  async t => {
    await post(Array.from({ length: 150 }, (_, at) => did('opened', `tim-${at}`, '2026-01-12T10:00Z')))
    await post(did('opened', 'tim-0', new Date(Date.now() + 3_600_000).toISOString()))
    const step = () => derive(db, { chunkSize: 1000, rebuildPersons })
    // Other tests have left events behind that are not what their statements say.
    await openRebuild(db, tenantId, 'test')
    while ((await step()) > 0);
    await drain()
    const dump = async () =>
      (
        await sql`
      select to_jsonb(stored) as row from learner_day as stored union all
      select to_jsonb(stored) from learner_activity as stored order by row`.execute(db)
      ).rows
    const right = await dump()
    await sql`update learner_day set opened = opened + 1`.execute(db)
    await sql`delete from learner_activity where person_id = ${personOf('tim-3')}`.execute(db)
    await sql`insert into learner_day select (jsonb_populate_record(stored, '{"day": "2020-01-01"}')).*
    from learner_day as stored where person_id = ${personOf('tim-149')}`.execute(db)
    await sql`delete from person_agent where person_id = ${personOf('tim-148')}`.execute(db)
    await sql`delete from rollup_queue`.execute(db)
    const rebuild = await openRebuild(db, tenantId, 'test')
    // Begins, counts, derives the events, finds none left, and rebuilds the first hundred persons.
    for (let steps = 0; steps < 6; steps++) t.equal(await step(), 1)
    const halfway = await findRebuild(db, tenantId, rebuild)
    t.match(halfway, { isDone: false })
    t.ok(halfway.position > 0 && halfway.position < halfway.of)
    t.equal(await openRebuild(db, tenantId, 'another'), rebuild)
    const holder = await db.startTransaction().execute()
    await sql`select from derivation for update`.execute(holder)
    t.equal(await step(), 0)
    await holder.rollback().execute()
    t.same(await findRebuild(db, tenantId, rebuild), halfway, 'while another is at it, nothing is done twice')
    for (let steps = 0; !(await findRebuild(db, tenantId, rebuild)).isDone; steps++) {
      if (steps > 10) throw new Error('It does not end')
      await step()
    }
    t.equal(await step(), 0)
    t.same(await dump(), right)
    const { rows } = await sql`
    select distinct agent_id from rollup_queue where due_at > clock_timestamp() + interval '50 minutes'`.execute(db)
    t.equal(rows.length, 2, 'what is in the future is counted when its time comes')
    t.not(await openRebuild(db, tenantId, 'test'), rebuild, 'the next is another')
    t.same(await findRebuild(db, tenantId, 0), { isDone: true, position: 0, of: 0 })
  }
)

t.test('some persons alone are recomputed, and after the last one nobody is left', async t => {
  await post(did('opened', 'uma', '2026-01-12T10:00Z'))
  await drain()
  const { rows } = await sql<{ id: number }>`update learner_day set opened = 9 where person_id = ${personOf('uma')}
    returning person_id as id`.execute(db)
  await db.transaction().execute(async trx => {
    await recomputePersons(
      trx,
      tenantId,
      rows.map(({ id }) => id)
    )
    t.equal(await rebuildPersons(trx, tenantId, 2 ** 31 - 1), null)
  })
  t.same(await read('learner_day', 'uma', ['opened']), [['1']])
})
