import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import t from 'tap'
import { migrationsFolder, openDatabase } from '../../src/database/open.js'
import { emptyDatabase, testDatabase } from '../support/database.js'

t.test('values come as the row types say: no digit is lost on the way', async t => {
  const { db } = await emptyDatabase(t)
  const { rows } = await sql`
    select 9007199254740991::int8 as int8, array[1, null, 3]::int8[] as int8s,
      '2024-02-29 23:59:59.123456+02'::timestamptz as timestamptz,
      array['2024-01-01 00:00+00'::timestamptz, null] as timestamptzs,
      timestamp '2024-02-29 23:59:59.1' as timestamp, array[timestamp '2024-01-01'] as timestamps,
      date '2024-02-29' as date, array[date '2024-02-29'] as dates,
      123456789012345678.123456789::numeric as numeric, daterange('2024-01-01', null) as daterange,
      7::int4 as int4, true as bool, array['a', null] as texts, '\\x00ff'::bytea as bytea`.execute(db)
  t.strictSame(rows, [
    {
      int8: Number.MAX_SAFE_INTEGER,
      int8s: [1, null, 3],
      timestamptz: '2024-02-29 21:59:59.123456+00',
      timestamptzs: ['2024-01-01 00:00:00+00', null],
      timestamp: '2024-02-29 23:59:59.1',
      timestamps: ['2024-01-01 00:00:00'],
      date: '2024-02-29',
      dates: ['2024-02-29'],
      numeric: '123456789012345678.123456789',
      daterange: '[2024-01-01,)',
      int4: 7,
      bool: true,
      texts: ['a', null],
      bytea: Buffer.from([0, 255])
    }
  ])
})

t.test('a bigint beyond what a number holds fails the query and leaves the connection usable', async t => {
  const { db } = await emptyDatabase(t, 1)
  await t.rejects(sql`select 9007199254740993::int8`.execute(db), { message: /9007199254740993 is beyond/ })
  t.strictSame((await sql`select 1 as one`.execute(db)).rows, [{ one: 1 }])
})

t.test('every session has its settings, those of the pool too', async t => {
  const { pool } = await testDatabase(t)
  const { rows } = await pool.query(`select current_setting('timezone') as zone, current_setting('datestyle') as dates,
    current_setting('application_name') as application, current_setting('statement_timeout') as statement,
    current_setting('lock_timeout') as lock, current_setting('idle_in_transaction_session_timeout') as idle`)
  t.strictSame(
    rows.map(row => ({ ...row })),
    [{ zone: 'UTC', dates: 'ISO, YMD', application: 'momentum-lrs', statement: '1min', lock: '20s', idle: '1min' }]
  )
})

t.test('an address works like its parts', async t => {
  const { url, connection } = await testDatabase(t)
  const { db } = openDatabase({ connection: { connectionString: url }, poolSize: 1, onError: () => undefined })
  const { rows } = await sql`select current_database() as name`.execute(db)
  await db.destroy()
  t.strictSame(rows, [{ name: connection.database }])
})

t.test('a connection that breaks, idle or between two queries of a transaction, is told of and replaced', async t => {
  const { connection, pool } = await testDatabase(t)
  const errors: Error[] = []
  const opened = openDatabase({ connection, poolSize: 2, onError: error => errors.push(error) })
  const { db } = opened
  const lost = db.transaction().execute(async transaction => {
    await Promise.all([sql`select 1`.execute(db), sql`select 1`.execute(transaction)])
    await pool.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`)
    while (opened.pool.idleCount > 0) await sleep(10)
    await sql`select 1`.execute(transaction)
  })
  await t.rejects(lost, { message: /not queryable|terminat|ECONNRESET/ })
  t.ok(errors.length >= 2)
  await Promise.all([sql`select 1`.execute(db), sql`select 1`.execute(db)])
  await db.destroy()
})

t.test('no connection is waited for without end', async t => {
  const connection = { host: join('/', 'absent'), port: 1, user: 'x', password: 'x', database: 'x' }
  const { db } = openDatabase({ connection, poolSize: 1, onError: () => undefined })
  await t.rejects(sql`select 1`.execute(db), { code: 'ENOENT' })
  await db.destroy()
})

t.test('the folder of the migrations is found from where the module is', async t => {
  t.ok(existsSync(join(migrationsFolder, '0001_record.sql')))
})
