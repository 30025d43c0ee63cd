import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { bareVoid } from '../xapi/erase.js'
import { activitiesIn, agentsIn } from '../xapi/mentions.js'
import type { Statement } from '../xapi/statement.js'
import { findNumbers } from './dictionary.js'
import { deleteLinks, insertLinks, type Link, linksOf } from './statement-links.js'

/** A statement that names somebody who is erased. */
export interface DoomedStatement {
  readonly seq: number
  /** Whether it voids a statement that stays, and so stays itself with nothing else in it. */
  readonly keepsVoid: boolean
}

interface Place {
  readonly seq: number
  readonly stored: string
  readonly via_seq: number
}

interface Doomed {
  readonly seq: number
  readonly id: string
  readonly stored: string
  readonly text: string
}

/**
 * Erases statements, with all that they are found by, also where statements that refer to them have it from them. What
 * refers to them stays, with a reference that leads nowhere.
 *
 * Which rows those are is read from the texts: indexes by statement would have to be kept by every writer. The tenant's
 * gate must be held alone.
 */
export async function eraseStatements(
  trx: Transaction<Database>,
  tenantId: number,
  doomed: readonly DoomedStatement[]
): Promise<void> {
  const seqs = doomed.map(({ seq }) => seq)
  const voids = new Set(doomed.flatMap(({ seq, keepsVoid }) => (keepsVoid ? [seq] : [])))
  const statements = await readDoomed(trx, tenantId, seqs)
  const removed = seqs.filter(seq => !voids.has(seq))
  const referrers = await findReferrers(trx, tenantId, statements)
  await trx
    .deleteFrom('statement')
    .where('tenant_id', '=', tenantId)
    .where('seq', '=', sql<number>`any(${removed}::bigint[])`)
    .execute()
  const broken = await breakReferences(trx, tenantId, removed, referrers)
  const emptied = await emptyReferences(trx, tenantId, [...voids])
  const own = statements.map(({ seq, stored }): Place => ({ seq, stored, via_seq: seq }))
  // A circle leads back to the referrer itself, whose own names stay.
  const places = [...own, ...emptied, ...broken.filter(place => place.seq !== place.via_seq)]
  await deleteLinks(
    trx,
    tenantId,
    await linksAt(trx, tenantId, places, await readTexts(trx, tenantId, places, statements))
  )
  const kept = statements.filter(({ seq }) => voids.has(seq))
  await writeVoids(trx, tenantId, kept, [...own, ...emptied])
}

async function readDoomed(trx: Transaction<Database>, tenantId: number, seqs: readonly number[]) {
  return trx
    .selectFrom('statement')
    .select(['seq', 'id', 'stored', 'text'])
    .where('tenant_id', '=', tenantId)
    .where('seq', '=', sql<number>`any(${seqs}::bigint[])`)
    .execute()
}

/** The statements that refer to these, directly or through others. */
async function findReferrers(
  trx: Transaction<Database>,
  tenantId: number,
  statements: readonly Doomed[]
): Promise<readonly number[]> {
  const { rows } = await sql<{ seq: number }>`
    with recursive referrer as (
      select seq, id from statement
      where tenant_id = ${tenantId} and refers_to = any(${statements.map(({ id }) => id)}::uuid[])
      union
      select statement.seq, statement.id
      from referrer join statement on statement.tenant_id = ${tenantId} and statement.refers_to = referrer.id
    )
    select seq from referrer`.execute(trx)
  return rows.map(({ seq }) => seq)
}

