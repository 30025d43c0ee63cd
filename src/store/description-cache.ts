import { hash } from 'node:crypto'
import type { Kysely } from 'kysely'
import { LRUCache } from 'lru-cache'
import type { Database } from '../database/schema.js'
import type { Description } from '../xapi/descriptions.js'
import { knownErasures } from './erasure-fence.js'

/** A word that something is said of. */
export type DescribedWord = Pick<Description, 'of' | 'word'>

/**
 * Digests of what is kept of a word already, so that the same description again costs no round trip. One cache for each
 * database, for tests open many.
 *
 * Another process may have put a newer definition over one that is remembered here: then the older one, sent again,
 * is not taken for the newest until it is forgotten. With an erasure, all that is remembered of agents is forgotten.
 */
const caches = new WeakMap<object, LRUCache<string, Set<string>>>()
const cacheEntries = 50_000
const rememberedMs = 60_000
/** Of definitions that take turns; one sender has one, and its versions a few. */
const digestsPerWord = 16

/** Says whether a description is known to be part of what is kept. */
export function isRemembered(db: Kysely<Database>, tenantId: number, description: Description): boolean {
  return (
    cacheOf(db)
      .get(keyOf(db, tenantId, description))
      ?.has(digestOf(description.text)) ?? false
  )
}

/**
 * Remembers what is kept of a word now; to be called after the commit.
 *
 * @param hasChanged whether others that were kept may no longer be, since these took their place.
 */
export function rememberDescriptions(
  db: Kysely<Database>,
  tenantId: number,
  { of, word, texts, hasChanged }: DescribedWord & { readonly texts: readonly string[]; readonly hasChanged: boolean }
): void {
  const cache = cacheOf(db)
  const key = keyOf(db, tenantId, { of, word })
  const known = hasChanged ? undefined : cache.get(key)
  const digests = known === undefined || known.size >= digestsPerWord ? new Set<string>() : known
  for (const text of texts.slice(-digestsPerWord)) digests.add(digestOf(text))
  if (known !== digests) cache.set(key, digests)
}

function keyOf(db: Kysely<Database>, tenantId: number, { of, word }: DescribedWord): string {
  return `${tenantId} ${of} ${of === 'agent' ? knownErasures(db, tenantId) : 0} ${word}`
}

function digestOf(text: string): string {
  return hash('sha256', text, 'base64')
}

function cacheOf(db: Kysely<Database>): LRUCache<string, Set<string>> {
  const known = caches.get(db)
  if (known !== undefined) return known
  const made = new LRUCache<string, Set<string>>({ max: cacheEntries, ttl: rememberedMs })
  caches.set(db, made)
  return made
}
