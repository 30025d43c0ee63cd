import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'

/**
 * How many erasures of each tenant are known to this process, of those that took numbers out of the dictionary of
 * agents. What is remembered of agents belongs to one count, and is forgotten with the next. One map for each database,
 * for tests open many.
 */
const known = new WeakMap<object, Map<number, number>>()

/** Names the advisory lock between erasures and those who work on derived tables. */
const derivedLock = sql`${0x45524153}::integer, 0`

/** Numbers of agents were looked up before an erasure that may have taken some of them away. */
class StaleNumbers extends Error {
  override readonly name = 'StaleNumbers'
  readonly erasures: number

  constructor(erasures: number) {
    super('an agent was erased after its number had been looked up')
    this.erasures = erasures
  }
}

/** How many erasures of a tenant this process knows of. */
export function knownErasures(db: Kysely<Database>, tenantId: number): number {
  return known.get(db)?.get(tenantId) ?? 0
}

/** Remembers how many erasures a tenant has had, as somebody has read it after their commit. */
export function rememberErasures(db: Kysely<Database>, tenantId: number, erasures: number): void {
  const counts = known.get(db) ?? new Map<number, number>()
  known.set(db, counts.set(tenantId, Math.max(erasures, knownErasures(db, tenantId))))
}

/**
 * Does work that looks numbers of agents up and writes them; again from the start where an erasure came between.
 *
 * @param work gets the count of erasures that its numbers belong to, for the check in its transaction. Nothing of it
 * may be kept when it fails.
 */
export async function withLiveNumbers<Result>(
  db: Kysely<Database>,
  tenantId: number,
  work: (erasures: number) => Promise<Result>
): Promise<Result> {
  for (;;) {
    try {
      return await work(knownErasures(db, tenantId))
    } catch (error) {
      // The count only grows, so each try is for an erasure of its own.
      if (!(error instanceof StaleNumbers)) throw error
      rememberErasures(db, tenantId, error.erasures)
    }
  }
}

/**
 * Compares the count of erasures that numbers belong to with the one read after the lock that keeps erasures off.
 *
 * @throws {StaleNumbers} for `withLiveNumbers`, which does the work again.
 */
export function refuseStale(asOf: number, erasures: number): void {
  if (erasures > asOf) throw new StaleNumbers(erasures)
}

/**
 * Holds numbers of agents until the transaction ends: an erasure of one waits, and where one came first, this fails.
 *
 * For those who write few numbers, each in a row of its own; those who store statements have the gate instead.
 *
 * @throws {StaleNumbers} for `withLiveNumbers`.
 */
export async function holdAgents(trx: Transaction<Database>, tenantId: number, ids: readonly number[]): Promise<void> {
  const wanted = [...new Set(ids)]
  const { rows } = await sql`
    select from agent where tenant_id = ${tenantId} and id = any(${wanted}::integer[])
    order by id for key share`.execute(trx)
  // A statement of its own: that one waited with an old snapshot.
  if (rows.length < wanted.length) throw new StaleNumbers(await countErasures(trx, tenantId))
}

/** Keeps erasures off while derived tables are worked on, which follow the record without the gate of its writers. */
export async function holdOffErasures(trx: Transaction<Database>): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(${derivedLock})`.execute(trx)
}

/** Waits until nobody works on derived tables, and keeps them off. */
export async function holdOffDerivation(trx: Transaction<Database>): Promise<void> {
  await sql`select pg_advisory_xact_lock(${derivedLock})`.execute(trx)
}

async function countErasures(trx: Transaction<Database>, tenantId: number): Promise<number> {
  const { erasures } = await trx
    .selectFrom('tenant')
    .select('erasures')
    .where('id', '=', tenantId)
    .executeTakeFirstOrThrow()
  return erasures
}
