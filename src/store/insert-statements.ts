import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { sameStatement } from '../xapi/compare.js'
import { type PreparedStatement, stampStored } from '../xapi/prepare.js'
import { truncateFraction } from '../xapi/timestamp.js'
import { refuseStale } from './erasure-fence.js'
import { insertLinks, linksOf, type StatementNumbers } from './statement-links.js'
import { enterGate, linkReferences } from './statement-references.js'

/** A statement as it was stored. */
export interface InsertedStatement {
  /** Its position in the batch, from 0. */
  readonly index: number
  readonly seq: number
  readonly id: string
  /** The instant of the event, UTC with microseconds at most. */
  readonly timestamp: string
}

/**
 * Stores prepared statements, in the order given, under one `stored` instant.
 *
 * A statement that is stored already, and is the same, is left as it is and not among those returned.
 *
 * @throws {LrsError} `statement-conflict` when a different statement with the same id is stored; the transaction has
 * to be rolled back then, so that nothing of the batch is kept.
 * @see xAPI 1.0.3 Communication 2.1.1 and 2.1.2
 */
export async function insertStatements(
  trx: Transaction<Database>,
  tenantId: number,
  statements: readonly PreparedStatement[],
  numbers: StatementNumbers
): Promise<readonly InsertedStatement[]> {
  const isReferring = statements.some(({ refersTo }) => refersTo !== null)
  const stored = await enterGate(trx, tenantId, isReferring)
  const inserted = await insertRows(trx, { tenantId, statements, numbers, stored })
  if (inserted.length < statements.length) await refuseDifferent(trx, tenantId, statements, inserted)
  const links = inserted.flatMap(({ index, seq }) => linksOf(statements[index], { stored, seq, viaSeq: seq }, numbers))
  const ids = inserted.map(({ id }) => id)
  const { isReferredTo, erasures } = await insertLinks(trx, tenantId, links, ids)
  refuseStale(numbers.erasures, erasures)
  if (isReferring || isReferredTo) await linkReferences(trx, tenantId, ids)
  return inserted
}

interface Batch {
  readonly tenantId: number
  readonly statements: readonly PreparedStatement[]
  readonly numbers: StatementNumbers
  readonly stored: string
}

async function insertRows(
  trx: Transaction<Database>,
  { tenantId, statements, numbers, stored }: Batch
): Promise<readonly InsertedStatement[]> {
  const column = <Value>(read: (statement: PreparedStatement) => Value) => statements.map(read)
  // Numbered in the order given, which is the reading order, but inserted in the order of the ids, so that two batches
  // with the same ids can't wait for each other in a circle: 24 batches of 60 ids took 95 s of deadlocks otherwise.
  const { rows } = await sql<{ seq: number; id: string }>`
    with given as materialized (
      select nextval(pg_get_serial_sequence('statement', 'seq')) as seq, given.*
      from unnest(
        ${column(statement => statement.id)}::uuid[],
        ${column(statement => instantOf(statement, stored))}::timestamptz[],
        ${column(statement => numbers.verb.get(statement.verb))}::integer[],
        ${column(statement => numbers.agent.get(statement.authority))}::integer[],
        ${column(statement => statement.registration)}::uuid[],
        ${column(statement => statement.refersTo)}::uuid[],
        ${column(statement => statement.voids)}::uuid[],
        ${column(statement => stampStored(statement, stored))}::text[]
      ) as given(id, "timestamp", verb_id, authority_id, registration, refers_to, voids, text)
    )
    insert into statement (seq, tenant_id, id, stored, "timestamp", verb_id, authority_id, registration, refers_to,
      voids, text)
    overriding system value
    select seq, ${tenantId}::integer, id, ${stored}::timestamptz, "timestamp", verb_id, authority_id, registration,
      refers_to, voids, text
    from given
    order by id
    on conflict (tenant_id, id) do nothing
    returning seq, id`.execute(trx)
  const seqOf = new Map(rows.map(row => [row.id, row.seq]))
  return statements.flatMap((statement, index) => {
    const seq = seqOf.get(statement.id)
    return seq === undefined ? [] : [{ index, seq, id: statement.id, timestamp: instantOf(statement, stored) }]
  })
}

/** Cut and not rounded, as PostgreSQL would: 23:59:59.9999999 belongs to its own day and not to the next. */
function instantOf({ timestamp }: PreparedStatement, stored: string): string {
  return truncateFraction(timestamp ?? stored, 6)
}

async function refuseDifferent(
  trx: Transaction<Database>,
  tenantId: number,
  statements: readonly PreparedStatement[],
  inserted: readonly InsertedStatement[]
): Promise<void> {
  const isNew = new Set(inserted.map(({ id }) => id))
  const repeated = statements.flatMap(({ id }) => (isNew.has(id) ? [] : [id]))
  // A statement of its own: its snapshot holds what a concurrent writer of the same id has committed meanwhile.
  const rows = await trx
    .selectFrom('statement')
    .select(['id', 'text'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sql<string>`any(${repeated}::uuid[])`)
    .execute()
  const textOf = new Map(rows.map(row => [row.id, row.text]))
  for (const [index, { id, text }] of statements.entries()) {
    const known = textOf.get(id)
    if (known !== undefined && !sameStatement(known, text)) {
      throw new LrsError('statement-conflict', `A different statement with the id ${id} is already stored`, {
        index,
        pointer: '/id',
        rule: 'xAPI 1.0.3 Communication 2.1.2 conflicting-id'
      })
    }
  }
}
