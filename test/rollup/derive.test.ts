import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type RawBuilder, sql } from 'kysely'
import t, { type Test } from 'tap'
import { requestDerivation } from '../../src/events/derivations.js'
import { findMapping } from '../../src/events/find-mapping.js'
import type { MappingRule } from '../../src/events/mapping-rule.js'
import { putMapping } from '../../src/events/put-mapping.js'
import { setTimeZone } from '../../src/events/set-time-zone.js'
import { derive } from '../../src/rollup/derive.js'
import { countColumns } from '../../src/rollup/learner-days.js'
import { rebuildPersons } from '../../src/rollup/rebuild-rollups.js'
import { type TestApp, testApp } from '../support/app.js'

const n = 'https://w3id.org/momentum-lrs/'
const handedIn = 'https://lms.example/verbs/handed-in'
const course = 'https://types.example/course'
const agentOf = (name: string) => ({ mbox: `mailto:${name}@example.org` })
const did = (verb: string, name: string, timestamp: string, parts: object = {}) => ({
  actor: agentOf(name),
  verb: { id: verb },
  object: { id: 'https://example.org/modules/feedback' },
  timestamp,
  ...parts
})
const options = { chunkSize: 3, rebuildPersons }

/** Puts rules in force; what is stored follows when it is derived. */
async function put({ db, tenantId }: TestApp, rules: readonly MappingRule[]) {
  return putMapping(db, tenantId, { rules, createdBy: 'test', checkCurrent: () => undefined })
}

/** Derives until nothing is open, and recomputes what that has enqueued. */
async function deriveAll({ db, drain }: TestApp): Promise<void> {
  while ((await derive(db, options)) > 0);
  await drain()
}

/** Every learner-day as `name day` → the counts of kinds that are not 0. */
async function daysOf({ db }: TestApp): Promise<Record<string, Record<string, number>>> {
  const { rows } = await sql<{ key: string; counts: Record<string, number> }>`
    select split_part(split_part(ifi, ':', 2), '@', 1) || ' ' || day as key,
      to_jsonb(learner_day) - 'tenant_id' - 'person_id' - 'day' as counts
    from learner_day join person_agent using (tenant_id, person_id) join agent on agent.id = agent_id
    order by 1`.execute(db)
  return Object.fromEntries(
    rows.map(({ key, counts }) => [
      key,
      Object.fromEntries(countColumns.map(column => [column, counts[column]]).filter(([, count]) => count !== 0))
    ])
  )
}

const eventsOf = async ({ db }: TestApp) =>
  (await sql<{ statement_seq: number }>`select * from learning_event order by tenant_id, statement_seq`.execute(db))
    .rows

const derivations = async ({ db }: TestApp) =>
  db.selectFrom('derivation').select(['reason', 'phase', 'total', 'derived', 'changed']).orderBy('id').execute()

