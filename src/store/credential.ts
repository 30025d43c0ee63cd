import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'

/** A credential with the tenant that it opens. */
export interface Credential {
  readonly key: string
  readonly tenantId: number
  /** IANA zone of the tenant. */
  readonly timeZone: string
  readonly secretHash: string
  readonly scopes: readonly string[]
  /** The Agent, as JSON text, that becomes the authority of what is stored with the credential. */
  readonly authority: string
  /** Whether the authority that is sent with a statement is kept. */
  readonly mayAssertAuthority: boolean
  /** The `personId` of whom it stands for; null for nobody. */
  readonly personId: string | null
}

/** What a new credential is made from. */
export interface NewCredential {
  readonly tenantId: number
  readonly name: string
  readonly key: string
  readonly secret: string
  readonly scopes: readonly string[]
  /** Absent: no. */
  readonly mayAssertAuthority?: boolean
  /** The `personId` of whom it stands for, whom the roster need not know; absent or null: nobody. */
  readonly personId?: string | null
}

/** The home page of the accounts that stand for credentials in a statement's authority. */
const authorityHomePage = 'https://w3id.org/momentum-lrs/credential'

// Node's own parameters for scrypt: 16 MiB, and 34 ms as measured for a hash, which `authenticate` pays once for a secret.
const cost: ScryptOptions = { N: 2 ** 14, r: 8, p: 1 }
const hashBytes = 32
const scryptAsync = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)

/**
 * Makes a credential; one whose key exists already is left as it is.
 *
 * @returns whether it was made.
 */
export async function createCredential(db: Kysely<Database>, credential: NewCredential): Promise<boolean> {
  const { tenantId, name, key, secret, scopes, mayAssertAuthority = false, personId = null } = credential
  const authority = { objectType: 'Agent', name, account: { homePage: authorityHomePage, name: key } }
  const outcome = await db
    .insertInto('credential')
    .values({
      key,
      tenant_id: tenantId,
      name,
      secret_hash: await hashSecret(secret),
      scopes: [...scopes],
      authority: JSON.stringify(authority),
      may_assert_authority: mayAssertAuthority,
      person_external_id: personId,
      rotated_at: null,
      revoked_at: null
    })
    .onConflict(conflict => conflict.column('key').doNothing())
    .executeTakeFirstOrThrow()
  return outcome.numInsertedOrUpdatedRows === 1n
}

/** Finds a credential that is not revoked, or null. */
export async function findCredential(db: Kysely<Database>, key: string): Promise<Credential | null> {
  const row = await db
    .selectFrom('credential')
    .innerJoin('tenant', 'tenant.id', 'credential.tenant_id')
    .select([
      'credential.key',
      'credential.tenant_id as tenantId',
      'tenant.time_zone as timeZone',
      'credential.secret_hash as secretHash',
      'credential.scopes',
      'credential.authority',
      'credential.may_assert_authority as mayAssertAuthority',
      'credential.person_external_id as personId'
    ])
    .where('credential.key', '=', key)
    .where('credential.revoked_at', 'is', null)
    .executeTakeFirst()
  return row ?? null
}

/** Says whether the tenant has a credential, revoked or not, and the key of the oldest. */
export async function findFirstKey(db: Kysely<Database>, tenantId: number): Promise<string | null> {
  const row = await db
    .selectFrom('credential')
    .select('key')
    .where('tenant_id', '=', tenantId)
    .orderBy('created_at')
    .limit(1)
    .executeTakeFirst()
  return row?.key ?? null
}

/** Makes a key for a new credential: 96 random bits. */
export function makeKey(): string {
  return randomBytes(12).toString('hex')
}

/** Makes a secret: 192 random bits. */
export function makeSecret(): string {
  return randomBytes(24).toString('hex')
}

/** Hashes a secret with scrypt under a new salt; the form is `scrypt$<salt>$<hash>` in base64url. */
export async function hashSecret(secret: string): Promise<string> {
  const salt = randomBytes(16)
  return `scrypt$${salt.toString('base64url')}$${(await derive(secret, salt)).toString('base64url')}`
}

/** Says whether a secret has that hash, in constant time. */
export async function verifySecret(secret: string, secretHash: string): Promise<boolean> {
  const [, salt = '', hash = ''] = secretHash.split('$')
  const derived = await derive(secret, Buffer.from(salt, 'base64url'))
  const expected = Buffer.from(hash, 'base64url')
  return expected.length === derived.length && timingSafeEqual(derived, expected)
}

async function derive(secret: string, salt: Buffer): Promise<Buffer> {
  return scryptAsync(secret, salt, hashBytes, cost)
}
