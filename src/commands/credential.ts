import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { isScope, scopes } from '../http/scopes.js'
import {
  type IssuedCredential,
  issueCredential,
  type ListedCredential,
  listCredentials,
  revokeCredential,
  rotateCredential
} from '../store/manage-credentials.js'
import { findTenant } from '../store/tenant.js'
import { type Answer, type Command, type Given, noWords, oneWord, UsageError } from './command.js'
import { formatTable } from './table.js'

/** `momentum credential …`: who has the machine may do all of it, so no scope is asked for. */
export const credentialCommands: Readonly<Record<string, Command>> = { list, create, rotate, revoke }

async function list(db: Kysely<Database>, given: Given): Promise<Answer> {
  noWords(given)
  const credentials = await listCredentials(db, await tenantOf(db, given))
  const headings = ['KEY', 'NAME', 'SCOPES', 'CREATED', 'STATE']
  return { text: formatTable(headings, credentials.map(toRow)), json: { credentials } }
}

async function create(db: Kysely<Database>, given: Given): Promise<Answer> {
  noWords(given)
  const { name, scopes: wanted, mayAssertAuthority } = given
  if (name === undefined) throw new UsageError('Give the credential a --name')
  if (wanted.length === 0) throw new UsageError('Give the credential a --scope or more')
  const unknown = wanted.filter(scope => !isScope(scope))
  if (unknown.length > 0) {
    throw new UsageError(`There is no scope ${unknown.join(', ')}; there are ${Object.keys(scopes).join(', ')}`)
  }
  const tenantId = await tenantOf(db, given)
  return answerIssued(await issueCredential(db, { tenantId, name, scopes: wanted, mayAssertAuthority }))
}

async function rotate(db: Kysely<Database>, given: Given): Promise<Answer> {
  const key = oneWord(given, 'the key of the credential')
  const issued = await rotateCredential(db, await tenantOf(db, given), key)
  if (issued === null) throw new LrsError('not-found', `The tenant "${given.tenant}" has no valid credential ${key}`)
  return answerIssued(issued)
}

async function revoke(db: Kysely<Database>, given: Given): Promise<Answer> {
  const key = oneWord(given, 'the key of the credential')
  const isKnown = await revokeCredential(db, await tenantOf(db, given), key)
  if (!isKnown) throw new LrsError('not-found', `The tenant "${given.tenant}" has no credential ${key}`)
  return { text: `${key} is revoked; it stops working within a second.\n`, json: { key } }
}

/** How a secret is told, which is not kept anywhere. */
export function answerIssued(issued: IssuedCredential): Answer {
  const { key, secret } = issued
  return { text: `key     ${key}\nsecret  ${secret}\n\nThe secret is shown this once.\n`, json: issued }
}

async function tenantOf(db: Kysely<Database>, { tenant: name }: Given): Promise<number> {
  const tenant = await findTenant(db, name)
  if (tenant === null) throw new LrsError('not-found', `There is no tenant "${name}"`)
  return tenant.id
}

function toRow({ key, name, scopes, createdAt, revokedAt, mayAssertAuthority }: ListedCredential): readonly string[] {
  const rights = mayAssertAuthority ? [...scopes, '(asserts authority)'] : scopes
  return [key, name, rights.join(' '), createdAt, revokedAt === null ? 'valid' : `revoked ${revokedAt}`]
}