/** Resolves when so many connections wait for a lock, with what is asked of them done. */
async function waiting({ db }: TestApp, action: RawBuilder<unknown>, count = 1): Promise<void> {
  // Not in the transaction that holds the lock: that would see the activity of its first look only.
  const look = () =>
    sql`select ${action} from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
      db
    )
  while ((await look()).rows.length < count) await sleep(5)
}

const start = (t: Test, timeZone = 'UTC') => testApp(t, { timeZone, poolSize: 6 })

t.test('what is stored follows a changed mapping, counted by hand', async t => {
  const app = await start(t)
  const typed = { object: { id: 'https://example.org/courses/1', definition: { type: course } } }
  await app.post([
    did(handedIn, 'ada', '2026-03-02T10:00:00Z'),
    did(handedIn, 'ada', '2026-03-02T11:00:00Z'),
    did(handedIn, 'ben', '2026-03-03T10:00:00Z', typed),
    did(`${n}verbs/opened`, 'ada', '2026-03-02T09:00:00Z'),
    did(`${n}verbs/visited`, 'ben', '2026-03-04T09:00:00Z'),
    did(`${n}verbs/manager-check`, 'mia', '2026-03-02T12:00:00Z', {
      object: { objectType: 'Agent', ...agentOf('ben') }
    })
  ])
  await app.drain()
  t.same(await daysOf(app), {
    'ada 2026-03-02': { opened: 1 },
    'ben 2026-03-02': { manager_check_received: 1 },
    'ben 2026-03-04': { visited: 1 },
    'mia 2026-03-02': { manager_check: 1 }
  })
  const { mapping, derivationId } = await put(app, [
    { verb: handedIn, kind: 'completed-task' },
    { verb: handedIn, activityType: course, kind: 'completed' },
    { verb: `${n}verbs/visited`, kind: null },
    { verb: `${n}verbs/manager-check`, kind: 'peer-feedback' }
  ])
  t.equal(mapping.version, 1)
  t.type(derivationId, 'number')
  t.equal((await daysOf(app))['ben 2026-03-04']?.visited, 1, 'not before it is derived')
  await deriveAll(app)
  t.same(await daysOf(app), {
    'ada 2026-03-02': { opened: 1, completed_task: 2 },
    'ben 2026-03-02': { peer_feedback_received: 1 },
    'ben 2026-03-03': { completed: 1 },
    'mia 2026-03-02': { peer_feedback: 1 }
  })
  t.same(await derivations(app), [{ reason: 'mapping', phase: 'done', total: 5, derived: 5, changed: 5 }])

  t.same(await put(app, mapping.tenantRules), { mapping: await findMapping(app.db, app.tenantId), derivationId: null })
  const restated = [...mapping.tenantRules, { verb: `${n}verbs/opened`, kind: 'opened' as const }]
  t.match(await put(app, restated), { mapping: { version: 2 }, derivationId: null }, 'which changes no kind')
  await put(app, [])
  await deriveAll(app)
  t.same(await daysOf(app), {
    'ada 2026-03-02': { opened: 1 },
    'ben 2026-03-02': { manager_check_received: 1 },
    'ben 2026-03-04': { visited: 1 },
    'mia 2026-03-02': { manager_check: 1 }
  })
})

t.test('new statements go by a new mapping at once, also where this process has not seen it yet', async t => {
  const app = await start(t)
  await app.post(did(handedIn, 'ada', '2026-03-02T10:00:00Z'))
  await put(app, [{ verb: handedIn, kind: 'completed-task' }])
  await app.post(did(handedIn, 'ben', '2026-03-02T10:00:00Z'))
  t.match(await eventsOf(app), [{ kind: 'completed-task' }])
  await put(app, [{ verb: handedIn, kind: null }])
  await app.post(did(handedIn, 'cid', '2026-03-02T10:00:00Z'))
  t.equal((await eventsOf(app)).length, 1, 'and to a mapping that gives them no kind')
})

t.test('a voided statement and one that is still to come are counted as such', async t => {
  const app = await start(t)
  const voided = { ...did(handedIn, 'ada', '2026-03-02T10:00:00Z'), id: randomUUID() }
  await app.post([
    voided,
    {
      ...did('http://adlnet.gov/expapi/verbs/voided', 'ada', '2026-03-02T10:00:00Z'),
      object: { objectType: 'StatementRef', id: voided.id }
    },
    did(handedIn, 'ada', '2999-01-01T10:00:00Z')
  ])
  await put(app, [{ verb: handedIn, kind: 'completed-task' }])
  await deriveAll(app)
  t.same(await daysOf(app), { 'ada 2026-03-02': { voided: 1 }, 'ada 2999-01-01': { future: 1 } })
  const { rows } = await sql`select day, due_at from rollup_queue`.execute(app.db)
  t.same(rows, [{ day: '2999-01-01', due_at: '2999-01-01 09:55:00+00' }], 'counted again when its time has come')
})

t.test('a changed zone moves events across midnight, and days of 23 and 25 hours are cut right', async t => {
  const app = await start(t)
  const times = {
    // Berlin is an hour ahead until 29 March 2026, 01:00 UTC, and two until 25 October, 01:00 UTC.
    '2026-03-28T22:59:59.999Z': '2026-03-28',
    '2026-03-28T23:00:00Z': '2026-03-29',
    '2026-03-29T21:59:59Z': '2026-03-29',
    '2026-03-29T22:00:00Z': '2026-03-30',
    '2026-10-24T21:59:59Z': '2026-10-24',
    '2026-10-24T22:00:00Z': '2026-10-25',
    '2026-10-25T22:59:59Z': '2026-10-25',
    '2026-10-25T23:00:00Z': '2026-10-26',
    '2026-06-01T12:00:00Z': '2026-06-01'
  }
  await app.post(Object.keys(times).map(time => did(`${n}verbs/opened`, 'ada', time)))
  await app.drain()
  const counted = (days: readonly string[]) => {
    const counts: Record<string, { opened: number }> = {}
    for (const day of days) counts[`ada ${day}`] = { opened: (counts[`ada ${day}`]?.opened ?? 0) + 1 }
    return counts
  }
  const inUtc = counted(Object.keys(times).map(time => time.slice(0, 10)))
  t.same(await daysOf(app), inUtc)
  const changed = await setTimeZone(app.db, 'first', { timeZone: 'Europe/Berlin', setBy: 'test' })
  t.match(changed, { tenant: { id: app.tenantId, timeZone: 'Europe/Berlin' }, derivationId: Number })
  await app.post(did(`${n}verbs/visited`, 'ada', '2026-07-01T23:00:00Z'))
  await deriveAll(app)
  const inBerlin = { ...counted(Object.values(times)), 'ada 2026-07-02': { visited: 1 } }
  t.same(await daysOf(app), inBerlin)
  t.match(await derivations(app), [{ reason: 'time-zone', phase: 'done', total: 10, derived: 10, changed: 4 }])
  t.match(await setTimeZone(app.db, 'first', { timeZone: 'Europe/Berlin', setBy: 'test' }), { derivationId: null })
  t.equal(await setTimeZone(app.db, 'nowhere', { timeZone: 'UTC', setBy: 'test' }), null)
  await setTimeZone(app.db, 'first', { timeZone: 'UTC', setBy: 'test' })
  await deriveAll(app)
  t.same(await daysOf(app), { ...inUtc, 'ada 2026-07-01': { visited: 1 } }, 'and back')
})

t.test('a step that is broken off with its connection leaves no trace, and the rest gives the same', async t => {
  const app = await start(t)
  const { db } = app
  await app.post(Array.from({ length: 10 }, (_, at) => did(handedIn, `learner${at}`, `2026-03-02T10:00:0${at}Z`)))
  await put(app, [{ verb: handedIn, kind: 'completed-task' }])
  // The beginning, the counting and the first three statements.
  for (let step = 0; step < 3; step++) t.equal(await derive(db, options), 1)
  const half = await eventsOf(app)
  t.equal(half.length, 3)
  await db.transaction().execute(async trx => {
    await sql`lock table rollup_queue in share mode`.execute(trx)
    const killed = t.rejects(derive(db, options), 'its connection is gone')
    await waiting(app, sql`pg_terminate_backend(pid)`)
    await killed
  })
  t.same(await eventsOf(app), half, 'nothing of the step is kept')
  t.match(await derivations(app), [{ derived: 3, changed: 3 }])
  await deriveAll(app)
  t.equal((await eventsOf(app)).length, 10)
  t.match(await derivations(app), [{ phase: 'done', total: 10, derived: 10, changed: 10 }])
  t.equal(Object.keys(await daysOf(app)).length, 10)
})

t.test('a statement that is being stored by the old mapping when a new one is put gets its event', async t => {
  const app = await start(t)
  const { db } = app
  let posted: ReturnType<typeof app.post> | null = null
  let begun: Promise<number> | null = null
  await db.transaction().execute(async trx => {
    // What it says of its actor is written last, after its events, of which there are none.
    await sql`lock table agent_name in share mode`.execute(trx)
    posted = app.post({ ...did(handedIn, 'ada', '2026-03-02T10:00:00Z'), actor: { name: 'Ada', ...agentOf('ada') } })
    await waiting(app, sql`pid`)
    await put(app, [{ verb: handedIn, kind: 'completed-task' }])
    begun = derive(db, options)
    await waiting(app, sql`pid`, 2)
    t.equal(await derive(db, options), 0, 'another process does not go ahead')
  })
  t.match(await posted, { statusCode: 200 })
  t.equal(await begun, 1)
  await deriveAll(app)
  t.match(await derivations(app), [{ phase: 'done', total: 1, changed: 1 }])
  t.same(await daysOf(app), { 'ada 2026-03-02': { completed_task: 1 } })
})

t.test('a statement that is erased meanwhile gets no event', async t => {
  const app = await start(t)
  const { db } = app
  await app.post([did(handedIn, 'ada', '2026-03-02T10:00:00Z'), did(handedIn, 'ben', '2026-03-02T10:00:00Z')])
  await put(app, [{ verb: handedIn, kind: 'completed-task' }])
  t.equal(await derive(db, options), 1)
  t.equal(await derive(db, options), 1)
  let step: Promise<number> | null = null
  await db.transaction().execute(async trx => {
    await sql`delete from statement where text like '%ada@%'`.execute(trx)
    step = derive(db, options)
    await waiting(app, sql`pid`)
  })
  t.equal(await step, 1)
  await deriveAll(app)
  t.same(Object.keys(await daysOf(app)), ['ben 2026-03-02'])
})

t.test('a rebuild repairs events and learner-days, whatever has happened to them', async t => {
  const app = await start(t)
  const { db, tenantId } = app
  await app.post(
    Array.from({ length: 8 }, (_, at) => did(`${n}verbs/opened`, `learner${at % 4}`, `2026-03-0${1 + at}T10:00:00Z`))
  )
  await app.drain()
  const events = await eventsOf(app)
  const days = await daysOf(app)
  await sql`delete from learning_event where statement_seq % 3 = 0`.execute(db)
  await sql`update learning_event set kind = 'visited', day = day + 1, activity_id = null where statement_seq % 3 = 1`.execute(
    db
  )
  await sql`delete from learner_day where extract(day from day)::integer % 2 = 0`.execute(db)
  await sql`update learner_day set opened = 7`.execute(db)
  // Of an agent that the worker has not met: its queue rows are lost.
  await app.post(did(`${n}verbs/opened`, 'stranger', '2026-03-01T10:00:00Z'))
  await sql`delete from rollup_queue`.execute(db)
  const request = { tenantId, reason: 'rebuild', verbIds: null, requestedBy: 'test' } as const
  await db.transaction().execute(trx => requestDerivation(trx, request))
  await deriveAll(app)
  t.same((await eventsOf(app)).slice(0, 8), events)
  t.same(await daysOf(app), { ...days, 'stranger 2026-03-01': { opened: 1 } })
  t.match(await derivations(app), [{ phase: 'done', total: 9, derived: 9 }])
})

t.test('a tenant’s derivations go in their order, and one that fails holds up no other tenant', async t => {
  const app = await start(t)
  const { db, tenantId } = app
  const north = await app.addCaller('north')
  for (const caller of [app, north]) await caller.post(did(handedIn, 'ada', '2026-03-02T10:00:00Z'))
  const ask = (tenant: number, reason: 'mapping' | 'rebuild') =>
    db
      .transaction()
      .execute(trx => requestDerivation(trx, { tenantId: tenant, reason, verbIds: null, requestedBy: 'test' }))
  await ask(tenantId, 'rebuild')
  await ask(tenantId, 'mapping')
  await ask(north.tenantId, 'mapping')
  const failing = { ...options, rebuildPersons: () => Promise.reject(new Error('broken')) }
  const phases = async () => (await derivations(app)).map(({ phase }) => phase)
  for (let tries = 0; tries < 200 && (await phases())[2] !== 'done'; tries++) {
    await derive(db, failing).catch(error => t.match(error, { message: 'broken' }))
  }
  t.match(await phases(), [/events|rollups/, 'events', 'done'])
  await deriveAll(app)
  t.same(await phases(), ['done', 'done', 'done'])
})
