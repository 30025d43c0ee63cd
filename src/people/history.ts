import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { type Attributes, columnsOfAttributes, definitionsOfAttributes, namesOfAttributes } from './attributes.js'

/** What the roster says of a person in a range of local days, half-open. */
export interface HistoryRange extends Attributes {
  /** First day; null for all time before. */
  readonly validFrom: string | null
  /** The day after the last; null for no end. */
  readonly validTo: string | null
}

/** A range with the number of its person. */
export interface NumberedRange extends HistoryRange {
  readonly id: number
}

/** SQL for the bounds of a row of `roster`, as `HistoryRange` names them. */
export const selectBounds: RawBuilder<unknown> = sql`lower(roster.valid) as "validFrom", upper(roster.valid) as "validTo"`

/** Adds ranges to the roster; those of one person must not overlap, nor meet what is there. */
export async function insertRanges(
  trx: Transaction<Database>,
  tenantId: number,
  ranges: readonly NumberedRange[]
): Promise<void> {
  await sql`
    insert into roster (tenant_id, person_id, valid, ${columnsOfAttributes})
    select ${tenantId}::integer, id, daterange("validFrom", "validTo"), ${namesOfAttributes}
    from json_to_recordset(${JSON.stringify(ranges)}::json)
      as given(id integer, "validFrom" date, "validTo" date, ${definitionsOfAttributes})`.execute(trx)
}

/**
 * Refuses ranges that are not one person's history: each must end after it begins, and begin no earlier than the one
 * before it ends. Gaps are days on which nothing is known.
 *
 * @throws {LrsError} `invalid-body` with the pointer to the day at fault.
 */
export function refuseTangled(ranges: readonly HistoryRange[]): void {
  for (const [position, range] of ranges.entries()) {
    const { validFrom, validTo } = range
    const next = ranges[position + 1]
    const pointer = `/ranges/${position}`
    if (validFrom !== null && validTo !== null && validTo <= validFrom) {
      throw new LrsError(
        'invalid-body',
        `Range ${position} ends on ${validTo}, not after ${validFrom}, its first day`,
        {
          pointer: `${pointer}/validTo`
        }
      )
    }
    refuseMisfit(validTo, next, position)
    refuseImpossible(range, { pointer })
  }
}

function refuseMisfit(validTo: string | null, next: HistoryRange | undefined, position: number): void {
  if (next === undefined) return
  if (validTo === null) {
    throw new LrsError('invalid-body', `Range ${position} has no validTo, although another range follows it`, {
      pointer: `/ranges/${position}/validTo`
    })
  }
  if (next.validFrom !== null && next.validFrom >= validTo) return
  const begin = next.validFrom === null ? 'has no validFrom' : `begins on ${next.validFrom}`
  const message = `Range ${position + 1} ${begin}, although range ${position} before it ends on ${validTo}: ranges stand in the order of their days and don't overlap`
  throw new LrsError('invalid-body', message, { pointer: `/ranges/${position + 1}/validFrom` })
}

/** @throws {LrsError} `invalid-body` when somebody leaves before they are hired. */
export function refuseImpossible(
  { hiredOn, leftOn }: Pick<Attributes, 'hiredOn' | 'leftOn'>,
  { pointer, index }: { readonly pointer: string; readonly index?: number }
): void {
  if (hiredOn === null || leftOn === null || hiredOn <= leftOn) return
  throw new LrsError('invalid-body', `leftOn, ${leftOn}, would be before hiredOn, ${hiredOn}; null clears a day`, {
    ...(index === undefined ? {} : { index }),
    pointer: `${pointer}/leftOn`
  })
}
