import { createHash, hash } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import { LRUCache } from 'lru-cache'
import { parameter, prepareQuery, runTogether, type WireValue, withoutScans } from '../database/prepared-query.js'
import type { Database } from '../database/schema.js'
import { textArray } from '../database/wire-array.js'
import { knownErasures } from './erasure-fence.js'

/** The tables that give a short number to a long word. */
export type Dictionary = 'verb' | 'activity' | 'agent'

/** Which tenant's dictionary is meant. */
export interface DictionaryOf {
  readonly tenantId: number
  readonly dictionary: Dictionary
}

/** The numbers of the words that were asked for; a word that the dictionary lacks is absent. */
export type Numbers = ReadonlyMap<string, number>

/** The column that holds the word itself. */
const wordColumn = { verb: 'iri', activity: 'iri', agent: 'ifi' } as const

/**
 * Words already looked up, so that most batches need no round trip. Rows of a dictionary are never changed, and only
 * committed ones are remembered. Agents can be erased: what is remembered of them belongs to the count of erasures that
 * was known before the look, and is not found any more when that has grown. One cache for each database, for tests open
 * many.
 */
const caches = new WeakMap<object, LRUCache<string, number>>()
const cacheEntries = 200_000

/**
 * Finds the numbers of words: verb or activity IRIs, or agents' identifiers in the form of `ifiOf`.
 *
 * One round trip, or none when all are remembered.
 */
export async function findNumbers(db: Kysely<Database>, of: DictionaryOf, words: Iterable<string>): Promise<Numbers> {
  const { tenantId, dictionary } = of
  const place = placeOf(db, of)
  const numbers = new Map<string, number>()
  const unknown: string[] = []
  for (const word of new Set(words)) {
    const id = place?.cache.get(place.prefix + word)
    if (id === undefined) unknown.push(word)
    else numbers.set(word, id)
  }
  if (unknown.length > 0) {
    const rows = await sql<Row>`
      select ${sql.ref(wordColumn[dictionary])} as word, id from ${sql.table(dictionary)}
      where tenant_id = ${tenantId} and digest = any(${unknown.map(digestOf)}::bytea[])`.execute(db)
    for (const { word, id } of rows.rows) numbers.set(word, remember(place, word, id))
  }
  return numbers
}

/**
 * Finds the numbers of words, and gives a new number to each word that has none.
 *
 * Commits by itself, unless it is given a transaction: then nothing is remembered, and whoever meets one of the new
 * words waits until that has ended. Two callers that meet a word at once get the same number.
 */
export async function internWords(db: Kysely<Database>, of: DictionaryOf, words: Iterable<string>): Promise<Numbers> {
  const { tenantId, dictionary } = of
  const place = placeOf(db, of)
  const wanted = [...new Set(words)]
  const found = await findNumbers(db, of, wanted)
  const missing = wanted.filter(word => !found.has(word))
  if (missing.length === 0) return found
  // In the order of the digests, so that two batches with the same words can't wait for each other in a circle.
  const rows = await sql<Row>`
    insert into ${sql.table(dictionary)} (tenant_id, digest, ${sql.ref(wordColumn[dictionary])})
    select ${tenantId}::integer, digest, word
    from unnest(${missing.map(digestOf)}::bytea[], ${missing}::text[]) as given(digest, word)
    order by digest
    on conflict do nothing
    returning ${sql.ref(wordColumn[dictionary])} as word, id`.execute(db)
  const numbers = new Map(found)
  for (const { word, id } of rows.rows) numbers.set(word, remember(place, word, id))
  // What another caller committed meanwhile was not in this statement's snapshot: a new look finds it.
  const late = missing.filter(word => !numbers.has(word))
  for (const [word, id] of await findNumbers(db, of, late)) numbers.set(word, id)
  return numbers
}

/** Words of all three dictionaries. */
export type WordsOf = Readonly<Record<Dictionary, Iterable<string>>>

/** The numbers of words of all three dictionaries. */
export type NumbersOf = Readonly<Record<Dictionary, Numbers>>

const dictionaries = ['verb', 'activity', 'agent'] as const

/**
 * Does for words of all three dictionaries what `internWords` does for one, in one round trip for them together, or in
 * none when all are remembered. Commits by itself, and takes no transaction.
 */
