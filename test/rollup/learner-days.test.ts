import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { sql } from 'kysely'
import { DateTime } from 'luxon'
import t from 'tap'
import { openDatabase } from '../../src/database/open.js'
import { countColumns, learnerDays } from '../../src/rollup/learner-days.js'
import { processQueue } from '../../src/rollup/process-queue.js'
import { recordStatements } from '../../src/rollup/record-statements.js'
import { startWorker } from '../../src/rollup/worker.js'
import { prepareStatement } from '../../src/xapi/prepare.js'
import { testApp } from '../support/app.js'
import { opened, voiding } from '../support/statements.js'

const app = await testApp(t, { timeZone: 'America/New_York', poolSize: 6 })
const { db, post, putPeople, drain, tenantId } = app

const n = 'https://w3id.org/momentum-lrs/'
const agentOf = (name: string) => ({ mbox: `mailto:${name}@example.org` })
const did = (kind: string, name: string, timestamp: string, parts: object = {}) => ({
  actor: agentOf(name),
  verb: { id: `${n}verbs/${kind}` },
  object: { id: 'https://example.org/modules/feedback' },
  timestamp,
  ...parts
})

/** The counts of the days of whoever acts under an agent, without the zeros. */
async function daysOf(name: string): Promise<Record<string, Record<string, number>>> {
  const { rows } = await sql<{ day: string; counts: Record<string, number> }>`
    select day, to_jsonb(learner_day) - 'tenant_id' - 'person_id' - 'day' as counts from learner_day
    where person_id = (select person_id from person_agent join agent on agent.id = agent_id
      where ifi = ${JSON.stringify(['mbox', agentOf(name).mbox])})
    order by day`.execute(db)
  return Object.fromEntries(
    rows.map(({ day, counts }) => [
      day,
      Object.fromEntries(countColumns.flatMap(column => (counts[column] ? [[column, counts[column]]] : [])))
    ])
  )
}

const queueLength = async () => (await sql`select from rollup_queue`.execute(db)).rows.length

t.test('the worked example: a week of a learner, counted by hand', async t => {
  const about = { context: { extensions: { [`${n}extensions/subject`]: agentOf('ada') } } }
  const voided = { ...did('opened', 'ada', '2026-03-03T15:00:00Z'), id: randomUUID() }
  await putPeople([{ personId: 'ada', agents: [agentOf('ada')], cohorts: ['pilot'] }])
  await post([
    did('delivered', 'platform', '2026-03-02T13:00:00Z', about),
    did('opened', 'ada', '2026-03-02T14:00:00Z'),
    did('opened', 'ada', '2026-03-02T14:05:00Z'),
    // 23:59:59.9999999 in New York, and a moment later the next day.
    did('completed-task', 'ada', '2026-03-03T04:59:59.9999999Z'),
    did('visited', 'ada', '2026-03-03T05:00:00Z'),
    voided,
    // On 8 March the clock goes forward: the local day ends at 04:00 UTC.
    did('assessed', 'ada', '2026-03-09T03:59:59Z'),
    did('assessed', 'ada', '2026-03-09T04:00:00Z'),
    did('manager-check', 'mia', '2026-03-02T16:00:00Z', about),
    did('peer-feedback', 'ada', '2026-03-02T16:30:00Z', { object: { objectType: 'Agent', ...agentOf('mia') } }),
    did('endorsed', 'mia', '2026-03-02T17:00:00Z', about),
    did('sneezed', 'ada', '2026-03-02T18:00:00Z'),
    voiding(voided.id)
  ])
  await drain()
  t.same(await daysOf('ada'), {
    '2026-03-02': { delivered: 1, opened: 2, completed_task: 1, peer_feedback: 1, manager_check_received: 1 },
    '2026-03-03': { visited: 1, voided: 1 },
    '2026-03-08': { assessed: 1 },
    '2026-03-09': { assessed: 1 }
  })
  t.same(await daysOf('mia'), { '2026-03-02': { manager_check: 1, endorsed: 1, peer_feedback_received: 1 } })
  t.same(await daysOf('platform'), {}, 'who only delivers does nothing that counts')
  t.equal(await queueLength(), 0)
})

