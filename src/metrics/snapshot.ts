import { type RawBuilder, sql } from 'kysely'
import { type UnknownValue, unknownValues } from '../people/unknown-values.js'
import { answerVersion } from './answer-version.js'
import { type OpenDerivation, oldestDue, openDerivation, parkedRows } from './consistency.js'
import type { Snapshot } from './measurement.js'
import type { SharesRequest } from './shares.js'

/** What `snapshotColumns` gives. */
export interface SnapshotRow {
  readonly voided: number
  readonly unresolved_actor: number
  readonly future: number
  readonly unknown: readonly UnknownValue[]
  readonly oldest_due: string | null
  readonly derivation: OpenDerivation | null
  readonly parked_rows: number
  readonly version: number | null
}

/** SQL for the columns that say what is true of the moment; they read the expression `excluded` of `shares`. */
export function snapshotColumns({
  tenantId,
  filter,
  asOf,
  source
}: Pick<SharesRequest, 'tenantId' | 'filter' | 'asOf' | 'source'>): RawBuilder<unknown> {
  return sql`
    excluded.voided, excluded.future, excluded.unresolved_actor,
    ${unknownValues(tenantId, filter)} as unknown, ${oldestDue(tenantId, asOf)} as oldest_due,
    ${openDerivation(tenantId)} as derivation, ${parkedRows(tenantId)} as parked_rows,
    ${answerVersion({ tenantId, source, asOf })} as version`
}

/** Reads the columns. */
export function readSnapshot(row: SnapshotRow): Snapshot {
  return {
    excluded: { voided: row.voided, unresolvedActor: row.unresolved_actor, future: row.future },
    unknown: row.unknown,
    oldestDue: row.oldest_due,
    derivation: row.derivation,
    parkedRows: row.parked_rows,
    version: row.version
  }
}
