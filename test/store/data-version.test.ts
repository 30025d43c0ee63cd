import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import t from 'tap'
import { openDatabase } from '../../src/database/open.js'
import type { Database } from '../../src/database/schema.js'
import { setTimeZone } from '../../src/events/set-time-zone.js'
import { answerVersion, findAnswerVersion } from '../../src/metrics/answer-version.js'
import { noAttributes } from '../../src/people/attributes.js'
import { deleteAssignment } from '../../src/people/delete-assignment.js'
import { deleteCohort } from '../../src/people/delete-cohort.js'
import { putAssignments } from '../../src/people/put-assignments.js'
import { putCohort } from '../../src/people/put-cohort.js'
import { putHistory } from '../../src/people/put-history.js'
import { putPeople } from '../../src/people/put-people.js'
import { rehearsePeople } from '../../src/people/rehearse-people.js'
import { derive } from '../../src/rollup/derive.js'
import { erasePerson } from '../../src/rollup/erase-person.js'
import { postponeRow } from '../../src/rollup/failed-rows.js'
import { retryParkedRows } from '../../src/rollup/parked-rows.js'
import { processQueue } from '../../src/rollup/process-queue.js'
import { recordStatements } from '../../src/rollup/record-statements.js'
import { dataVersion, findDataVersion, raiseDataVersions } from '../../src/store/data-version.js'
import { ensureTenant } from '../../src/store/tenant.js'
import { ifiOf, mboxOf } from '../people/deals.js'
import { drain } from '../support/app.js'
import { testDatabase } from '../support/database.js'
import { receiveStatements } from '../support/receive.js'
import { opened } from '../support/statements.js'
import { assignment, authority, context, doingsIn, postTo, steps } from './doings.js'

const { db, url } = await testDatabase(t, 8)

const raiserName = 'raisers'
const openRaisers = () =>
  openDatabase({
    connection: { connectionString: `${url}&application_name=${raiserName}` },
    poolSize: 12,
    onError: () => undefined
  })

const post = (tenantId: number, statements: readonly unknown[], through = db) => postTo(through, tenantId, statements)

/** SQL for one text that tells all rows of a query. */
const told = (query: ReturnType<typeof sql>) => sql`(
  select md5(coalesce(string_agg(row::text, '|' order by row::text), '')) from (${query}) as row)`

const rollups = [
  ...(['learner_day', 'learner_activity', 'learner_begun', 'learner_step', 'learner_attempt'] as const),
  ...(['roster', 'cohort', 'assignment', 'event_mapping'] as const)
] as const

/** What answers are made from, with the versions that tell it, in one snapshot. */
async function look(tenantId: number, through: Kysely<Database> = db, asOf = new Date()) {
  const tables = rollups.map(table => told(sql`select * from ${sql.table(table)} where tenant_id = ${tenantId}`))
  const persons = told(sql`
    select id, external_id, name, merged_into from person where tenant_id = ${tenantId} and external_id is not null`)
  const zone = sql`(select time_zone from tenant where id = ${tenantId})`
  const warnings = told(sql`
    select id, null from derivation where tenant_id = ${tenantId} and phase <> 'done'
    union all select id, 'parked' from rollup_queue where tenant_id = ${tenantId} and parked_at is not null`)
  const events = told(sql`
    select event.*, done.person_id as who, about.person_id as whom,
      exists (select from statement where statement.tenant_id = event.tenant_id and voids = event.statement_id)
    from learning_event as event
    left join person_agent as done on done.tenant_id = event.tenant_id and done.agent_id = event.agent_id
    left join person_agent as about on about.tenant_id = event.tenant_id and about.agent_id = event.subject_agent_id
    where event.tenant_id = ${tenantId}`)
  const { rows } = await sql<{ version: number; strong: number | null; state: string; events: string }>`
    select ${dataVersion(tenantId)} as version, ${answerVersion({ tenantId, source: 'events', asOf })} as strong,
      concat_ws(' ', ${sql.join([...tables, persons, zone, warnings])}) as state, ${events} as events`.execute(through)
  return rows[0] ?? { version: -1, strong: null, state: '', events: '' }
}

/** Remembers what each version told, and says where one tells something else than before. */
function witness() {
  const states = new Map<string, string>()
  const isSame = (key: string, told: string) => {
    const known = states.get(key) ?? told
    states.set(key, told)
    return known === told
  }
  return ({ version, strong, state, events }: Awaited<ReturnType<typeof look>>): boolean =>
    isSame(`rollup ${version}`, state) && (strong === null || isSame(`events ${strong}`, events))
}

