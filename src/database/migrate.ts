import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Kysely, type Migration, Migrator, sql } from 'kysely'
import pg from 'pg'
import { LrsError } from '../errors.js'
import { sessionSettings } from './open.js'
import type { Database } from './schema.js'

/** One file of the folder. */
interface MigrationFile {
  /** The file's name without `.sql`, such as `0001_record`. */
  readonly name: string
  readonly text: string
  readonly digest: string
}

/** What the database says of a migration that it has had. */
interface AppliedMigration {
  readonly name: string
  /** Null for a moment, or for ever if the program was killed between the migration and the note. */
  readonly digest: string | null
}

const table = 'schema_migration'
const lockTable = 'schema_migration_lock'
const fileName = /^\d{4}_[a-z0-9_]+\.sql$/

/** Ours, around Kysely's own: the look at what is newer or changed belongs under the same lock as the change. */
const lockKey = 4_107_214_001

const oldestServerVersion = 150_000

/**
 * Brings the schema up to date with the folder's `0001_name.sql` files, all of them in one transaction, once however
 * many processes do this at the same time: the others wait and then find nothing to do.
 *
 * @returns the names of the migrations that this call applied, in order.
 * @throws LrsError `schema-too-new` when the database has had migrations that a newer program brought;
 *   `invalid-configuration` when the server is older than PostgreSQL 15; `internal-error` when the folder isn't as it
 *   was (a file missing, changed or slipped in between), or when a migration fails, whose file the message names.
 */
export async function migrate(db: Kysely<Database>, folder: string): Promise<readonly string[]> {
  const files = await readFolder(folder)
  return db.connection().execute(async connection => {
    await requireServerVersion(connection)
    // The wait for another process's migrations, or a long one of our own, may outlast a query's usual limits.
    await sql
      .raw("set statement_timeout = 0; set lock_timeout = 0; set client_min_messages = 'warning'")
      .execute(connection)
    await sql`select pg_advisory_lock(${lockKey})`.execute(connection)
    try {
      return await migrateLocked(connection, files)
    } finally {
      // Where this fails the connection is gone, and the lock with it; the reason is in the error on its way out.
      await sql
        .raw(`select pg_advisory_unlock(${lockKey}); reset client_min_messages; ${sessionSettings}`)
        .execute(connection)
        .catch(() => undefined)
    }
  })
}

async function requireServerVersion(db: Kysely<Database>): Promise<void> {
  const result = await sql<{ number: number; name: string }>`
    select current_setting('server_version_num')::integer as number, current_setting('server_version') as name`.execute(
    db
  )
  for (const { number, name } of result.rows) {
    const problem = describeServerVersion(number, name)
    if (problem !== null) throw new LrsError('invalid-configuration', problem)
  }
}

/** What is wrong with a server's version, as `server_version_num` and `server_version` give it; null when nothing is. */
export function describeServerVersion(number: number, name: string): string | null {
  if (number >= oldestServerVersion) return null
  return `PostgreSQL 15 or newer is needed, and the server of DATABASE_URL is ${name}`
}

async function readFolder(folder: string): Promise<readonly MigrationFile[]> {
  const names = (await readdir(folder)).filter(name => name.endsWith('.sql')).sort()
  const misnamed = names.filter((name, index) => !fileName.test(name) || number(name) === number(names[index - 1]))
  if (misnamed.length > 0) {
    throw failure(`Migrations are named 0001_name.sql, each with a number of its own; not so: ${misnamed.join(', ')}`)
  }
  if (names.length === 0) throw failure(`There are no migrations in ${folder}`)
  return Promise.all(names.map(name => readMigration(folder, name)))
}

async function readMigration(folder: string, name: string): Promise<MigrationFile> {
  const text = await readFile(join(folder, name), 'utf8')
  // Comments and blank lines may be improved after the fact, and a checkout may have changed the ends of lines.
  const matter = text.split(/\r?\n/).filter(line => line.trim() !== '' && !line.trimStart().startsWith('--'))
  const digest = createHash('sha256').update(matter.join('\n')).digest('hex')
  return { name: name.replace(/\.sql$/, ''), text, digest }
}

