import pg from 'pg'

/** A way into one database. */
export interface TestConnection {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** What a test file needs to know of the run's server; it gets there as JSON in TEST_SERVER. */
export interface TestServerAddress {
  /** May create databases. */
  readonly admin: TestConnection
  /** Owns the template and its clones; `database` is the template. */
  readonly template: TestConnection
}

/** Runs one command of the kind that has no transaction, such as `create database`. */
export async function asAdmin(admin: TestConnection, command: string): Promise<void> {
  const client = new pg.Client({ ...admin })
  await client.connect()
  await client.query(command).finally(() => client.end())
}
