import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import t from 'tap'
import { superviseEmbeddedServer } from '../../src/database/embedded-supervisor.js'
import { moveConnections, openDatabase } from '../../src/database/open.js'
import { openFolder } from '../support/folder.js'

t.test('an embedded server that is killed is started again, and its pool finds the new one by itself', async t => {
  const dataDir = await openFolder(t)
  const lines: string[] = []
  const options = { dataDir, sharedFolder: join(dataDir, 'shared'), log: (line: string) => lines.push(line) }
  const moved: object[] = []
  const server = await superviseEmbeddedServer(options, connection => {
    moved.push(connection)
    moveConnections(pool, connection)
  })
  const { db, pool } = openDatabase({ connection: server.connection, poolSize: 2, onError: () => undefined })
  await sql`create table kept as select 1 as one`.execute(db)
  const [pid] = (await readFile(join(dataDir, 'postgres/data/postmaster.pid'), 'utf8')).split('\n')
  process.kill(Number(pid), 'SIGKILL')
  const deadline = Date.now() + 60_000
  const read = () =>
    sql`select one from kept`.execute(db).then(
      ({ rows }) => rows,
      () => null
    )
  let rows = await read()
  while ((rows === null || moved.length === 0) && Date.now() < deadline) {
    await sleep(50)
    rows = await read()
  }
  t.strictSame(rows, [{ one: 1 }])
  t.equal(moved.length, 1)
  t.match(lines.join('\n'), 'has ended by itself; it is started again')
  await db.destroy()
  await server.stop()
})
