import fc from 'fast-check'
import { sql } from 'kysely'
import t from 'tap'
import { isConnectionLost, isPoolExhausted } from '../../src/database/connection-loss.js'
import { executeKept } from '../../src/database/kept-plan.js'
import { openDatabase } from '../../src/database/open.js'
import { parameter, prepareQuery, runTogether, withoutScans } from '../../src/database/prepared-query.js'
import { plainArray, textArray } from '../../src/database/wire-array.js'
import { testDatabase } from '../support/database.js'

const { db, connection } = await testDatabase(t, 1)

const echo = prepareQuery(
  'echo',
  () =>
    sql`select array_to_json(${parameter('texts')}::text[]), array_to_json(${parameter('numbers')}::integer[]), ${'fixed'}::text,
      array_length(${parameter('texts')}::text[], 1)`
)
const transactionId = prepareQuery(
  'transaction-id',
  () => sql`select pg_current_xact_id(), current_setting('enable_seqscan')`
)
const insert = prepareQuery('insert', () => sql`insert into kept values (${parameter('n')}::integer) returning n`)
const fail = prepareQuery('fail', () => sql`select 1 / ${parameter('n')}::integer`)

t.test('arrays come as they were given, whatever is in them', async t => {
  const texts = fc.array(
    fc.option(fc.string({ unit: 'binary' }).filter(text => !text.includes('\0') && text.isWellFormed())),
    { maxLength: 20 }
  )
  const numbers = fc.array(fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })), { maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(texts, numbers, async (texts, numbers) => {
      const values = { texts: textArray(texts), numbers: plainArray(numbers) }
      const [rows] = await runTogether(db, [{ query: echo(db), values }])
      const [gotTexts, gotNumbers, fixed] = rows?.[0] ?? []
      t.same(JSON.parse(gotTexts ?? ''), texts)
      t.same(JSON.parse(gotNumbers ?? ''), numbers)
      t.equal(fixed, 'fixed')
    }),
    { numRuns: 60 }
  )
})

t.test('a value that is asked for twice is sent once, and one that is not given is null', async t => {
  t.same(echo(db).parameters.slice(0, 2), ['texts', 'numbers'])
  t.equal(echo(db).parameters.length, 3)
  const [rows] = await runTogether(db, [{ query: echo(db), values: {} }])
  t.same(rows, [[null, null, 'fixed', null]])
})

t.test('queries that run together are one transaction, and its settings end with it', async t => {
  const step = { query: transactionId(db), values: {} }
  const [, one, two] = await runTogether(db, [{ query: withoutScans(db), values: {} }, step, step])
  t.same(one, two)
  t.equal(one?.[0]?.[1], 'off')
  const [three] = await runTogether(db, [step])
  t.not(three?.[0]?.[0], one?.[0]?.[0])
  t.equal(three?.[0]?.[1], 'on')
})

t.test('when one fails nothing of the others is kept, and the next ones run', async t => {
  await sql`create table kept (n integer)`.execute(db)
  const inserting = { query: insert(db), values: { n: '1' } }
  await t.rejects(runTogether(db, [inserting, { query: fail(db), values: { n: '0' } }]), { code: '22012' })
  t.same(await runTogether(db, [inserting, { query: fail(db), values: { n: '1' } }]), [[['1']], [['1']]])
  t.same((await sql`select n from kept`.execute(db)).rows, [{ n: 1 }])
})

t.test('a transaction has no prepared queries', async t => {
  await t.rejects(
    db.transaction().execute(trx => runTogether(trx, [{ query: echo(db), values: {} }])),
    TypeError
  )
})

t.test('the loss of a connection is known by its code, or as the driver words it', async t => {
  const lost = [{ code: '57P01' }, { code: 'ECONNRESET' }, new Error('Connection terminated unexpectedly')]
  for (const error of lost) t.ok(isConnectionLost(error))
  const others = [
    { code: '23505' },
    new Error('Cannot read properties'),
    null,
    { code: '22012', message: 'Connection terminated' }
  ]
  for (const error of others) t.notOk(isConnectionLost(error))
  t.ok(isPoolExhausted(new Error('timeout exceeded when trying to connect')))
  t.notOk(isPoolExhausted(undefined))
})

t.test(
  'a query that comes again with other values keeps its plan, in a transaction it is planned each time',
  async t => {
    const kept = async (on: typeof db, n: number) =>
      (await executeKept(on, sql<{ n: number }>`select ${n}::integer as n`))[0]?.n
    const names = async () => {
      const { rows } = await sql<{ generic: number; custom: number }>`
      select generic_plans as generic, custom_plans as custom from pg_prepared_statements
      where statement = 'select $1::integer as n'`.execute(db)
      return rows
    }
    t.equal(await db.transaction().execute(trx => kept(trx, 7)), 7)
    t.strictSame(await names(), [])
    for (let n = 0; n < 8; n++) t.equal(await kept(db, n), n)
    t.strictSame(await names(), [{ generic: 3, custom: 5 }])
    await t.rejects(executeKept(db, sql<object>`select 1 / ${0}::integer`), { code: '22012' })
  }
)

t.test('who listens hears of queries whose plans are kept, and of those that fail', async t => {
  const heard: boolean[] = []
  const { db: listened } = openDatabase({
    connection,
    poolSize: 1,
    onError: () => undefined,
    onQuery: ({ hasFailed }) => heard.push(hasFailed)
  })
  await executeKept(listened, sql<object>`select ${1}::integer`)
  await t.rejects(executeKept(listened, sql<object>`select 1 / ${0}::integer`), { code: '22012' })
  t.strictSame(heard, [false, true])
  await listened.destroy()
})

t.test('there are only so many texts whose plans are kept', async t => {
  for (let n = 0; n < 210; n++) await executeKept(db, sql<object>`select ${n}::integer, ${sql.raw(String(n))}`)
  const { rows } = await sql<{ n: number }>`
    select count(*)::integer as n from pg_prepared_statements where name like 'kept-%'`.execute(db)
  // Some of the 200 were asked of another connection.
  t.ok(Number(rows[0]?.n) > 190 && Number(rows[0]?.n) <= 200, `${rows[0]?.n} plans`)
})
