import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import { raiseDataVersions } from '../store/data-version.js'
import { transact } from '../store/transact.js'

/** After so many failures alone a row is tried no more until somebody says so: it was tried for ten minutes. */
const maxAttempts = 5

/** What goes by, whatever the rows: lost connections, locks, resources that ran out, an operator's doing. */
const passing = ['08', '25', '40', '53', '55', '57', '58']

/** A statement that took too long: perhaps because of what it was asked to compute. */
const cancelled = '57014'

/** A row of the queue that failed alone. */
export interface FailedRow {
  readonly id: number
  readonly tenantId: number
  /** How often it has. */
  readonly attempts: number
  /** Whether it is tried no more. */
  readonly isParked: boolean
  readonly error: unknown
}

/** Says whether rows may be at fault of a failure; otherwise waiting may help, and setting rows apart does not. */
export function isFaultOfRows(error: unknown): boolean {
  const code = String((Object(error) as { readonly code?: unknown }).code)
  return code === cancelled || (/^[0-9A-Z]{5}$/.test(code) && !passing.includes(code.slice(0, 2)))
}

/**
 * Puts a row off that failed alone, for 1, 8, 64 and 512 seconds, and parks it at the fifth failure.
 *
 * @returns null when another worker has done it, or put it off, meanwhile.
 */
export async function postponeRow(db: Kysely<Database>, id: number, error: unknown): Promise<FailedRow | null> {
  const { code, message } = error as { readonly code: string; readonly message: string }
  return transact(db, async trx => {
    const { rows } = await sql<Omit<FailedRow, 'error'>>`
    update rollup_queue set
      attempts = attempts + 1,
      last_error = left(${`${code}: ${message}`}, 500),
      due_at = clock_timestamp() + interval '1 second' * power(8, attempts),
      parked_at = case when attempts + 1 >= ${maxAttempts} then clock_timestamp() end
    where id = ${id} and parked_at is null and due_at <= clock_timestamp()
    returning id, tenant_id as "tenantId", attempts, parked_at is not null as "isParked"`.execute(trx)
    const [row] = rows
    // From now on answers warn of it.
    if (row?.isParked === true) await raiseDataVersions(trx, [row.tenantId])
    return row === undefined ? null : { ...row, error }
  })
}