t.test('a day that loses its last event for a person loses its row', async t => {
  await post(did('opened', 'eve', '2026-03-02T12:00:00Z'))
  await drain()
  t.same(await daysOf('eve'), { '2026-03-02': { opened: 1 } })
  await putPeople([{ personId: 'eve', agents: [agentOf('eve'), agentOf('eve-at-home')] }])
  await drain()
  const { rows } = await sql`
    select from learner_day join person on person.id = person_id
    where first_agent_id = (select id from agent where ifi like '%mailto:eve@%')`.execute(db)
  t.equal(rows.length, 0)
  t.same(await daysOf('eve-at-home'), { '2026-03-02': { opened: 1 } })
})

t.test('a future event waits in quarantine until its time has come', async t => {
  const soon = new Date(Date.now() + 10 * 60_000)
  const almostNow = new Date(Date.now() + 4 * 60_000).toISOString()
  await post([did('opened', 'fay', soon.toISOString()), did('opened', 'fred', almostNow)])
  await drain()
  const [[day = '', counts] = []] = Object.entries(await daysOf('fay'))
  t.same(counts, { future: 1 })
  t.same(Object.values(await daysOf('fred')), [{ opened: 1 }], 'up to five minutes ahead is now')
  // Its session may reach into the next local day, which is then named too.
  const localDay = (instant: number) => DateTime.fromMillis(instant, { zone: 'America/New_York' }).toISODate()
  const days = new Set([localDay(soon.getTime()), localDay(soon.getTime() + 30 * 60_000)])
  t.equal(await queueLength(), days.size, 'what is not due stays')
  const count = async (asOf: Date) => {
    const window = { tenantId, timeZone: 'America/New_York', from: day, to: '9999-12-31', asOf }
    const { rows } = await sql<{ opened: number; future: number }>`
      select opened, future from (${learnerDays({ ...window, source: 'events' })}) as days
      where person_id = (select person_id from person_agent join agent on agent.id = agent_id
        where ifi = ${JSON.stringify(['mbox', agentOf('fay').mbox])})`.execute(db)
    return rows
  }
  t.same(await count(new Date(soon.getTime() - 5 * 60_000 - 1)), [{ opened: 0, future: 1 }])
  t.same(await count(new Date(soon.getTime() - 5 * 60_000)), [{ opened: 1, future: 0 }])
  // Time passes: the event and its row of the queue come nearer by ten minutes.
  await sql`update learning_event set "timestamp" = "timestamp" - interval '10 minutes'
    where agent_id = (select id from agent where ifi like '%mailto:fay@%')`.execute(db)
  await sql`update rollup_queue set due_at = due_at - interval '10 minutes'`.execute(db)
  await drain()
  t.same(await daysOf('fay'), { [day]: { opened: 1 } })
  t.equal(await queueLength(), 0)
})

t.test('timestamps at the ends of time go through like any other', async t => {
  await post([did('opened', 'old', '0001-01-01T00:00:00Z'), did('opened', 'late', '9999-12-31T23:59:59.9999999Z')])
  await drain()
  t.same(await daysOf('old'), { '0001-12-31 BC': { opened: 1 } }, 'New York was a day behind')
  t.same(await daysOf('late'), { '9999-12-31': { future: 1 } })
  await sql`delete from rollup_queue`.execute(db)
})

t.test('work that breaks off loses nothing and counts nothing twice', async t => {
  const statements = Array.from({ length: 30 }, (_, at) => did('opened', `gus-${at % 3}`, '2026-03-02T12:00:00Z'))
  await post(statements)
  const { db: doomed, pool } = openDatabase({ ...app, poolSize: 1, onError: () => undefined })
  const worker = processQueue(doomed, 100)
  worker.catch(() => undefined)
  const [client] = await once(pool, 'acquire')
  // The server ends the worker's connection in the middle of its transaction.
  await client.query('select pg_terminate_backend(pg_backend_pid())').catch(() => undefined)
  await t.rejects(worker)
  await doomed.destroy()
  t.equal(await queueLength(), 3, 'a row for each learner-day, still there')
  await drain()
  for (const name of ['gus-0', 'gus-1', 'gus-2']) t.same(await daysOf(name), { '2026-03-02': { opened: 10 } })
})

