import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { sql } from 'kysely'
import pg from 'pg'
import t from 'tap'
import { makeStatement } from '../../bench/statements.js'
import { rememberedMapping } from '../../src/events/find-mapping.js'
import { learningEventOf } from '../../src/events/learning-event.js'
import { type BatchAtOnce, recordAtOnce } from '../../src/rollup/record-at-once.js'
import { recordStatements } from '../../src/rollup/record-statements.js'
import { internTogether } from '../../src/store/dictionary.js'
import { ensureTenant } from '../../src/store/tenant.js'
import { parseStatements } from '../../src/xapi/parse.js'
import { type PreparedStatement, prepareStatement } from '../../src/xapi/prepare.js'
import { testApp } from '../support/app.js'
import { opened } from '../support/statements.js'

const app = await testApp(t, { poolSize: 6 })
const { db } = app

const authority = '{"objectType":"Agent","account":{"homePage":"https://example.org","name":"key"}}'

function prepare(statements: readonly object[]): readonly PreparedStatement[] {
  const limits = { maxStatements: 1000, maxDepth: 100 }
  return parseStatements(JSON.stringify(statements), limits).map(received =>
    prepareStatement(received, { makeId: randomUUID, authority, version: '1.0.3' })
  )
}

async function makeTenant(timeZone: string): Promise<number> {
  return (await ensureTenant(db, randomUUID(), timeZone)).id
}

const namespace = 'https://w3id.org/momentum-lrs/'

/** Statements of all shapes, some without a timestamp, in the future, about somebody, and with texts that are hard to quote. */
function mixed(count: number): readonly object[] {
  return Array.from({ length: count }, (_, n) => {
    const { timestamp, ...made } = makeStatement(7, n)
    return {
      ...made,
      ...(n % 5 === 0 ? {} : { timestamp: n % 7 === 0 ? '2999-12-31T23:59:59.9999999Z' : timestamp }),
      ...(n % 4 === 0
        ? {
            verb: { id: `${namespace}verbs/peer-feedback` },
            context: {
              platform: `"a\\b" {${n}, NULL}`,
              team: { objectType: 'Group', name: 'Tëam ✓', account: { homePage: 'https://example.org', name: 'null' } },
              contextActivities: { category: [{ id: 'https://example.org/c' }] },
              extensions: {
                [`${namespace}extensions/subject`]: { mbox: 'mailto:subject@example.org' },
                [`${namespace}extensions/cohort`]: 'spring, 2026'
              }
            },
            result: { extensions: { [`${namespace}extensions/outcome-tags`]: ['needs "practice"', 'a,b'] } }
          }
        : {})
    }
  })
}

/** All that a tenant has of its statements, with words in the place of numbers, and no trace of when it was stored. */
async function contentsOf(tenantId: number, ids: readonly string[]) {
  const stored = sql`replace(text, to_char(stored at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'stored')`
  const word = (table: string, id: string) =>
    sql`(select ${sql.ref(table === 'agent' ? 'ifi' : 'iri')} from ${sql.table(table)} as word where word.tenant_id = ${tenantId} and word.id = ${sql.ref(id)})`
  const own = sql`select seq from statement where tenant_id = ${tenantId} and id = any(${ids}::uuid[])`
  const queries = {
    statement: sql`select id, nullif("timestamp", stored) as at, ${word('verb', 'verb_id')} as verb,
      ${word('agent', 'authority_id')} as authority, registration, refers_to, voids, ${stored} as text
      from statement where tenant_id = ${tenantId} and id = any(${ids}::uuid[]) order by seq`,
    agents: sql`select ${word('agent', 'agent_id')} as word, is_related, seq = via_seq as own, (select id from statement where statement.seq = link.seq) as id
      from statement_agent as link where seq in (${own}) order by link.seq, 1, 2`,
    activities: sql`select ${word('activity', 'activity_id')} as word, is_related, seq = via_seq as own, (select id from statement where statement.seq = link.seq) as id
      from statement_activity as link where seq in (${own}) order by link.seq, 1, 2`,
    events: sql`select to_jsonb(event) - array['tenant_id', 'statement_seq', 'timestamp', 'day', 'agent_id', 'subject_agent_id',
        'module_id', 'activity_id', 'activity_type_id', 'category_ids', 'manager_agent_id'] as values,
      nullif(event."timestamp", stored) as at, case when event."timestamp" <> stored then day end as day,
      ${word('agent', 'event.agent_id')} as agent, ${word('agent', 'subject_agent_id')} as subject,
      ${word('agent', 'manager_agent_id')} as manager, ${word('activity', 'module_id')} as module,
      ${word('activity', 'activity_id')} as activity, (select array_agg(iri order by place) from unnest(category_ids) with ordinality as category(number, place)
        join activity on activity.tenant_id = event.tenant_id and activity.id = number) as categories
      from learning_event as event join statement on seq = statement_seq and statement.tenant_id = event.tenant_id
      where statement_seq in (${own}) order by statement_seq`,
    queue: sql`select ${word('agent', 'agent_id')} as agent, day, ${word('activity', 'module_id')} as module,
      ${word('activity', 'activity_id')} as activity, due_at > clock_timestamp() as later, count(*)::integer
      from rollup_queue where tenant_id = ${tenantId} group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5`
  }
  const contents: Record<string, unknown> = {}
  for (const [name, query] of Object.entries(queries)) {
    const text = JSON.stringify((await query.execute(db)).rows)
    contents[name] = JSON.parse(text)
  }
  return contents
}

