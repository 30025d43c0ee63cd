import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { describeServerVersion, migrate } from '../../src/database/migrate.js'
import { migrationsFolder, openDatabase } from '../../src/database/open.js'
import { emptyDatabase } from '../support/database.js'

t.test('the first run applies every file in order, the second one nothing', async t => {
  const { db } = await emptyDatabase(t, 1)
  const names = (await readdir(migrationsFolder)).sort().map(name => name.replace('.sql', ''))
  t.strictSame(await migrate(db, migrationsFolder), names)
  t.strictSame(await migrate(db, migrationsFolder), [])
  const { rows } = await sql<{ digest: string }>`select digest from schema_migration`.execute(db)
  t.equal(rows.filter(row => /^[0-9a-f]{64}$/.test(row.digest)).length, names.length)
  const settings = await sql`select current_setting('statement_timeout') as statement`.execute(db)
  t.strictSame(settings.rows, [{ statement: '1min' }], 'the limits of queries are back')
})

t.test('it runs once however many start together', async t => {
  const { connection } = await emptyDatabase(t)
  const folder = await writeFolder(t, { '0001_slow.sql': 'select pg_sleep(0.3); create table once (n integer);' })
  const databases = Array.from({ length: 8 }, () => openDatabase({ connection, poolSize: 1, onError: () => undefined }))
  const applied = await Promise.all(databases.map(({ db }) => migrate(db, folder)))
  await Promise.all(databases.map(({ db }) => db.destroy()))
  t.strictSame(applied.flat(), ['0001_slow'])
})

t.test('a schema that is newer than the program is refused, with what is unknown', async t => {
  const { db } = await emptyDatabase(t)
  const folder = await writeFolder(t, { '0001_a.sql': 'select 1', '0002_b.sql': 'select 1', '0003_c.sql': 'select 1' })
  await migrate(db, folder)
  await rm(join(folder, '0002_b.sql'))
  await rm(join(folder, '0003_c.sql'))
  await t.rejects(migrate(db, folder), {
    code: 'schema-too-new',
    message: /does not know: 0002_b, 0003_c\. Start the newer/
  })
})

t.test('files that are not as they were are refused', async t => {
  const { db } = await emptyDatabase(t)
  const folder = await writeFolder(t, { '0001_a.sql': '-- why\nselect 1;\n', '0003_c.sql': 'select 3' })
  await migrate(db, folder)

  await writeFile(join(folder, '0001_a.sql'), '-- why, better said\r\n\r\nselect 1;\r\n')
  t.strictSame(await migrate(db, folder), [], 'comments and ends of lines do not matter')

  await writeFile(join(folder, '0001_a.sql'), 'select 2')
  await t.rejects(migrate(db, folder), { code: 'internal-error', message: /were changed after .*: 0001_a\.sql\. Undo/ })
  await writeFile(join(folder, '0001_a.sql'), 'select 1;')

  await writeFile(join(folder, '0002_b.sql'), 'select 2')
  await t.rejects(migrate(db, folder), {
    message: /come before one that .* has had already: 0002_b\. Number them anew/
  })
  await rm(join(folder, '0002_b.sql'))

  await rename(join(folder, '0001_a.sql'), join(folder, '0004_a.sql'))
  await t.rejects(migrate(db, folder), { message: /whose files are missing: 0001_a\. Put them back/ })
})

t.test('a note that a killed run left out is made up for', async t => {
  const { db } = await emptyDatabase(t)
  const folder = await writeFolder(t, { '0001_a.sql': 'select 1' })
  await migrate(db, folder)
  await sql`alter table schema_migration drop column digest`.execute(db)
  t.strictSame(await migrate(db, folder), [])
  const { rows } = await sql`select digest is null as missing from schema_migration`.execute(db)
  t.strictSame(rows, [{ missing: false }])
})

t.test('a migration that fails names its file and changes nothing, not even by the ones before', async t => {
  const { db } = await emptyDatabase(t)
  const folder = await writeFolder(t, {
    '0001_a.sql': 'create table a ();',
    '0002_b.sql': 'create table b ();\nselekt'
  })
  await t.rejects(migrate(db, folder), {
    code: 'internal-error',
    message:
      /0002_b\.sql failed and nothing was changed: syntax error at or near "selekt"; at character \d+ of the file/
  })
  const { rows } = await sql`select to_regclass('a') as a`.execute(db)
  t.strictSame(rows, [{ a: null }])
  await writeFile(join(folder, '0002_b.sql'), 'create table b ();')
  t.strictSame(await migrate(db, folder), ['0001_a', '0002_b'])
})

t.test('a connection that is lost within a migration is the error that comes out', async t => {
  const { db } = await emptyDatabase(t)
  const folder = await writeFolder(t, { '0001_a.sql': 'select pg_terminate_backend(pg_backend_pid())' })
  await t.rejects(migrate(db, folder), { message: /0001_a\.sql failed .*: terminating connection/ })
})

t.test('the folder holds well-named files, each with a number of its own', async t => {
  const { db } = await emptyDatabase(t)
  await t.rejects(migrate(db, await writeFolder(t, {})), { message: /There are no migrations in/ })
  for (const name of ['1_a.sql', '0001-b.sql', '0001_b.sql']) {
    const folder = await writeFolder(t, { '0001_a.sql': 'select 1', [name]: 'select 1', 'read.me': '' })
    await t.rejects(migrate(db, folder), { code: 'internal-error', message: new RegExp(`not so: ${name}`) })
  }
})

t.test('PostgreSQL 15 is the oldest that is accepted', async t => {
  t.equal(describeServerVersion(150_000, '15.0'), null)
  t.match(describeServerVersion(140_012, '14.12'), /PostgreSQL 15 or newer is needed.* is 14\.12/)
})

t.test(
  "the project's own migrations keep the rules: a header that says why, and nothing that can't be undone",
  async t => {
    for (const name of await readdir(migrationsFolder)) {
      const text = await readFile(join(migrationsFolder, name), 'utf8')
      for (const heading of ['Why:', 'Locks:', 'Backfill:']) t.match(text, `-- ${heading}`, `${name} has ${heading}`)
      t.notMatch(text, /^\s*(begin|commit|rollback)\s*;/im, `${name} leaves the transaction to the program`)
    }
  }
)

async function writeFolder(t: Test, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'momentum-test-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)))
  return folder
}
