import { type Kysely, type Selectable, sql, type Transaction, type UpdateObject } from 'kysely'
import type { Database, DerivationTable } from '../database/schema.js'
import { raiseDataVersions } from '../store/data-version.js'
import { holdOffErasures } from '../store/erasure-fence.js'
import { scanStatements } from '../store/scan-statements.js'
import { enterGate } from '../store/statement-references.js'
import { transact } from '../store/transact.js'
import { deriveEvents } from './derive-events.js'

/** How a derivation goes on. */
export interface DeriveOptions {
  /** Statements in one transaction at most. */
  readonly chunkSize: number
  /**
   * Makes anew what is counted from the events of the next persons after one, by their numbers.
   *
   * @returns null when nobody is left.
   */
  readonly rebuildPersons: (
    trx: Transaction<Database>,
    tenantId: number,
    afterPersonId: number
  ) => Promise<RebuiltPersons | null>
}

/** Persons whose rows were made anew. */
export interface RebuiltPersons {
  /** The last one's number. */
  readonly last: number
  /** Whether a row is another than it was. */
  readonly isChanged: boolean
}

/** A step that was taken. */
interface Step {
  readonly progress: Progress
  /** Whether events or what is counted from them changed, or answers warn of the derivation no more. */
  readonly isChange: boolean
}

type Derivation = Selectable<DerivationTable>
type Progress = UpdateObject<Database, 'derivation'>

/**
 * Takes an open derivation one step on, in one transaction with the note of how far it has come: whoever goes on after
 * a process was killed goes on from there.
 *
 * A tenant's derivations go one after the other, in the order in which they were asked for; of several tenants one is
 * taken by chance, so that none waits for another that is long or fails. Any number of processes may do so at once:
 * each takes another one.
 *
 * @returns 1, or 0 when no derivation is open that nobody else works on.
 */
export async function derive(db: Kysely<Database>, options: DeriveOptions): Promise<number> {
  return transact(db, async trx => {
    await holdOffErasures(trx)
    const derivation = await takeDerivation(trx)
    if (derivation === null) return 0
    const { progress, isChange } = await takeStep(trx, derivation, options)
    await trx
      .updateTable('derivation')
      .set(progress)
      .where('tenant_id', '=', derivation.tenant_id)
      .where('id', '=', derivation.id)
      .execute()
    if (isChange) await raiseDataVersions(trx, [derivation.tenant_id])
    return 1
  })
}

async function takeDerivation(trx: Transaction<Database>): Promise<Derivation | null> {
  const { rows } = await sql<Derivation>`
    select * from derivation as next
    where phase <> 'done' and not exists (
      select from derivation as earlier
      where earlier.tenant_id = next.tenant_id and earlier.id < next.id and earlier.phase <> 'done')
    order by random() limit 1 for update skip locked`.execute(trx)
  return rows[0] ?? null
}

async function takeStep(trx: Transaction<Database>, derivation: Derivation, options: DeriveOptions): Promise<Step> {
  if (derivation.started_at === null) return noted(await begin(trx, derivation.tenant_id))
  if (derivation.total === null) return noted({ total: await countStatements(trx, derivation) })
  if (derivation.phase === 'events') return nextStatements(trx, derivation, options.chunkSize)
  const rebuilt = await options.rebuildPersons(trx, derivation.tenant_id, derivation.person_position)
  if (rebuilt === null) return finished
  return { progress: { person_position: rebuilt.last }, isChange: rebuilt.isChanged }
}

const finished: Step = {
  progress: { phase: 'done', finished_at: sql<string>`clock_timestamp()` },
  isChange: true
}

/** A step that nobody sees in an answer. */
function noted(progress: Progress): Step {
  return { progress, isChange: false }
}

/**
 * Begins alone in the tenant's gate of writers: all have ended who entered it before, and may have read the mapping or
 * the zone from before the request; whoever enters it after sees what has changed. So the statements that there are
 * now are all that need it.
 */
async function begin(trx: Transaction<Database>, tenantId: number): Promise<Progress> {
  await enterGate(trx, tenantId, true)
  // By a statement of its own, for its snapshot must be later than the wait.
  const { rows } = await sql<{ end: number }>`
    select coalesce(max(seq), 0) as end from statement where tenant_id = ${tenantId}`.execute(trx)
  return { started_at: sql<string>`clock_timestamp()`, event_end: rows.reduce((_, { end }) => end, 0) }
}

async function countStatements(
  trx: Transaction<Database>,
  { tenant_id, event_end, verb_ids }: Derivation
): Promise<number> {
  // Ten million take seconds, but a busy disk may need longer than a query usually may.
  await sql`set local statement_timeout = '10min'`.execute(trx)
  const ofVerbs = verb_ids === null ? sql`` : sql`and verb_id = any(${verb_ids}::integer[])`
  const { rows } = await sql<{ total: number }>`
    select count(*) as total from statement
    where tenant_id = ${tenant_id} and seq <= ${event_end} ${ofVerbs}`.execute(trx)
  return rows.reduce((_, { total }) => total, 0)
}

/** Derives the next statements, or, when none is left of a verb, goes on to the next verb. */
async function nextStatements(trx: Transaction<Database>, derivation: Derivation, limit: number): Promise<Step> {
  const { tenant_id: tenantId, verb_ids: verbIds, event_verbs: verbsDone } = derivation
  const verbs = verbIds ?? [null]
  const verbId = verbs[verbsDone]
  if (verbId === undefined) return derivation.reason === 'rebuild' ? noted({ phase: 'rollups' }) : finished
  const after = { stored: derivation.event_stored, seq: derivation.event_position }
  const statements = await scanStatements(trx, { tenantId, verbId, after, upTo: derivation.event_end, limit })
  const last = statements.at(-1)
  if (last === undefined) return noted({ event_verbs: verbsDone + 1, event_stored: null, event_position: 0 })
  const changed = await deriveEvents(trx, tenantId, statements)
  const progress = {
    event_stored: last.stored,
    event_position: last.seq,
    derived: derivation.derived + statements.length,
    changed: derivation.changed + changed
  }
  return { progress, isChange: changed > 0 }
}