async function migrateLocked(db: Kysely<Database>, files: readonly MigrationFile[]): Promise<readonly string[]> {
  requireSameHistory(await findApplied(db), files)
  const failures: LrsError[] = []
  const migrations = Object.fromEntries(files.map(file => [file.name, asMigration(file, failures)]))
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
    migrationTableName: table,
    migrationLockTableName: lockTable
  })
  const { error, results = [] } = await migrator.migrateToLatest()
  // When the connection was lost, Kysely's error is that it couldn't free its lock.
  if (error !== undefined) throw failures[0] ?? error
  await noteDigests(db, files)
  return results.map(result => result.migrationName)
}

function asMigration(file: MigrationFile, failures: LrsError[]): Migration {
  return {
    async up(db) {
      try {
        await sql.raw(file.text).execute(db)
      } catch (error) {
        const message = `The migration ${file.name}.sql failed and nothing was changed: ${describe(error)}`
        failures.push(failure(message, error))
        throw error
      }
    }
  }
}

async function findApplied(db: Kysely<Database>): Promise<readonly AppliedMigration[]> {
  const found = await sql<{ exists: boolean }>`select to_regclass(${table}) is not null as exists`.execute(db)
  if (found.rows[0]?.exists !== true) return []
  await sql`alter table ${sql.table(table)} add column if not exists digest text`.execute(db)
  const applied = await sql<AppliedMigration>`select name, digest from ${sql.table(table)} order by name`.execute(db)
  return applied.rows
}

/** Kysely's table keeps a name and a time; the digest in a column of our own tells a changed file from the applied one. */
async function noteDigests(db: Kysely<Database>, files: readonly MigrationFile[]): Promise<void> {
  await sql`alter table ${sql.table(table)} add column if not exists digest text`.execute(db)
  await sql`
    update ${sql.table(table)} as applied set digest = file.digest
    from unnest(${files.map(file => file.name)}::text[], ${files.map(file => file.digest)}::text[]) as file (name, digest)
    where applied.name = file.name and applied.digest is null`.execute(db)
}

function requireSameHistory(applied: readonly AppliedMigration[], files: readonly MigrationFile[]): void {
  const known = new Map(files.map(file => [file.name, file]))
  const newest = files.at(-1)?.name ?? ''
  const unknown = applied.filter(migration => !known.has(migration.name)).map(migration => migration.name)
  const newer = unknown.filter(name => number(name) > number(newest))
  if (newer.length > 0) {
    throw new LrsError(
      'schema-too-new',
      `The database has had migrations that this version of the program does not know: ${newer.join(', ')}. ` +
        'Start the newer version that made them, or restore a copy of the database from before.'
    )
  }
  if (unknown.length > 0) {
    throw failure(`The database has had migrations whose files are missing: ${unknown.join(', ')}. Put them back.`)
  }
  requireSameFiles(applied, known)
}

function requireSameFiles(applied: readonly AppliedMigration[], known: ReadonlyMap<string, MigrationFile>): void {
  const changed = applied.filter(({ name, digest }) => digest !== null && digest !== known.get(name)?.digest)
  if (changed.length > 0) {
    throw failure(
      `Migrations were changed after the database had had them: ${changed.map(({ name }) => `${name}.sql`).join(', ')}. ` +
        'Undo the change and write a new migration instead.'
    )
  }
  const last = applied.at(-1)?.name ?? ''
  const had = new Set(applied.map(({ name }) => name))
  const late = [...known.keys()].filter(name => name < last && !had.has(name))
  if (late.length > 0) {
    throw failure(`Migrations come before one that the database has had already: ${late.join(', ')}. Number them anew.`)
  }
}

/** The number at the front of a migration's name; -1 for none. */
function number(name: string | undefined): number {
  return name === undefined ? -1 : Number.parseInt(name, 10)
}

/** PostgreSQL's message with the parts that help to find the spot. */
function describe(error: unknown): string {
  if (!(error instanceof pg.DatabaseError)) return String(error)
  return [error.message, error.detail, error.hint, error.position && `at character ${error.position} of the file`]
    .filter(part => part !== undefined && part !== '')
    .join('; ')
}

function failure(message: string, cause?: unknown): LrsError {
  return new LrsError('internal-error', message, {}, cause === undefined ? {} : { cause })
}
