import type { Kysely } from 'kysely'
import { isTimeZone } from '../config/values.js'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { setTimeZone } from '../events/set-time-zone.js'
import { tenantScopes } from '../http/scopes.js'
import { issueCredential } from '../store/manage-credentials.js'
import { createTenant, listTenants } from '../store/tenant.js'
import { type Answer, type Command, type Given, noWords, oneWord, twoWords, UsageError } from './command.js'
import { answerIssued } from './credential.js'
import { formatTable } from './table.js'

/** `momentum tenant …` */
export const tenantCommands: Readonly<Record<string, Command>> = { list, create, 'set-time-zone': setZone }

async function list(db: Kysely<Database>, given: Given): Promise<Answer> {
  noWords(given)
  const tenants = await listTenants(db)
  const rows = tenants.map(({ name, timeZone, createdAt }) => [name, timeZone, createdAt])
  return { text: formatTable(['NAME', 'TIME ZONE', 'CREATED'], rows), json: { tenants } }
}

async function create(db: Kysely<Database>, given: Given): Promise<Answer> {
  const name = oneWord(given, 'the name of the tenant')
  const { timeZone } = given
  checkTimeZone(timeZone)
  return db.transaction().execute(async trx => {
    const tenant = await createTenant(trx, name, timeZone)
    if (tenant === null) throw new LrsError('tenant-conflict', `There is a tenant "${name}" already`)
    const first = { tenantId: tenant.id, name: 'administrator', scopes: tenantScopes }
    const credential = await issueCredential(trx, first)
    const { text } = answerIssued(credential)
    return { text: `tenant  ${name} (${timeZone})\n${text}`, json: { ...tenant, credential } }
  })
}

async function setZone(db: Kysely<Database>, given: Given): Promise<Answer> {
  const [name, timeZone] = twoWords(given, 'the name of the tenant and its new time zone')
  checkTimeZone(timeZone)
  const changed = await setTimeZone(db, name, { timeZone, setBy: 'momentum tenant set-time-zone' })
  if (changed === null) throw new LrsError('not-found', `There is no tenant "${name}"`)
  const { tenant, derivationId } = changed
  const cut = derivationId === null ? 'was so before' : 'the service cuts its days anew while it runs'
  return { text: `tenant  ${name} (${timeZone}): ${cut}\n`, json: { ...tenant, derivationId } }
}

function checkTimeZone(name: string): void {
  if (!isTimeZone(name)) throw new UsageError(`"${name}" is not an IANA time zone such as Europe/Berlin`)
}
