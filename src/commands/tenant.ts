import type { Kysely } from 'kysely'
import { isTimeZone } from '../config.js'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { tenantScopes } from '../http/scopes.js'
import { issueCredential } from '../store/manage-credentials.js'
import { createTenant, listTenants } from '../store/tenant.js'
import { type Answer, type Command, type Given, noWords, oneWord, UsageError } from './command.js'
import { answerIssued } from './credential.js'
import { formatTable } from './table.js'

/** `momentum tenant …` */
export const tenantCommands: Readonly<Record<string, Command>> = { list, create }

async function list(db: Kysely<Database>, given: Given): Promise<Answer> {
  noWords(given)
  const tenants = await listTenants(db)
  const rows = tenants.map(({ name, timeZone, createdAt }) => [name, timeZone, createdAt])
  return { text: formatTable(['NAME', 'TIME ZONE', 'CREATED'], rows), json: { tenants } }
}

async function create(db: Kysely<Database>, given: Given): Promise<Answer> {
  const name = oneWord(given, 'the name of the tenant')
  const { timeZone } = given
  if (!isTimeZone(timeZone)) throw new UsageError(`"${timeZone}" is not an IANA time zone such as Europe/Berlin`)
  return db.transaction().execute(async trx => {
    const tenant = await createTenant(trx, name, timeZone)
    if (tenant === null) throw new LrsError('tenant-conflict', `There is a tenant "${name}" already`)
    const first = { tenantId: tenant.id, name: 'administrator', scopes: tenantScopes }
    const credential = await issueCredential(trx, first)
    const { text } = answerIssued(credential)
    return { text: `tenant  ${name} (${timeZone})\n${text}`, json: { ...tenant, credential } }
  })
}