export async function internTogether(db: Kysely<Database>, tenantId: number, words: WordsOf): Promise<NumbersOf> {
  const places = mapOf(dictionary => placeOf(db, { tenantId, dictionary }))
  const numbers = mapOf(() => new Map<string, number>())
  const unknown = mapOf<string[]>(() => [])
  for (const dictionary of dictionaries) {
    for (const word of new Set(words[dictionary])) {
      const id = places[dictionary]?.cache.get(places[dictionary].prefix + word)
      if (id === undefined) unknown[dictionary].push(word)
      else numbers[dictionary].set(word, id)
    }
  }
  if (dictionaries.every(dictionary => unknown[dictionary].length === 0)) return numbers
  for (const [dictionary, word, id] of await internUnknown(db, tenantId, unknown)) {
    numbers[dictionary].set(word, remember(places[dictionary], word, id))
  }
  // What another caller committed meanwhile was not in that snapshot: a new look finds it.
  for (const dictionary of dictionaries) {
    const late = unknown[dictionary].filter(word => !numbers[dictionary].has(word))
    for (const [word, id] of await findNumbers(db, { tenantId, dictionary }, late)) numbers[dictionary].set(word, id)
  }
  return numbers
}

type Interned = readonly [dictionary: Dictionary, word: string, id: number]

async function internUnknown(
  db: Kysely<Database>,
  tenantId: number,
  words: NumbersWanted
): Promise<readonly Interned[]> {
  const values: Record<string, WireValue> = { tenant: String(tenantId) }
  for (const dictionary of dictionaries) {
    values[`${dictionary}_words`] = textArray(words[dictionary])
    values[`${dictionary}_digests`] = textArray(words[dictionary].map(word => hash('sha256', word, 'hex')))
  }
  const [, rows = []] = await runTogether(db, [
    { query: withoutScans(db), values: {} },
    { query: intern(db), values }
  ])
  return rows.map(([dictionary, word, id]) => [dictionary as Dictionary, word ?? '', Number(id)])
}

type NumbersWanted = Readonly<Record<Dictionary, readonly string[]>>

/** In the order of the dictionaries, and in each of the digests: batches with the same words wait in no circle. */
const intern = prepareQuery('intern', () => {
  const tenant = sql`${parameter('tenant')}::integer`
  const parts = dictionaries.map(dictionary => {
    const [given, known, made] = ['given', 'known', 'made'].map(name => sql.ref(`${name}_${dictionary}`))
    const column = sql.ref(wordColumn[dictionary])
    return sql`
      ${given} as materialized (
        select decode(digest, 'hex') as digest, word from unnest(
          ${parameter(`${dictionary}_digests`)}::text[], ${parameter(`${dictionary}_words`)}::text[]) as given(digest, word)
      ),
      ${known} as materialized (
        select id, digest, ${column} as word from ${sql.table(dictionary)}
        where tenant_id = ${tenant} and digest = any(array(select digest from ${given}))
      ),
      ${made} as (
        insert into ${sql.table(dictionary)} (tenant_id, digest, ${column})
        select ${tenant}, digest, word from ${given}
        where digest not in (select digest from ${known})
        order by digest
        on conflict do nothing
        returning ${column} as word, id
      )`
  })
  const rows = dictionaries.flatMap(dictionary =>
    ['known', 'made'].map(name => sql`select ${sql.lit(dictionary)}, word, id from ${sql.ref(`${name}_${dictionary}`)}`)
  )
  return sql`with ${sql.join(parts)} ${sql.join(rows, sql` union all `)}`
})

function mapOf<Value>(make: (dictionary: Dictionary) => Value): Record<Dictionary, Value> {
  return { verb: make('verb'), activity: make('activity'), agent: make('agent') }
}

interface Row {
  readonly word: string
  readonly id: number
}

/** Where words of one dictionary are remembered. */
interface Place {
  readonly cache: LRUCache<string, number>
  readonly prefix: string
}

function remember(place: Place | null, word: string, id: number): number {
  place?.cache.set(place.prefix + word, id)
  return id
}

/** Taken before the look, so that a number can't be remembered for a later count than it was seen under. */
function placeOf(db: Kysely<Database>, { tenantId, dictionary }: DictionaryOf): Place | null {
  const cache = cacheOf(db)
  if (cache === null) return null
  const erasures = dictionary === 'agent' ? knownErasures(db, tenantId) : 0
  return { cache, prefix: `${tenantId} ${dictionary} ${erasures} ` }
}

/** A transaction has no cache: it lives for a few queries, and a cache takes its space at once. */
function cacheOf(db: Kysely<Database>): LRUCache<string, number> | null {
  if (db.isTransaction) return null
  const known = caches.get(db)
  if (known !== undefined) return known
  const made = new LRUCache<string, number>({ max: cacheEntries })
  caches.set(db, made)
  return made
}

function digestOf(word: string): Buffer {
  return createHash('sha256').update(word).digest()
}