t.test('while a version stands, what it tells stands: after any doings, in rollups and in events', async t => {
  const bystander = await ensureTenant(db, 'bystander', 'UTC')
  await post(bystander.id, [opened])
  await drain(db)
  const untouched = await look(bystander.id)
  let told = 0
  await fc.assert(
    fc.asyncProperty(fc.array(doingsIn(db), { minLength: 5, maxLength: 25 }), async given => {
      const name = randomUUID()
      const { id } = await ensureTenant(db, name, 'UTC')
      await post(
        id,
        [0, 1, 2, 3, 4, 5].map(agent => ({ ...opened, actor: { mbox: mboxOf(agent) } }))
      )
      const isTrue = witness()
      let before = await look(id)
      for (const { what, run } of given) {
        await run(id, name)
        const after = await look(id)
        told += after.strong === null ? 0 : 1
        const path = `${what}: version ${before.version} to ${after.version}`
        if (!isTrue(after) || after.version < before.version) throw new Error(path)
        before = after
      }
      while ((await derive(db, steps)) > 0);
      await drain(db)
      if (!isTrue(await look(id))) throw new Error('at the end')
    }),
    { numRuns: 40 }
  )
  t.ok(told > 0, 'answers from events had a version, too')
  t.same(await look(bystander.id, db), untouched, 'another tenant has its own')
})

t.test('what changes nothing raises nothing', async t => {
  const { id } = await ensureTenant(db, 'still', 'UTC')
  t.equal(await findDataVersion(db, id), 0)
  const statements = receiveStatements([opened], authority)
  const record = { personId: 'p0', agents: [ifiOf(0)] }
  const ranges = [{ ...noAttributes, validFrom: null, validTo: null }]
  const erasing = { tenantId: id, requestedBy: 'test', passSize: 10 }
  const raising: Readonly<Record<string, () => Promise<unknown>>> = {
    people: () => putPeople(db, [record], context(id)),
    assignments: () => putAssignments(db, id, [assignment(0, null)], { dryRun: false }),
    worker: async () => {
      await recordStatements(db, id, statements, { mayDefine: false })
      await sql`insert into rollup_queue (tenant_id, agent_id, day)
        select tenant_id, agent_id, day from learning_event where tenant_id = ${id}`.execute(db)
      await processQueue(db, 100)
    },
    zone: () => setTimeZone(db, 'still', { timeZone: 'Asia/Tokyo', setBy: 'test' })
  }
  for (const [name, doing] of Object.entries(raising)) {
    const before = await findDataVersion(db, id)
    await doing()
    const once = await findDataVersion(db, id)
    t.equal(once, before + 1, `${name}: one transaction raises it by one`)
    await doing()
    t.equal(await findDataVersion(db, id), once, `${name}, again`)
  }
  const stands = await findDataVersion(db, id)
  await rehearsePeople(db, [{ ...record, team: 'x' }], context(id))
  await putAssignments(db, id, [assignment(0, '2026-05-01')], { dryRun: true })
  await putHistory(db, { tenantId: id, personId: 'p0' }, ranges, { dryRun: false })
  await erasePerson(db, { personId: 'p0' }, { ...erasing, isDryRun: true })
  await erasePerson(db, { agents: [ifiOf(99)] }, { ...erasing, isDryRun: false })
  t.equal(await deleteCohort(db, id, 'none'), false)
  t.equal(await deleteAssignment(db, id, 'none'), false)
  await db.transaction().execute(trx => raiseDataVersions(trx, []))
  t.equal(await findDataVersion(db, id), stands)
})

t.test('a row that is parked, and one that is tried again, raise it: answers warn of them', async t => {
  const { id } = await ensureTenant(db, 'parked', 'UTC')
  await sql`insert into rollup_queue (tenant_id, person_id, day, attempts) values (${id}, 0, '2026-03-01', 3)`.execute(
    db
  )
  const { id: row } = await db
    .selectFrom('rollup_queue')
    .select('id')
    .where('tenant_id', '=', id)
    .executeTakeFirstOrThrow()
  const fail = () => postponeRow(db, row, Object.assign(new Error('bad'), { code: '22003' }))
  t.match(await fail(), { isParked: false })
  t.equal(await findDataVersion(db, id), 0)
  await sql`update rollup_queue set due_at = clock_timestamp() where id = ${row}`.execute(db)
  t.match(await fail(), { isParked: true })
  t.equal(await findDataVersion(db, id), 1)
  t.equal(await retryParkedRows(db, id), 1)
  t.equal(await retryParkedRows(db, id), 0)
  t.equal(await findDataVersion(db, id), 2)
  await db.deleteFrom('rollup_queue').where('id', '=', row).execute()
})

