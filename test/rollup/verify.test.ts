import { randomUUID } from 'node:crypto'
import { PassThrough } from 'node:stream'
import { sql } from 'kysely'
import t from 'tap'
import { runCommand } from '../../src/commands/run.js'
import { readConfig } from '../../src/config.js'
import type { Difference } from '../../src/rollup/difference.js'
import { verifyTenant } from '../../src/rollup/verify.js'
import { testApp } from '../support/app.js'
import { voiding } from '../support/statements.js'

const app = await testApp(t, { timeZone: 'Europe/Berlin', poolSize: 6 })
const { db, post, drain, tenantId } = app

const n = 'https://w3id.org/momentum-lrs/'
const module = 'https://example.org/modules/feedback'
const agentOf = (name: string) => ({ mbox: `mailto:${name}@example.org` })
const did = (kind: string, name: string, parts: object = {}) => ({
  id: randomUUID(),
  actor: agentOf(name),
  verb: { id: `${n}verbs/${kind}` },
  object: { id: module },
  timestamp: '2026-01-12T10:00:00Z',
  ...parts
})
const about = (name: string) => ({ context: { extensions: { [`${n}extensions/subject`]: agentOf(name) } } })
const result = {
  score: { scaled: 0.5, raw: 1, min: 0, max: 4 },
  success: true,
  completion: false,
  duration: 'PT5M',
  extensions: { [`${n}extensions/outcome-tags`]: ['confident'] }
}

/** What a verification finds, and how much it says is pending. */
async function verify() {
  const differences: Difference[] = []
  const { pending } = await verifyTenant(db, tenantId, difference => differences.push(difference))
  return { differences, pending }
}

const clean = { differences: [], pending: 0 }
const category = { contextActivities: { category: [{ id: 'https://example.org/categories/talking' }] } }
const scored = did('assessed', 'ada', { result, context: category })
const unmapped = did('sneezed', 'ada')

/** What `momentum …` prints, line by line, and the code that it ends with. */
async function momentum(...args: readonly string[]) {
  const lines: string[] = []
  let code = 0
  const keep = (line: string) => {
    lines.push(line)
  }
  const place = { config: readConfig({ DATABASE_URL: app.url }), log: keep, print: keep }
  const text = await runCommand(args, {
    ...place,
    exitWith: given => {
      code = given
    }
  })
  return { lines: [...lines, ...text.split('\n').filter(line => line !== '')], code }
}

t.test('a clean store has no differences, whatever is in it', async t => {
  const voided = did('opened', 'ada')
  await post([
    scored,
    unmapped,
    voided,
    voiding(voided.id),
    did('delivered', 'platform', about('ada')),
    did('started', 'ada', { object: { id: `${module}/more` } }),
    did('manager-check', 'mia', about('ada')),
    did('peer-feedback', 'ada', { object: { objectType: 'Agent', ...agentOf('mia') } }),
    did('terminated', 'ada', { result, timestamp: '2026-01-12T10:20:00Z', context: category }),
    did('opened', 'ada', { timestamp: '2999-01-01T00:00:00Z' })
  ])
  t.match(await verify(), { differences: [], pending: /[1-9]/ }, 'what the queue names is pending')
  await drain()
  t.same(await verify(), clean)
})

