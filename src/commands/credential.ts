import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { isPersonal, isScope, scopes } from '../http/scopes.js'
import { isName } from '../people/cohort-filter.js'
import {
  findListedCredential,
  type IssuedCredential,
  issueCredential,
  type ListedCredential,
  listCredentials,
  revokeCredential,
  rotateCredential,
  setCredentialPerson
} from '../store/manage-credentials.js'
import { findTenant } from '../store/tenant.js'
import { type Answer, type Command, type Given, noWords, oneWord, UsageError } from './command.js'
import { formatTable } from './table.js'

/** `momentum credential …`: who has the machine may do all of it, so no scope is asked for. */
export const credentialCommands: Readonly<Record<string, Command>> = {
  list,
  create,
  'set-person': setPerson,
  rotate,
  revoke
}

async function list(db: Kysely<Database>, given: Given): Promise<Answer> {
  noWords(given)
  const credentials = await listCredentials(db, await tenantOf(db, given))
  const headings = ['KEY', 'NAME', 'SCOPES', 'PERSON', 'CREATED', 'STATE']
  return { text: formatTable(headings, credentials.map(toRow)), json: { credentials } }
}

async function create(db: Kysely<Database>, given: Given): Promise<Answer> {
  noWords(given)
  const { name, scopes: wanted, mayAssertAuthority, person } = given
  if (name === undefined) throw new UsageError('Give the credential a --name')
  if (wanted.length === 0) throw new UsageError('Give the credential a --scope or more')
  const unknown = wanted.filter(scope => !isScope(scope))
  if (unknown.length > 0) {
    throw new UsageError(`There is no scope ${unknown.join(', ')}; there are ${Object.keys(scopes).join(', ')}`)
  }
  checkPerson(wanted, person)
  const tenantId = await tenantOf(db, given)
  const made = { tenantId, name, scopes: wanted, mayAssertAuthority, personId: person }
  return answerIssued(await issueCredential(db, made))
}

async function setPerson(db: Kysely<Database>, given: Given): Promise<Answer> {
  const key = oneWord(given, 'the key of the credential')
  const { tenant, person } = given
  const tenantId = await tenantOf(db, given)
  const credential = await findListedCredential(db, tenantId, key)
  checkPerson(credential?.scopes ?? [], person)
  const isKnown = await setCredentialPerson(db, tenantId, key, person)
  if (!isKnown) throw new LrsError('not-found', `The tenant "${tenant}" has no valid credential ${key}`)
  return { text: `${key} stands for ${person ?? 'nobody'} within a second.\n`, json: { key, personId: person } }
}

function checkPerson(wanted: readonly string[], person: string | null): void {
  const limited = wanted.filter(isPersonal)
  if (person !== null && !isName(person)) throw new UsageError(`"${person}" can't be the personId of anybody`)
  if (limited.length === 0 || person !== null) return
  throw new UsageError(`Give the --person to whom ${limited.join(' and ')} are limited`)
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

function toRow(credential: ListedCredential): readonly string[] {
  const { key, name, scopes, personId, createdAt, revokedAt, mayAssertAuthority } = credential
  const rights = mayAssertAuthority ? [...scopes, '(asserts authority)'] : scopes
  return [
    key,
    name,
    rights.join(' '),
    personId ?? '–',
    createdAt,
    revokedAt === null ? 'valid' : `revoked ${revokedAt}`
  ]
}
