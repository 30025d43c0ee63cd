import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import { type UnknownValue, unknownValues } from '../people/unknown-values.js'
import { answerVersion } from './answer-version.js'
import { type OpenDerivation, oldestDue, openDerivation, parkedRows } from './consistency.js'
import type { Snapshot } from './measurement.js'
import type { SharesRequest } from './shares.js'

/** What `snapshotColumns` gives. */
export interface SnapshotRow extends MomentRow {
  readonly voided: number
  readonly unresolved_actor: number
  readonly future: number
  readonly unknown: readonly UnknownValue[]
}

interface MomentRow {
  readonly oldest_due: string | null
  readonly derivation: OpenDerivation | null
  readonly parked_rows: number
  readonly version: number | null
}

/** SQL for the columns that say what is true of the moment; they read the expression `excluded` of `shares`. */
export function snapshotColumns({
  filter,
  ...moment
}: MomentRequest & Pick<SharesRequest, 'filter'>): RawBuilder<unknown> {
  return sql`
    excluded.voided, excluded.future, excluded.unresolved_actor,
    ${unknownValues(moment.tenantId, filter)} as unknown, ${momentColumns(moment)}`
}

/** Whose moment, and which. */
type MomentRequest = Pick<SharesRequest, 'tenantId' | 'asOf' | 'source'>

function momentColumns({ tenantId, asOf, source }: MomentRequest): RawBuilder<unknown> {
  return sql`
    ${oldestDue(tenantId, asOf)} as oldest_due, ${openDerivation(tenantId)} as derivation,
    ${parkedRows(tenantId)} as parked_rows, ${answerVersion({ tenantId, source, asOf })} as version`
}

/** What is true of a moment whatever is counted: what tells the data, and what the rollups wait for. */
export type Moment = Pick<Snapshot, 'oldestDue' | 'derivation' | 'parkedRows' | 'version'>

/** Finds what is true of the moment. */
export async function findMoment(db: Kysely<Database>, request: MomentRequest): Promise<Moment> {
  const { rows } = await sql<MomentRow>`select ${momentColumns(request)}`.execute(db)
  return readMoment(rows[0] as MomentRow)
}

/** Reads the columns. */
export function readSnapshot(row: SnapshotRow): Snapshot {
  return {
    excluded: { voided: row.voided, unresolvedActor: row.unresolved_actor, future: row.future },
    unknown: row.unknown,
    ...readMoment(row)
  }
}

function readMoment({ oldest_due, derivation, parked_rows, version }: MomentRow): Moment {
  return { oldestDue: oldest_due, derivation, parkedRows: parked_rows, version }
}