t.test('what is recorded at once is what is recorded step by step', async t => {
  const statements = mixed(140)
  const prepared = prepare(statements)
  const ids = prepared.map(({ id }) => id)
  const [quick, slow] = [await makeTenant('Pacific/Auckland'), await makeTenant('Pacific/Auckland')]
  // Whoever is referred to already is recorded step by step.
  const referrer = { ...opened, id: randomUUID(), object: { objectType: 'StatementRef', id: ids[3] } }
  await recordStatements(db, slow, prepare([referrer]), { mayDefine: false })
  await sql`delete from rollup_queue where tenant_id = ${slow}`.execute(db)
  const results = []
  for (const tenantId of [quick, slow]) {
    results.push(await recordStatements(db, tenantId, prepared, { mayDefine: false }))
  }
  const shown = results.map(inserted => inserted.map(({ index, id }) => ({ index, id })))
  t.same(shown[0], shown[1])
  t.same(await contentsOf(quick, ids), await contentsOf(slow, ids))
  const [first] = results
  const { rows } = await sql<{
    seq: number
  }>`select seq from statement where tenant_id = ${quick} order by seq`.execute(db)
  t.same(
    first?.map(({ seq }) => seq),
    rows.map(({ seq }) => seq)
  )
})

async function batchOf(tenantId: number, statements: readonly PreparedStatement[]): Promise<BatchAtOnce> {
  const mapping = await rememberedMapping(db, tenantId)
  const events = statements.map(statement => learningEventOf(statement, mapping))
  const numbers = await internTogether(db, tenantId, {
    verb: statements.map(({ verb }) => verb),
    activity: statements.flatMap(({ activities }) => [...activities.direct, ...activities.related]),
    agent: statements.flatMap(({ agents, authority }) => [...agents.direct, ...agents.related, authority])
  })
  return { tenantId, version: mapping.version, statements, events, numbers: { ...numbers, erasures: 0 } }
}

t.test('nothing is recorded at once when something is special', async t => {
  const tenantId = await makeTenant('UTC')
  const [known, target] = [randomUUID(), randomUUID()]
  const referring = (id: string) => ({ ...opened, id: randomUUID(), object: { objectType: 'StatementRef', id } })
  await recordStatements(db, tenantId, prepare([{ ...opened, id: known }, referring(target)]), { mayDefine: false })
  const fresh = () => ({ ...opened, id: randomUUID() })
  const count = async () =>
    (await sql<{ n: number }>`select count(*)::integer as n from statement where tenant_id = ${tenantId}`.execute(db))
      .rows[0]?.n
  const cases: Readonly<Record<string, BatchAtOnce>> = {
    'no statements': await batchOf(tenantId, []),
    'a statement that is stored': await batchOf(tenantId, prepare([fresh(), { ...opened, id: known }])),
    'a statement that is referred to': await batchOf(tenantId, prepare([fresh(), { ...opened, id: target }])),
    'a statement that refers to another': await batchOf(tenantId, prepare([fresh(), referring(known)])),
    'another version of the mapping': { ...(await batchOf(tenantId, prepare([fresh()]))), version: 7 }
  }
  for (const [what, batch] of Object.entries(cases)) t.equal(await recordAtOnce(db, batch), null, what)
  const erased = await batchOf(tenantId, prepare([fresh()]))
  await sql`update tenant set erasures = 1 where id = ${tenantId}`.execute(db)
  t.equal(await recordAtOnce(db, erased), null, 'an erasure since the numbers were found')
  t.equal(await count(), 2)
  t.equal((await recordAtOnce(db, { ...erased, numbers: { ...erased.numbers, erasures: 1 } }))?.length, 1)
  t.equal(await count(), 3)
})

t.test('a statement that another transaction is just storing is waited for, and then nothing is recorded', async t => {
  const tenantId = await makeTenant('UTC')
  const batch = await batchOf(tenantId, prepare([{ ...opened, id: randomUUID() }]))
  const trx = await db.startTransaction().execute()
  await sql`insert into statement (tenant_id, id, stored, "timestamp", verb_id, authority_id, text)
    values (${tenantId}, ${batch.statements[0]?.id}, now(), now(), 1, 1, '{}')`.execute(trx)
  const recorded = recordAtOnce(db, batch)
  await blockedBackend()
  await trx.commit().execute()
  t.equal(await recorded, null)
})

/** Waits until somebody waits for a lock. */
async function blockedBackend(): Promise<number> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const { rows } = await sql<{ pid: number }>`
      select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(db)
    if (rows[0] !== undefined) return rows[0].pid
    if (Date.now() > deadline) throw new Error('Nobody waits for a lock')
    await setImmediate()
  }
}

t.test('a POST whose connection is cut is stored by another one', async t => {
  const id = randomUUID()
  await app.post(opened)
  const trx = await db.startTransaction().execute()
  await sql`lock table statement in share row exclusive mode`.execute(trx)
  const posted = app.post({ ...opened, id })
  await sql`select pg_terminate_backend(${await blockedBackend()})`.execute(db)
  await trx.rollback().execute()
  t.equal((await posted).statusCode, 200)
  t.equal((await app.get({ statementId: id })).statusCode, 200)
})

t.test('requests that meet connections which the server has closed are answered, or told to come again', async t => {
  // Its own connection: one of the pool could be among those that the round before has closed.
  const cutter = new pg.Client({ ...app.connection })
  await cutter.connect()
  t.teardown(() => cutter.end())
  for (let round = 0; round < 5; round++) {
    const cut = cutter.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`)
    const answers = await Promise.all([cut.then(() => app.post(opened)), app.post(opened), app.get({ limit: '1' })])
    for (const { statusCode, headers } of answers) {
      t.ok(statusCode === 200 || (statusCode === 503 && headers['retry-after'] === '1'), `${statusCode}`)
    }
  }
})
