import { type Kysely, sql } from 'kysely'
import { toMilliseconds } from '../database/instant-text.js'
import type { Database } from '../database/schema.js'

/** How much was erased. */
export interface ErasureCounts {
  /** Statements that are gone. */
  readonly statements: number
  /** Voiding statements that stay, with nothing in them but what they void. */
  readonly voids: number
  /** Statements that stay, and whose authority was replaced. */
  readonly authorities: number
  readonly attachments: number
  /** Octets. */
  readonly attachmentBytes: number
  readonly learningEvents: number
  readonly documents: number
  readonly names: number
  readonly agents: number
  readonly persons: number
}

/** An erasure as it is listed: how much, when and by whom, and nothing of whom it was. */
export interface ListedErasure extends ErasureCounts {
  readonly id: number
  /** The key of the credential, or whom the token was made for. */
  readonly requestedBy: string
  /** RFC 3339 in UTC, as the one below. */
  readonly startedAt: string
  /** Null while it goes on, or where it broke off. */
  readonly finishedAt: string | null
}

/** Where nothing was erased yet. */
export const nothingErased: ErasureCounts = {
  statements: 0,
  voids: 0,
  authorities: 0,
  attachments: 0,
  attachmentBytes: 0,
  learningEvents: 0,
  documents: 0,
  names: 0,
  agents: 0,
  persons: 0
}

/** Which erasure is logged. */
export interface LoggedErasure {
  readonly tenantId: number
  readonly requestedBy: string
  /** Null for one that is not logged yet. */
  readonly id: number | null
  readonly isFinished: boolean
}

/** Logs how far an erasure has come, in the transaction that has brought it there. */
export async function logErasure(
  db: Kysely<Database>,
  { tenantId, requestedBy, id, isFinished }: LoggedErasure,
  counts: ErasureCounts
): Promise<number> {
  const { attachmentBytes, learningEvents, ...others } = counts
  const row = { ...others, attachment_bytes: attachmentBytes, learning_events: learningEvents }
  const finished_at = isFinished ? sql<string>`clock_timestamp()` : null
  if (id === null) {
    const values = { ...row, tenant_id: tenantId, requested_by: requestedBy, finished_at }
    return (await db.insertInto('erasure').values(values).returning('id').executeTakeFirstOrThrow()).id
  }
  await db
    .updateTable('erasure')
    .set({ ...row, finished_at })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .execute()
  return id
}

/**
 * Lists a tenant's erasures, the last first.
 *
 * @param page `before` is the id of the last one on the page before, or null for the first page.
 */
export async function listErasures(
  db: Kysely<Database>,
  tenantId: number,
  { before, limit }: { readonly before: number | null; readonly limit: number }
): Promise<readonly ListedErasure[]> {
  const instant = (column: 'started_at' | 'finished_at') => toMilliseconds(sql.ref(column))
  const query = db
    .selectFrom('erasure')
    .select(['id', 'requested_by as requestedBy', 'statements', 'voids', 'authorities', 'attachments'])
    .select(['attachment_bytes as attachmentBytes', 'learning_events as learningEvents', 'documents', 'names'])
    .select(['agents', 'persons', instant('started_at').$castTo<string>().as('startedAt')])
    .select(instant('finished_at').$castTo<string | null>().as('finishedAt'))
    .where('tenant_id', '=', tenantId)
  const paged = before === null ? query : query.where('id', '<', before)
  return paged.orderBy('id', 'desc').limit(limit).execute()
}