t.test(
  'an answer from events has a version only while the rollups wait for nothing, and none was raised after asOf',
  async t => {
    const { id: tenantId } = await ensureTenant(db, 'strong', 'UTC')
    const find = (asOf: Date, source: 'events' | 'rollup' = 'events') =>
      findAnswerVersion(db, { tenantId, source, asOf })
    const soon = () => new Date(Date.now() + 1000)
    t.equal(await find(soon()), 0, 'nothing has happened yet')
    await post(tenantId, [opened])
    t.equal(await find(soon()), null, 'the statement is in the answer, and not in the version')
    t.equal(await find(soon(), 'rollup'), 0)
    const before = new Date()
    await drain(db)
    t.equal(await find(soon()), 1)
    t.equal(await find(before), null, 'raised since')
    t.equal(await find(before, 'rollup'), 1)
    const hour = 3_600_000
    await post(tenantId, [{ ...opened, timestamp: new Date(Date.now() + hour).toISOString() }])
    await drain(db)
    t.equal(await find(soon()), 2, 'counted as still to come')
    t.equal(await find(new Date(Date.now() + 2 * hour)), null, 'its time has come, and no worker has seen it')
  }
)

t.test(
  'workers, a roster import and others at once, over several tenants: no deadlock, no lost raise, no wrong version',
  async t => {
    const other = openRaisers()
    const tenants = await Promise.all(['x', 'y', 'z'].map(name => ensureTenant(db, name, 'UTC')))
    const rounds = 6
    const people = (round: number) =>
      Array.from({ length: 30 }, (_, at) => ({ personId: `p${at}`, agents: [ifiOf(at)], team: `team ${round}` }))
    for (const { id } of tenants) await putPeople(db, people(-1), context(id))
    const begun = await Promise.all(tenants.map(({ id }) => findDataVersion(db, id)))
    let isBusy = true
    const storing = tenants.map(async ({ id }) => {
      for (let round = 0; round < rounds; round++) {
        const actors = Array.from({ length: 30 }, (_, at) => ({ mbox: mboxOf(at) }))
        await post(
          id,
          actors.map(actor => ({ ...opened, actor })),
          other.db
        )
      }
    })
    const writing = tenants.flatMap(({ id }) => [
      async (round: number) => putPeople(other.db, people(round), context(id)),
      async (round: number) =>
        putAssignments(other.db, id, [assignment(1, `2026-04-0${round + 1}`)], { dryRun: false }),
      async (round: number) => putCohort(other.db, id, { id: 'c', name: `${round}`, filter: { role: ['a'] } })
    ])
    const written = writing.map(async write => {
      for (let round = 0; round < rounds; round++) await write(round)
    })
    const worker = async () => {
      while (isBusy) await processQueue(other.db, 40)
    }
    const wrong: number[] = []
    const watching = tenants.map(async ({ id }) => {
      const isTrue = witness()
      while (isBusy) if (!isTrue(await look(id))) wrong.push(id)
    })
    const done = Promise.all([...storing, ...written]).finally(() => {
      isBusy = false
    })
    await Promise.all([done, worker(), worker(), ...watching])
    t.same(wrong, [])
    const afterWriters = await Promise.all(tenants.map(({ id }) => findDataVersion(db, id)))
    afterWriters.forEach((version, at) => {
      t.ok(version >= (begun[at] ?? 0) + 3 * rounds, 'each transaction that changed something raised it by itself')
    })
    await drain(db)
    await other.db.destroy()
    t.equal(await deadlocks(), 0)
  }
)

t.test('raises of several tenants in opposite orders wait for each other and both count', async t => {
  const ids = await Promise.all(['v', 'w'].map(async name => (await ensureTenant(db, name, 'UTC')).id))
  const other = openRaisers()
  const raise = (order: readonly number[]) => other.db.transaction().execute(trx => raiseDataVersions(trx, order))
  await Promise.all(Array.from({ length: 20 }, (_, at) => raise(at % 2 === 0 ? ids : ids.toReversed())))
  await other.db.destroy()
  t.same(await Promise.all(ids.map(id => findDataVersion(db, id))), [20, 20])
  t.equal(await deadlocks(), 0)
})

/** Deadlocks since the database was made. Those who raised are gone by then, and have told all of theirs. */
async function deadlocks(): Promise<number> {
  const raisers = sql<{ left: number }>`
    select count(*) as left from pg_stat_activity
    where datname = current_database() and application_name = ${raiserName}`
  while (((await raisers.execute(db)).rows[0]?.left ?? 0) > 0);
  const { rows } = await sql<{ deadlocks: number }>`
    select deadlocks from pg_stat_database where datname = current_database()`.execute(db)
  return rows[0]?.deadlocks ?? Number.NaN
}