/** Deletes the references of statements that are gone, and of others those that led through them. */
async function breakReferences(
  trx: Transaction<Database>,
  tenantId: number,
  removed: readonly number[],
  referrers: readonly number[]
): Promise<readonly Place[]> {
  const { rows } = await sql<Place>`
    with recursive chain as (
      select seq, refers_to as target from statement
      where tenant_id = ${tenantId} and seq = any(${referrers}::bigint[]) and refers_to is not null
      union
      select chain.seq, statement.refers_to
      from chain join statement on statement.tenant_id = ${tenantId} and statement.id = chain.target
      where statement.refers_to is not null
    ),
    reached as (
      select chain.seq, target.seq as via_seq
      from chain join statement as target on target.tenant_id = ${tenantId} and target.id = chain.target
    )
    delete from statement_reference as reference
    where tenant_id = ${tenantId} and seq = any(${[...new Set([...removed, ...referrers])]}::bigint[])
      and not exists (select from reached
        where (reached.seq, reached.via_seq) = (reference.seq, reference.via_seq))
    returning seq, stored, via_seq`.execute(trx)
  return rows
}

/** Takes the registration, which the voiding statements lose, from what refers to them. */
async function emptyReferences(
  trx: Transaction<Database>,
  tenantId: number,
  voids: readonly number[]
): Promise<readonly Place[]> {
  if (voids.length === 0) return []
  const ids = await readDoomed(trx, tenantId, voids)
  const referrers = await findReferrers(trx, tenantId, ids)
  const { rows } = await sql<Place>`
    update statement_reference set registration = null
    where tenant_id = ${tenantId} and seq = any(${referrers}::bigint[]) and via_seq = any(${voids}::bigint[])
    returning seq, stored, via_seq`.execute(trx)
  return rows.filter(({ seq, via_seq }) => seq !== via_seq)
}

async function readTexts(
  trx: Transaction<Database>,
  tenantId: number,
  places: readonly Place[],
  statements: readonly Doomed[]
): Promise<ReadonlyMap<number, string>> {
  const texts = new Map(statements.map(({ seq, text }) => [seq, text]))
  const others = new Set(places.flatMap(({ via_seq }) => (texts.has(via_seq) ? [] : [via_seq])))
  if (others.size === 0) return texts
  const rows = await readDoomed(trx, tenantId, [...others])
  return new Map([...texts, ...rows.map(({ seq, text }) => [seq, text] as const)])
}

/** The links that the places have from their statements' texts. */
async function linksAt(
  trx: Transaction<Database>,
  tenantId: number,
  places: readonly Place[],
  texts: ReadonlyMap<number, string>
): Promise<readonly Link[]> {
  const mentions = new Map([...texts].map(([seq, text]) => [seq, mentionsOf(text)]))
  const words = (kind: 'agents' | 'activities') =>
    [...mentions.values()].flatMap(mentioned => [...mentioned[kind].direct, ...mentioned[kind].related])
  const numbers = {
    agent: await findNumbers(trx, { tenantId, dictionary: 'agent' }, words('agents')),
    activity: await findNumbers(trx, { tenantId, dictionary: 'activity' }, words('activities'))
  }
  return places.flatMap(({ seq, stored, via_seq }) =>
    linksOf(mentions.get(via_seq), { stored, seq, viaSeq: via_seq }, numbers)
  )
}

function mentionsOf(text: string) {
  const statement = JSON.parse(text) as Statement
  return { agents: agentsIn(statement), activities: activitiesIn(statement) }
}

/** Writes voiding statements with nothing left in them, and what they are found by now. */
async function writeVoids(
  trx: Transaction<Database>,
  tenantId: number,
  voids: readonly Doomed[],
  places: readonly Place[]
): Promise<void> {
  if (voids.length === 0) return
  const texts = new Map(voids.map(({ seq, text }) => [seq, bareVoid(text)]))
  await sql`
    update statement set text = given.text, registration = null
    from unnest(${[...texts.keys()]}::bigint[], ${[...texts.values()]}::text[]) as given(seq, text)
    where tenant_id = ${tenantId} and statement.seq = given.seq`.execute(trx)
  const theirs = places.filter(({ via_seq }) => texts.has(via_seq))
  await insertLinks(trx, tenantId, await linksAt(trx, tenantId, theirs, texts), [])
}
