import { type Kysely, sql, type Transaction } from 'kysely'
import { toMilliseconds } from '../database/instant-text.js'
import type { Database, DerivationPhase, DerivationReason } from '../database/schema.js'

/** What is asked to be derived anew. */
export interface DerivationRequest {
  readonly tenantId: number
  readonly reason: DerivationReason
  /** The numbers of the only verbs that can have changed; null for all statements. */
  readonly verbIds: readonly number[] | null
  /** Who asks, such as a credential's key. */
  readonly requestedBy: string
}

/** A derivation as it is listed. */
export interface ListedDerivation {
  readonly id: number
  readonly reason: DerivationReason
  /** `events`: statements are read; `rollups`: what is counted from the events is made anew; `done`. */
  readonly phase: DerivationPhase
  /** How many statements there are to read; null until it has begun. */
  readonly total: number | null
  /** How many of them were read. */
  readonly derived: number
  /** How many learning events were added, changed or removed. */
  readonly changed: number
  readonly requestedBy: string
  /** RFC 3339 in UTC, as the two below. */
  readonly requestedAt: string
  readonly startedAt: string | null
  readonly finishedAt: string | null
}

const pageLength = 100

/**
 * Asks for a derivation, in the transaction that makes it necessary. It begins within about a second, after those of
 * the tenant that were asked for before.
 *
 * @returns its number.
 */
export async function requestDerivation(
  trx: Transaction<Database>,
  { tenantId, reason, verbIds, requestedBy }: DerivationRequest
): Promise<number> {
  const { id } = await trx
    .insertInto('derivation')
    .values({
      tenant_id: tenantId,
      reason,
      verb_ids: verbIds === null ? null : [...verbIds],
      requested_by: requestedBy,
      event_end: null,
      event_stored: null,
      total: null,
      started_at: null,
      finished_at: null
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}

/** Lists a tenant's derivations, the newest first, at most a hundred. */
export async function listDerivations(db: Kysely<Database>, tenantId: number): Promise<readonly ListedDerivation[]> {
  const instant = (column: string) => toMilliseconds(sql.ref(column))
  const { rows } = await sql<ListedDerivation>`
    select id, reason, phase, total, derived, changed, requested_by as "requestedBy",
      ${instant('requested_at')} as "requestedAt", ${instant('started_at')} as "startedAt",
      ${instant('finished_at')} as "finishedAt"
    from derivation where tenant_id = ${tenantId} order by id desc limit ${pageLength}`.execute(db)
  return rows
}
