import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { listParkedRows, retryParkedRows } from '../rollup/parked-rows.js'
import { type Answer, type Command, type Given, noWords, tenantsOf } from './command.js'
import { formatTable } from './table.js'

/** `momentum queue …` */
export const queueCommands: Readonly<Record<string, Command>> = { list, retry }

async function list(db: Kysely<Database>, given: Given): Promise<Answer> {
  noWords(given)
  const parked = await listParkedRows(db, await tenantIdOf(db, given))
  const headings = ['ID', 'TENANT', 'NAMES', 'ATTEMPTS', 'ENQUEUED', 'PARKED', 'LAST ERROR']
  const rows = parked.map(({ id, tenant, names, attempts, enqueuedAt, parkedAt, lastError }) => [
    ...[String(id), tenant, names, String(attempts), enqueuedAt, parkedAt, lastError]
  ])
  return { text: parked.length === 0 ? 'Nothing is parked.\n' : formatTable(headings, rows), json: { parked } }
}

async function retry(db: Kysely<Database>, given: Given): Promise<Answer> {
  noWords(given)
  const retried = await retryParkedRows(db, await tenantIdOf(db, given))
  return { text: `${retried} rows are tried again by the next worker that looks.\n`, json: { retried } }
}

async function tenantIdOf(db: Kysely<Database>, given: Given): Promise<number | null> {
  const [tenant] = given.onlyTenant === null ? [] : await tenantsOf(db, given)
  return tenant?.id ?? null
}
