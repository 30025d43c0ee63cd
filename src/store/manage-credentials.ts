import { type Kysely, sql } from 'kysely'
import { toMilliseconds } from '../database/instant-text.js'
import type { Database } from '../database/schema.js'
import { createCredential, hashSecret, makeKey, makeSecret, type NewCredential } from './credential.js'

/** A credential as it is listed; its secret can't be. */
export interface ListedCredential {
  readonly key: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly mayAssertAuthority: boolean
  /** The `personId` of whom it stands for; null for nobody. */
  readonly personId: string | null
  /** RFC 3339 in UTC, as the two below. */
  readonly createdAt: string
  /** When its secret was last changed; null for never. */
  readonly rotatedAt: string | null
  /** When it stopped to be valid; null while it is. */
  readonly revokedAt: string | null
}

/** Key and secret, which is known here for the last time. */
export interface IssuedCredential {
  readonly key: string
  readonly secret: string
}

/** Makes a credential with a random key and secret. */
export async function issueCredential(
  db: Kysely<Database>,
  credential: Omit<NewCredential, 'key' | 'secret'>
): Promise<IssuedCredential> {
  const issued = { key: makeKey(), secret: makeSecret() }
  await createCredential(db, { ...credential, ...issued })
  return issued
}

/** Lists a tenant's credentials, revoked ones too, oldest first. */
export async function listCredentials(db: Kysely<Database>, tenantId: number): Promise<readonly ListedCredential[]> {
  return selectListed(db).where('tenant_id', '=', tenantId).orderBy('created_at').orderBy('key').execute()
}

/** Finds one credential of a tenant, revoked or not, or null. */
export async function findListedCredential(
  db: Kysely<Database>,
  tenantId: number,
  key: string
): Promise<ListedCredential | null> {
  return (await selectListed(db).where('tenant_id', '=', tenantId).where('key', '=', key).executeTakeFirst()) ?? null
}

/**
 * Gives a credential a new secret; the old one stops working within a second, wherever it is used.
 *
 * @returns null where the tenant has no such credential that is valid.
 */
export async function rotateCredential(
  db: Kysely<Database>,
  tenantId: number,
  key: string
): Promise<IssuedCredential | null> {
  const secret = makeSecret()
  const { numUpdatedRows } = await db
    .updateTable('credential')
    .set({ secret_hash: await hashSecret(secret), rotated_at: sql`now()` })
    .where('tenant_id', '=', tenantId)
    .where('key', '=', key)
    .where('revoked_at', 'is', null)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n ? { key, secret } : null
}

/**
 * Says for whom a credential stands, within a second wherever it is used; null for nobody.
 *
 * @returns false where the tenant has no such credential that is valid.
 */
export async function setCredentialPerson(
  db: Kysely<Database>,
  tenantId: number,
  key: string,
  personId: string | null
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('credential')
    .set({ person_external_id: personId })
    .where('tenant_id', '=', tenantId)
    .where('key', '=', key)
    .where('revoked_at', 'is', null)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

/**
 * Ends a credential for good, within a second wherever it is used; one that was revoked before stays as it is.
 *
 * @returns false where the tenant has no such credential.
 */
export async function revokeCredential(db: Kysely<Database>, tenantId: number, key: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('credential')
    .set({ revoked_at: sql`coalesce(revoked_at, now())` })
    .where('tenant_id', '=', tenantId)
    .where('key', '=', key)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

function selectListed(db: Kysely<Database>) {
  const instant = (column: string) => toMilliseconds(sql.ref(column))
  return db
    .selectFrom('credential')
    .select([
      'key',
      'name',
      'scopes',
      'may_assert_authority as mayAssertAuthority',
      'person_external_id as personId',
      instant('created_at').$castTo<string>().as('createdAt'),
      instant('rotated_at').$castTo<string | null>().as('rotatedAt'),
      instant('revoked_at').$castTo<string | null>().as('revokedAt')
    ])
}
