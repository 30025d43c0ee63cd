import { sql } from 'kysely'
import t from 'tap'
import { processQueue } from '../../src/rollup/process-queue.js'
import { testApp } from '../support/app.js'
import { opened } from '../support/statements.js'

const app = await testApp(t, { poolSize: 1 })
const { db } = app

const due = async () => {
  const { rows } = await sql<{ n: number }>`
    select count(*)::integer as n from rollup_queue where attempts = 0 and parked_at is null`.execute(db)
  return rows[0]?.n
}

t.test(
  'a program of before the derived tables records and answers; what it would derive waits for the present one',
  async t => {
    const older = async (keeps: string) => sql`select set_config('momentum.keeps', ${keeps}, false)`.execute(db)
    const {
      rows: [now]
    } = await sql<{ keeps: string }>`select current_setting('momentum.keeps') as keeps`.execute(db)
    for (const keeps of ['', '0023', '0025']) {
      await older(keeps)
      t.equal((await app.post(opened)).statusCode, 200)
      await t.rejects(processQueue(db, 100), { code: '55000', message: /older than the derived tables/ })
      t.ok(Number(await due()) > 0, 'no row is at fault')
      t.equal((await app.get({ limit: '1' })).statusCode, 200)
    }
    await older(now?.keeps ?? '')
    t.ok((await processQueue(db, 100)) > 0)
    t.equal(await due(), 0)
  }
)

t.test('who is not the program may mend rows by hand', async t => {
  await sql`set application_name = 'psql'; set momentum.keeps = ''`.execute(db)
  const { rows } = await sql`update learner_day set opened = opened returning 1`.execute(db)
  t.equal(rows.length, 1)
})