t.test('every corruption of every table is found, and told by table, key and column', async t => {
  const event = { table: 'learning_event', key: { statement: scored.id } }
  const day = { table: 'learner_day', key: { day: '2026-01-12' } }
  const weeks = { table: 'learner_weeks' }
  const time = { table: 'learner_time' }
  const categories = { table: 'learner_categories' }
  const activity = { table: 'learner_activity' }
  const begun = { table: 'learner_begun' }
  const step = { table: 'learner_step' }
  const attempt = { table: 'learner_attempt' }
  const ratio = { ...attempt, key: { scale: 'ratio', day: '2026-01-12' } }
  const corruptions: [string, object][] = [
    [
      `update learner_day set assessed = 7 where assessed = 1`,
      { ...day, column: 'assessed', stored: '7', recomputed: '1' }
    ],
    [`update learner_day set score_sum = 0.50 where score_n = 1`, { ...day, column: 'score_sum', recomputed: '0.5' }],
    [`update learner_day set active_ms = 0`, { ...day, column: 'active_ms', stored: null, recomputed: '1200000' }],
    [`update learner_day set session_starts = 2 where assessed = 1`, { ...day, column: 'session_starts' }],
    [`update learner_day set voided = 0`, { ...day, column: 'voided', stored: null, recomputed: '1' }],
    [`update learner_day set future = 2 where future = 1`, { table: 'learner_day', column: 'future' }],
    [`update learner_day set duration_ms = 1 where durations = 1`, { ...day, column: 'duration_ms' }],
    [`update learner_day set calendar_durations = 1`, { ...day, column: 'calendar_durations', recomputed: null }],
    [`update learner_day set first_delivered_at = null`, { ...day, column: 'first_delivered_at', stored: null }],
    [`update learner_day set first_manager_check_received_at = now()`, { column: 'first_manager_check_received_at' }],
    [`delete from learner_day where peer_feedback_received = 1`, { ...day, column: '(row)', stored: null }],
    [
      `insert into learner_day select (jsonb_populate_record(d, '{"person_id": 4711}')).* from learner_day as d limit 1`,
      { ...day, key: { person_id: 4711 }, column: '(row)', stored: 'exists', recomputed: null }
    ],
    [`update learner_weeks set active = 0`, { ...weeks, column: 'active', stored: null, recomputed: String(2 ** 28) }],
    [`update learner_weeks set opened = opened | 1`, { ...weeks, column: 'opened' }],
    [`update learner_weeks set session_starts_2 = 1`, { ...weeks, column: 'session_starts_2', recomputed: null }],
    [`update learner_weeks set is_busy = true`, { ...weeks, column: 'is_busy', stored: 'true', recomputed: null }],
    [`delete from learner_weeks where active <> 0`, { ...weeks, column: '(row)', stored: null }],
    [
      `insert into learner_weeks select (jsonb_populate_record(w, '{"person_id": 4711}')).* from learner_weeks as w limit 1`,
      { ...weeks, key: { person_id: 4711 }, column: '(row)', stored: 'exists', recomputed: null }
    ],
    [`update learner_time set timed = 0`, { ...time, column: 'timed', stored: null, recomputed: String(2 ** 28) }],
    [`update learner_time set active_ms = '{1}'`, { ...time, column: 'active_ms', stored: '{1}' }],
    [`update learner_time set duration_ms = null`, { ...time, column: 'duration_ms', recomputed: '{300000}' }],
    [`delete from learner_time`, { ...time, column: '(row)', stored: null }],
    [`update learner_categories set twos = '{0}'`, { ...categories, column: 'twos', recomputed: `{${2 ** 28}}` }],
    [`update learner_categories set scales = '{8}'`, { ...categories, column: 'scales', recomputed: '{1}' }],
    [`delete from learner_categories`, { ...categories, column: '(row)', stored: null, recomputed: 'exists' }],
    [`update learner_activity set attempts = 0`, { ...activity, column: 'attempts', recomputed: '1' }],
    [`update learner_activity set best_score = 1 where attempts = 1`, { ...activity, column: 'best_score' }],
    [`update learner_activity set outcome_tags = '{x}'`, { ...activity, column: 'outcome_tags', stored: '{x}' }],
    [`update learner_activity set last_at = now()`, { ...activity, column: 'last_at' }],
    [`update learner_activity set duration_ms = 0`, { ...activity, column: 'duration_ms', recomputed: '300000' }],
    [`update learner_activity set first_score_at = null`, { ...activity, column: 'first_score_at', stored: null }],
    [`delete from learner_activity where attempts = 1`, { ...activity, column: '(row)', stored: null }],
    [`update learner_begun set begun = array[now()]`, { ...begun, column: 'begun' }],
    [`update learner_begun set completed = array[now()]`, { ...begun, column: 'completed', recomputed: '{}' }],
    [`delete from learner_begun`, { ...begun, column: '(row)', stored: null }],
    [`update learner_step set before = day - 1`, { ...step, column: 'before', recomputed: null }],
    [`update learner_step set followed_on = day`, { ...step, column: 'followed_on', recomputed: null }],
    [`delete from learner_step where step = 'delivered'`, { ...step, column: '(row)', stored: null }],
    [
      `insert into learner_step select (jsonb_populate_record(s, '{"person_id": 4711}')).* from learner_step as s limit 1`,
      { ...step, key: { person_id: 4711 }, column: '(row)', stored: 'exists', recomputed: null }
    ],
    [`update learner_attempt set before = day - 1`, { ...attempt, column: 'before', recomputed: null }],
    [`update learner_attempt set after = day + 1`, { ...attempt, column: 'after', recomputed: null }],
    [`update learner_attempt set attempts = 2`, { ...ratio, column: 'attempts', stored: '2', recomputed: '1' }],
    [`update learner_attempt set alone = 1`, { ...ratio, column: 'alone', stored: '1', recomputed: null }],
    [`update learner_attempt set first_score = 0.50 where scale = 'scaled'`, { ...attempt, column: 'first_score' }],
    [`update learner_attempt set last_score = 1`, { ...ratio, column: 'last_score', stored: '1' }],
    [`update learner_attempt set best_score = 0`, { ...attempt, column: 'best_score', recomputed: '0.5' }],
    [`delete from learner_attempt where scale = 'ratio'`, { ...ratio, column: '(row)', stored: null }],
    [
      `insert into learner_attempt select (jsonb_populate_record(a, '{"person_id": 4711}')).* from learner_attempt as a limit 1`,
      { ...attempt, key: { person_id: 4711 }, column: '(row)', stored: 'exists', recomputed: null }
    ],
    [`update learning_event set score_scaled = 0.4 where kind = 'assessed'`, { ...event, column: 'score_scaled' }],
    [`update learning_event set duration_ms = 1 where kind = 'assessed'`, { ...event, column: 'duration_ms' }],
    [`update learning_event set success = false where kind = 'assessed'`, { ...event, column: 'success' }],
    [`update learning_event set outcome_tags = null where kind = 'assessed'`, { ...event, column: 'outcome_tags' }],
    [`update learning_event set day = '2026-01-13' where kind = 'assessed'`, { ...event, column: 'day' }],
    [`update learning_event set "timestamp" = now() where kind = 'assessed'`, { ...event, column: 'timestamp' }],
    [
      `update learning_event set module_id = null where kind = 'assessed'`,
      { ...event, column: 'module', stored: null }
    ],
    [`update learning_event set subject_agent_id = agent_id where kind = 'assessed'`, { ...event, column: 'subject' }],
    [
      `update learning_event set kind = 'opened' where kind = 'assessed'`,
      { ...event, column: 'kind', stored: 'opened' }
    ],
    [`delete from learning_event where kind = 'assessed'`, { ...event, column: '(row)', recomputed: 'assessed' }],
    [
      `insert into learning_event select (jsonb_populate_record(e, jsonb_build_object('statement_seq', s.seq))).*
        from learning_event as e, statement as s where kind = 'assessed' and s.id = '${unmapped.id}'`,
      { table: 'learning_event', key: { statement: unmapped.id }, column: '(row)', recomputed: null }
    ],
    [
      `insert into learning_event select (jsonb_populate_record(e, '{"statement_seq": 4711}')).*
        from learning_event as e where kind = 'assessed'`,
      { ...event, column: '(row)', stored: 'assessed', recomputed: null }
    ],
    [
      `delete from person_agent where agent_id = (select id from agent where ifi like '%mia%')`,
      { table: 'person_agent', key: { agent: '["mbox","mailto:mia@example.org"]' }, recomputed: 'exists' }
    ]
  ]
  const tables = [
    ...['learner_day', 'learner_weeks', 'learner_time', 'learner_categories'],
    ...['learner_activity', 'learner_begun', 'learner_step', 'learner_attempt'],
    ...['learning_event', 'person_agent']
  ]
  for (const table of tables) await sql.raw(`create table kept_${table} as table ${table}`).execute(db)
  for (const [corrupt, expected] of corruptions) {
    await sql.raw(corrupt).execute(db)
    const { differences } = await verify()
    t.ok(
      differences.some(difference => includes(difference, expected)),
      `${corrupt}: ${JSON.stringify(expected)}`
    )
    for (const table of tables) {
      await sql.raw(`delete from ${table}; insert into ${table} table kept_${table}`).execute(db)
    }
  }
  t.same(await verify(), clean)
})

