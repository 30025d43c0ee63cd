import { sql } from 'kysely'
import t from 'tap'
import { testDatabase } from '../support/database.js'

t.test('x', async t => {
  const { db } = await testDatabase(t)
  const r = await sql<{ n: number }>`select count(*) as n from statement`.execute(db)
  t.same(r.rows, [{ n: 0 }])
})
