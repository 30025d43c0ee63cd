import { createHash } from 'node:crypto'
import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { type Merge, mergeDefinitions, mergeLanguageMaps } from '../xapi/canonical.js'
import type { Description } from '../xapi/descriptions.js'
import { isRemembered, rememberDescriptions } from './description-cache.js'
import { internWords } from './dictionary.js'

/** A description that is not known to be kept, with the number of what it describes. */
export interface NewDescription extends Description {
  readonly id: number
}

/** What was kept of one word, to be remembered once it is committed. */
export interface KeptDescriptions {
  readonly of: Description['of']
  readonly word: string
  readonly texts: readonly string[]
  readonly hasChanged: boolean
}

/**
 * Leaves out the descriptions that are known to be kept, and numbers the words of the others.
 *
 * Commits by itself, like `internWords`, and must not run inside a transaction.
 */
export async function findNewDescriptions(
  db: Kysely<Database>,
  tenantId: number,
  statements: readonly (readonly Description[])[]
): Promise<readonly (readonly NewDescription[])[]> {
  const news = statements.map(descriptions => descriptions.filter(given => !isRemembered(db, tenantId, given)))
  const wordsOf = (of: Description['of']) => news.flat().flatMap(given => (given.of === of ? [given.word] : []))
  const numbersOf = async (of: Description['of']) =>
    [of, await internWords(db, { tenantId, dictionary: of }, wordsOf(of))] as const
  const numbers = new Map(await Promise.all((['activity', 'verb', 'agent'] as const).map(numbersOf)))
  return news.map(descriptions =>
    descriptions.flatMap(given => {
      const id = numbers.get(given.of)?.get(given.word)
      return id === undefined ? [] : [{ ...given, id }]
    })
  )
}

/**
 * Keeps descriptions: definitions and displays are merged into what is known, names are added.
 *
 * Rows are made and locked in the order of their numbers, and kinds in one order, so that two batches can't wait for
 * each other in a circle. Where nothing changes no row is locked.
 *
 * @returns what to remember once the transaction is committed.
 */
export async function putDescriptions(
  trx: Transaction<Database>,
  tenantId: number,
  descriptions: readonly NewDescription[]
): Promise<readonly KeptDescriptions[]> {
  if (descriptions.length === 0) return []
  const kept: KeptDescriptions[] = []
  for (const of of ['activity', 'verb'] as const) {
    const given = byId(descriptions.filter(description => description.of === of))
    const changed = await mergeAll(trx, { tenantId, ...canonicalTables[of] }, given)
    // Only of the last one is it sure that to merge it again would change nothing.
    for (const [id, { word, texts }] of given) {
      kept.push({ of, word, texts: texts.slice(-1), hasChanged: changed.has(id) })
    }
  }
  const named = byId(descriptions.filter(({ of }) => of === 'agent'))
  await addNames(trx, tenantId, named)
  for (const { word, texts } of named.values()) kept.push({ of: 'agent', word, texts, hasChanged: false })
  return kept
}

/** Remembers what was kept, after the commit. */
export function rememberKept(db: Kysely<Database>, tenantId: number, kept: readonly KeptDescriptions[]): void {
  for (const descriptions of kept) rememberDescriptions(db, tenantId, descriptions)
}

/** What is said of one word, in the order in which it was sent. */
interface Given {
  readonly word: string
  readonly texts: string[]
}

/** By the number of the word, in the order of the numbers. */
function byId(descriptions: readonly NewDescription[]): ReadonlyMap<number, Given> {
  const given = new Map<number, Given>()
  for (const { id, word, text } of descriptions.toSorted((a, b) => a.id - b.id)) {
    const known = given.get(id)
    if (known === undefined) given.set(id, { word, texts: [text] })
    else if (known.texts.at(-1) !== text) known.texts.push(text)
  }
  return given
}

interface CanonicalTable {
  readonly tenantId: number
  readonly table: RawBuilder<unknown>
  readonly id: RawBuilder<unknown>
  readonly text: RawBuilder<unknown>
  readonly merge: Merge
}