/** Whether an object has all the members of another one, theirs included. */
function includes(whole: object, part: object): boolean {
  return Object.entries(part).every(([name, value]) => {
    const own = new Map<string, unknown>(Object.entries(whole)).get(name)
    return typeof value === 'object' && value !== null ? includes(Object(own), value) : own === value
  })
}

t.test('while statements are stored and workers run, a verification finds nothing', async t => {
  let isOver = false
  const ingest = async () => {
    for (let at = 0; !isOver; at++) {
      const statement = did('opened', `ben-${at % 5}`, { timestamp: new Date(Date.now() - at * 60_000).toISOString() })
      await post(at % 3 === 0 ? [statement, voiding(statement.id)] : statement)
      if (at % 2 === 0) await drain()
    }
  }
  const running = ingest()
  for (let at = 0; at < 10; at++) t.same((await verify()).differences, [])
  isOver = true
  await running
  await drain()
})

t.test('what is being derived anew is pending', async t => {
  await sql`update learner_day set opened = opened + 1`.execute(db)
  await sql`update learning_event set success = null where kind = 'assessed'`.execute(db)
  await sql`insert into derivation (tenant_id, reason, requested_by) values (${tenantId}, 'rebuild', 'test')`.execute(
    db
  )
  t.match(await verify(), { differences: [], pending: /[1-9]/ })
  await sql`update derivation set phase = 'rollups'`.execute(db)
  t.match(await verify(), { differences: [{ column: 'success' }], pending: /[1-9]/ })
  await sql`update learning_event set success = true where kind = 'assessed'`.execute(db)
})

