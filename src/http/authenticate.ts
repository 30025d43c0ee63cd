import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Kysely } from 'kysely'
import { LRUCache } from 'lru-cache'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { findCredential, hashSecret, verifySecret } from '../store/credential.js'
import { isStorable } from '../xapi/formats.js'
import type { Principal } from './context.js'
import { makePrincipal } from './principal.js'

/** How long a credential may be taken for valid without a look at the database: revoking works within a second. */
const freshMs = 1000
const rememberedCredentials = 10_000

interface Remembered {
  /** Keyed digest of the secret that was verified; useless outside this process. */
  readonly proof: Buffer
  readonly secretHash: string
  readonly checkedAt: number
  readonly principal: Principal
}

interface Attempt {
  readonly key: string
  readonly secret: string
  readonly proof: Buffer
  /** The instant, in milliseconds, before which the look at the database can't have been. */
  readonly checkedAt: number
}

/**
 * Makes the check of the Authorization header: Basic, key and secret.
 *
 * The slow hash is computed once for a secret. After that a keyed digest of it is compared, and the credential's row
 * is read again at most once a second.
 *
 * @see xAPI 1.0.3 Communication 4.0, RFC 7617
 */
export function authenticator(db: Kysely<Database>, now: () => Date) {
  const processKey = randomBytes(32)
  const remembered = new LRUCache<string, Remembered>({ max: rememberedCredentials })
  const verifying = new Map<string, { readonly checkedAt: number; readonly principal: Promise<Principal> }>()
  // An unknown key costs as much as a wrong secret, so that the time tells nobody which keys exist.
  const decoy = hashSecret(randomBytes(16).toString('hex'))

  return async function authenticate(authorization: string | undefined): Promise<Principal> {
    const { key, secret } = parseBasic(authorization)
    const proof = createHmac('sha256', processKey).update(secret).digest()
    const known = remembered.get(key)
    const isProven = known !== undefined && timingSafeEqual(known.proof, proof)
    const checkedAt = now().getTime()
    if (isProven && checkedAt - known.checkedAt < freshMs && checkedAt >= known.checkedAt) return known.principal
    // Requests that come together, such as after a start, share one slow hash.
    const same = `${key}:${proof.toString('hex')}`
    const begun = verifying.get(same)
    if (begun !== undefined && checkedAt - begun.checkedAt < freshMs) return begun.principal
    const principal = verify({ key, secret, proof, checkedAt }).finally(() => verifying.delete(same))
    verifying.set(same, { checkedAt, principal })
    return principal
  }

  async function verify({ key, secret, proof, checkedAt }: Attempt): Promise<Principal> {
    const known = remembered.get(key)
    const isProven = known !== undefined && timingSafeEqual(known.proof, proof)
    const credential = await findCredential(db, key)
    const isUnchanged = isProven && credential?.secretHash === known.secretHash
    if (credential === null || !(isUnchanged || (await verifySecret(secret, credential.secretHash)))) {
      if (credential === null) await verifySecret(secret, await decoy)
      throw new LrsError('unauthenticated', 'The key or the secret is not valid')
    }
    const principal = makePrincipal(credential)
    remembered.set(key, { proof, secretHash: credential.secretHash, checkedAt, principal })
    return principal
  }
}

/** Only the first colon parts key and secret: a secret may hold more. */
function parseBasic(authorization: string | undefined): { readonly key: string; readonly secret: string } {
  if (authorization === undefined) {
    throw new LrsError('unauthenticated', 'The Authorization header is missing: send Basic with key and secret')
  }
  const [, token] = /^basic ([A-Za-z0-9+/]+={0,2}) *$/i.exec(authorization) ?? []
  const pair = token === undefined ? '' : Buffer.from(token, 'base64').toString()
  const colon = pair.indexOf(':')
  // No credential has a key that PostgreSQL's text can't hold, and to ask it for one is an error.
  if (colon < 1 || !isStorable(pair.slice(0, colon)))
    throw new LrsError('unauthenticated', 'The Authorization header is not Basic with key:secret in base64')
  return { key: pair.slice(0, colon), secret: pair.slice(colon + 1) }
}