const canonicalTables = {
  activity: {
    table: sql.table('activity_definition'),
    id: sql.ref('activity_id'),
    text: sql.ref('definition'),
    merge: mergeDefinitions
  },
  verb: {
    table: sql.table('verb_display'),
    id: sql.ref('verb_id'),
    text: sql.ref('display'),
    merge: mergeLanguageMaps
  }
} as const

/** Merges what is given into a table's rows, and says which of them it changed. */
async function mergeAll(
  trx: Transaction<Database>,
  of: CanonicalTable,
  given: ReadonlyMap<number, Given>
): Promise<ReadonlySet<number>> {
  if (given.size === 0) return new Set()
  const merged = (id: number, known: string) => (given.get(id)?.texts ?? []).reduce(of.merge, known)
  const changesOf = (known: ReadonlyMap<number, string>, ids: Iterable<number>) =>
    new Map(
      [...ids]
        .map(id => [id, merged(id, known.get(id) ?? '{}')] as const)
        .filter(([id, text]) => text !== known.get(id))
    )
  const changes = changesOf(await readRows(trx, of, [...given.keys()]), given.keys())
  if (changes.size === 0) return new Set()
  await insertRows(trx, of, changes)
  const locked = await readRows(trx, of, [...changes.keys()], sql`for update`)
  await updateRows(trx, of, changesOf(locked, changes.keys()))
  return new Set(changes.keys())
}

async function readRows(
  trx: Transaction<Database>,
  { tenantId, table, id, text }: CanonicalTable,
  ids: readonly number[],
  lock: RawBuilder<unknown> = sql``
): Promise<ReadonlyMap<number, string>> {
  const { rows } = await sql<{ id: number; text: string }>`
    select ${id} as id, ${text} as text from ${table}
    where tenant_id = ${tenantId} and ${id} = any(${ids}::integer[])
    order by ${id} ${lock}`.execute(trx)
  return new Map(rows.map(row => [row.id, row.text]))
}

async function insertRows(
  trx: Transaction<Database>,
  { tenantId, table, id, text }: CanonicalTable,
  rows: ReadonlyMap<number, string>
): Promise<void> {
  await sql`
    insert into ${table} (tenant_id, ${id}, ${text}, updated)
    select ${tenantId}::integer, given.id, given.text, clock_timestamp()
    from unnest(${[...rows.keys()]}::integer[], ${[...rows.values()]}::text[]) as given(id, text)
    order by given.id
    on conflict do nothing`.execute(trx)
}

async function updateRows(
  trx: Transaction<Database>,
  { tenantId, table, id, text }: CanonicalTable,
  rows: ReadonlyMap<number, string>
): Promise<void> {
  if (rows.size === 0) return
  await sql`
    update ${table} set ${text} = given.text, updated = clock_timestamp()
    from unnest(${[...rows.keys()]}::integer[], ${[...rows.values()]}::text[]) as given(id, text)
    where tenant_id = ${tenantId} and ${id} = given.id`.execute(trx)
}

async function addNames(
  trx: Transaction<Database>,
  tenantId: number,
  named: ReadonlyMap<number, Given>
): Promise<void> {
  if (named.size === 0) return
  const rows = [...named].flatMap(([id, { texts }]) => texts.map(name => ({ id, name, digest: digestOf(name) })))
  await sql`
    insert into agent_name (tenant_id, agent_id, digest, name, first_seen)
    select ${tenantId}::integer, id, digest, name, clock_timestamp()
    from unnest(
      ${rows.map(row => row.id)}::integer[],
      ${rows.map(row => row.digest)}::bytea[],
      ${rows.map(row => row.name)}::text[]
    ) as given(id, digest, name)
    order by id, digest
    on conflict do nothing`.execute(trx)
}

function digestOf(name: string): Buffer {
  return createHash('sha256').update(name).digest()
}