t.test('momentum rebuild and momentum verify: the one makes right what the other finds', async t => {
  await sql`delete from derivation`.execute(db)
  t.match(await momentum('verify'), {
    code: 1,
    lines: [/^first: learner_day person_id \d+, day 2026-01-12: opened is 1, recomputed null$/]
  })
  const [line = ''] = (await momentum('verify', '--json', '--tenant', 'first')).lines
  t.match(JSON.parse(line), { tenant: 'first', table: 'learner_day', column: 'opened', stored: '1', recomputed: null })
  const rebuilt = await momentum('rebuild')
  t.equal(rebuilt.code, 0)
  t.same(rebuilt.lines.slice(-2), ['first: 100 %', 'first is rebuilt.'])
  t.ok(
    rebuilt.lines.slice(0, -2).every(line => /^first: \d0 %$/.test(line)),
    'with a line for tenths on the way'
  )
  t.match(await momentum('verify'), { code: 0, lines: [/^first: \d+ statements, .+: 0 differences, and 0 that wait/] })
  t.match(await momentum('verify', '--json'), {
    code: 0,
    lines: [/^\{"tenant":"first","statements":\d+,.*"pending":0\}$/]
  })
  t.match(JSON.parse((await momentum('rebuild', '--json')).lines.filter(line => !line.endsWith('%')).join('')), {
    rebuilt: ['first']
  })
  await t.rejects(momentum('verify', '--tenant', 'nobody'), { code: 'not-found' })
  await t.rejects(momentum('verify', 'first'), { name: 'UsageError' })
})

t.test('momentum rebuild draws a bar on a terminal, and waits for a process that is at it', async t => {
  const terminal = Object.assign(new PassThrough(), {
    isTTY: true,
    columns: 80,
    cursorTo: () => true,
    clearLine: () => true
  })
  const drawn: string[] = []
  terminal.on('data', chunk => drawn.push(String(chunk)))
  const { id } = await db
    .insertInto('derivation')
    .values({ tenant_id: tenantId, reason: 'rebuild', requested_by: 'another' })
    .returning('id')
    .executeTakeFirstOrThrow()
  const holder = await db.startTransaction().execute()
  await sql`select from derivation where id = ${id} for update`.execute(holder)
  const place = { config: readConfig({ DATABASE_URL: app.url }), log: () => undefined }
  const running = runCommand(['rebuild'], { ...place, terminal: terminal as unknown as NodeJS.WriteStream })
  while (!drawn.join('').includes('first')) await new Promise(setImmediate)
  await holder.commit().execute()
  t.equal(await running, 'first is rebuilt.\n')
  t.match(drawn.join(''), /100 %/)
})

t.test('momentum queue: what is parked is listed, and tried again', async t => {
  t.same(await momentum('queue', 'list'), { code: 0, lines: ['Nothing is parked.'] })
  await sql`
    insert into rollup_queue (tenant_id, person_id, day, attempts, last_error, parked_at)
    values (${tenantId}, 1, '2026-01-12', 5, 'P0001: poison', now())`.execute(db)
  t.match((await momentum('queue', 'list', '--tenant', 'first')).lines, [
    /^ID +TENANT +NAMES/,
    /^\d+ +first +person 1 on 2026-01-12 +5 .+P0001: poison$/
  ])
  t.match((await momentum('queue', 'retry')).lines, [/^1 rows are tried again/])
  await drain()
  t.same((await momentum('queue', 'list')).lines, ['Nothing is parked.'])
  await t.rejects(momentum('queue', 'nonsense'), { name: 'UsageError' })
})