t.test('statement, event and queue row are written together or not at all', async t => {
  const statement = { ...opened, actor: agentOf('hal'), id: randomUUID(), timestamp: '2026-03-02T12:00:00Z' }
  const prepared = prepareStatement(
    { text: JSON.stringify(statement), value: statement },
    { makeId: randomUUID, authority: '{}', version: '1.0.3' }
  )
  for (const table of ['learning_event', 'rollup_queue']) {
    await sql`alter table ${sql.table(table)} add constraint broken check (tenant_id < 0) not valid`.execute(db)
    t.equal((await post(statement)).statusCode, 500)
    await sql`alter table ${sql.table(table)} drop constraint broken`.execute(db)
    t.equal((await app.get({ statementId: statement.id })).statusCode, 404)
    t.equal(await queueLength(), 0)
  }
  t.match(await recordStatements(db, tenantId, [prepared], { mayDefine: true }), [{ index: 0, id: statement.id }])
  t.same(await recordStatements(db, tenantId, [prepared], { mayDefine: true }), [], 'the same again is not new')
  t.equal(await queueLength(), 1)
  await drain()
})

t.test('a recomputation waits for whoever has the person, and then sees what was written meanwhile', async t => {
  await post(did('opened', 'ivy', '2026-03-02T12:00:00Z'))
  await drain()
  await post(did('opened', 'ivy', '2026-03-02T13:00:00Z'))
  const holder = await db.startTransaction().execute()
  await sql`select from person where first_agent_id = (select id from agent where ifi like '%mailto:ivy@%') for update`.execute(
    holder
  )
  const worker = processQueue(db, 100)
  for (let isBlocked = false; !isBlocked; await setImmediate()) {
    const { rows } = await sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(db)
    isBlocked = rows.length > 0
  }
  await post(did('opened', 'ivy', '2026-03-02T14:00:00Z'))
  await holder.commit().execute()
  t.equal(await worker, 1)
  t.same(await daysOf('ivy'), { '2026-03-02': { opened: 3 } })
  await drain()
  t.same(await daysOf('ivy'), { '2026-03-02': { opened: 3 } })
})

t.test(
  'a worker looks when it is woken and when it has rested, goes on after a failure, and stops in order',
  async t => {
    const errors: unknown[] = []
    const until = async (isDone: () => Promise<boolean>) => {
      const deadline = Date.now() + 10_000
      for (; !(await isDone()); await setImmediate()) {
        if (Date.now() > deadline) throw new Error('It was not done in time')
      }
    }
    const isEmpty = async () => (await queueLength()) === 0
    const patient = startWorker(db, {
      batchSize: 2,
      idleMs: 600_000,
      onError: error => errors.push(error),
      onFailedRow: ({ error }) => errors.push(error)
    })
    await post(Array.from({ length: 5 }, (_, at) => did('opened', `jay-${at}`, '2026-03-02T12:00:00Z')))
    patient.wake()
    await until(isEmpty)
    await sql`alter table learner_day add constraint broken check (opened < 0) not valid`.execute(db)
    await post(did('opened', 'joe', '2026-03-02T12:00:00Z'))
    patient.wake()
    await until(async () => errors.length > 0)
    t.match(errors[0], { constraint: 'broken' })
    await sql`alter table learner_day drop constraint broken`.execute(db)
    t.equal(await queueLength(), 1)
    await patient.stop()
    const restless = startWorker(db, {
      batchSize: 2,
      idleMs: 5,
      onError: error => errors.push(error),
      onFailedRow: ({ error }) => errors.push(error)
    })
    await until(isEmpty)
    await post(did('opened', 'joe', '2026-03-02T12:00:00Z'))
    await until(isEmpty)
    t.same(await daysOf('joe'), { '2026-03-02': { opened: 2 } })
    restless.wake()
    await restless.stop()
    t.equal(errors.length, 1)
  }
)
