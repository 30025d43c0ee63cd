import type { Test } from 'tap'
import { type OpenedDatabase, openDatabase } from '../../src/database/open.js'
import { asAdmin, type TestConnection, type TestServerAddress } from './address.js'

/** A database of the test's own. */
export interface TestDatabase extends OpenedDatabase {
  readonly connection: TestConnection
  /** The same as an address, as DATABASE_URL takes it. */
  readonly url: string
}

/** The run's server, as `npm test` has announced it. */
function testServer(): TestServerAddress {
  const text = process.env.TEST_SERVER
  if (text === undefined) throw new Error('There is no server to test on: run "npm test -- <file>", which starts one')
  return JSON.parse(text) as TestServerAddress
}

/** Clones the migrated template for this test; connections and clone go when the test ends. */
export async function testDatabase(t: Test, poolSize = 4): Promise<TestDatabase> {
  return makeDatabase(t, `template ${testServer().template.database}`, poolSize)
}

/** A database with nothing in it, not even the schema. */
export async function emptyDatabase(t: Test, poolSize = 4): Promise<TestDatabase> {
  return makeDatabase(t, '', poolSize)
}

async function makeDatabase(t: Test, template: string, poolSize: number): Promise<TestDatabase> {
  const { admin, template: owner } = testServer()
  const connection = { ...owner, database: `test_${crypto.randomUUID().replaceAll('-', '')}` }
  await asAdmin(admin, `create database ${connection.database} ${template} owner "${connection.user}"`)
  const opened = openDatabase({ connection, poolSize, onError: () => undefined })
  t.teardown(async () => {
    await opened.db.destroy()
    await asAdmin(admin, `drop database if exists ${connection.database} with (force)`)
  })
  return { ...opened, connection, url: asUrl(connection) }
}

function asUrl({ host, port, user, password, database }: TestConnection): string {
  const parts = new URLSearchParams({ host, port: String(port) })
  return `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@localhost/${database}?${parts}`
}
