import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import {
  type Attributes,
  applyGiven,
  attributeNames,
  noAttributes,
  sameAttributes,
  selectAttributes
} from './attributes.js'
import { insertRanges, type NumberedRange, refuseImpossible, selectBounds } from './history.js'
import type { NumberedRecord } from './person-record.js'

/**
 * Persons of one round trip, so that a parameter stays below about 10 MB however many there are. Not fewer: where there
 * is no better index, PostgreSQL reads all of the tenant's ranges in each round.
 */
const chunkPersons = 20_000

/** What a record changed in a person's history. */
export interface RosterChange {
  readonly id: number
  /** First day of the change; null for all time before. */
  readonly validFrom: string | null
  /** What was known on that day; null for nothing. */
  readonly from: Attributes | null
  readonly to: Attributes
  /** How many ranges began on that day or later, and gave way. */
  readonly replacedRanges: number
}

/**
 * Writes what the roster says of persons from a day on. A range that begins before that day is cut there, later ones
 * give way; a person of whom the roster says the same already is left alone.
 *
 * @throws {LrsError} `invalid-body` when, together with what is known, somebody would leave before they are hired.
 */
export async function putRoster(
  trx: Transaction<Database>,
  tenantId: number,
  persons: readonly NumberedRecord[],
  today: string
): Promise<readonly RosterChange[]> {
  const changes: RosterChange[] = []
  for (let start = 0; start < persons.length; start += chunkPersons) {
    const chunk = persons.slice(start, start + chunkPersons)
    const known = await findKnown(trx, tenantId, chunk)
    const planned = chunk.flatMap(person => planChange(person, known.get(person.id) ?? [], today) ?? [])
    if (planned.length > 0) await replaceRanges(trx, tenantId, planned)
    changes.push(...planned.map(({ change }) => change))
  }
  return changes
}

/** A range as it stands in the roster. */
interface KnownRange extends NumberedRange {
  /** Where its row is; it stays there, for whoever changes the roster of a person locks the person before. */
  readonly place: string
}

/** A change, and what it does to the ranges that are known. */
interface PlannedChange {
  readonly change: RosterChange
  /** The range that began before and is cut; null for none. */
  readonly cut: KnownRange | null
  /** Those that give way. */
  readonly replaced: readonly KnownRange[]
}

/**
 * Reads all that the roster says of persons. Which range holds on a day is decided here: a join with the days, planned
 * with the statistics of a roster that was small, went through all ranges for every person and took 24 to 51 s.
 */
async function findKnown(
  trx: Transaction<Database>,
  tenantId: number,
  persons: readonly NumberedRecord[]
): Promise<ReadonlyMap<number, readonly KnownRange[]>> {
  const { rows } = await sql<KnownRange>`
    select person_id as id, ctid::text as place, ${selectBounds}, ${selectAttributes('roster')}
    from roster where tenant_id = ${tenantId} and person_id = any(${persons.map(({ id }) => id)}::integer[])`.execute(
    trx
  )
  const known = new Map<number, KnownRange[]>()
  for (const row of rows) {
    const ranges = known.get(row.id)
    if (ranges === undefined) known.set(row.id, [row])
    else ranges.push(row)
  }
  return known
}

function planChange(
  { record, id, index }: NumberedRecord,
  known: readonly KnownRange[],
  today: string
): PlannedChange | null {
  const day = record.validFrom ?? today
  const held = known.find(range => isBefore(range, day, 'or on') && (range.validTo === null || range.validTo > day))
  const from = held === undefined ? null : attributesOf(held)
  const to = applyGiven(from ?? noAttributes, record)
  refuseImpossible(to, { pointer: '', index })
  if (held?.validTo === null && from !== null && sameAttributes(from, to)) return null
  const replaced = known.filter(range => !isBefore(range, day))
  return {
    change: {
      id,
      validFrom: record.validFrom ?? (known.length === 0 ? null : today),
      from,
      to,
      replacedRanges: replaced.length
    },
    cut: held !== undefined && isBefore(held, day) ? held : null,
    replaced
  }
}

/** Whether a range begins before a day; days are compared as the texts `YYYY-MM-DD`. */
function isBefore({ validFrom }: KnownRange, day: string, orOn?: 'or on'): boolean {
  return validFrom === null || validFrom < day || (orOn !== undefined && validFrom === day)
}

function attributesOf(range: KnownRange): Attributes {
  return Object.fromEntries(attributeNames.map(name => [name, range[name]])) as unknown as Attributes
}

async function replaceRanges(
  trx: Transaction<Database>,
  tenantId: number,
  planned: readonly PlannedChange[]
): Promise<void> {
  const gone = planned.flatMap(({ cut, replaced }) => (cut === null ? replaced : [cut, ...replaced]))
  await sql`
    delete from roster
    where tenant_id = ${tenantId} and ctid = any(${gone.map(({ place }) => place)}::tid[])`.execute(trx)
  const ranges = planned.flatMap(({ change: { id, validFrom, to }, cut }): NumberedRange[] => [
    ...(cut === null ? [] : [{ ...cut, validTo: validFrom }]),
    { ...to, id, validFrom, validTo: null }
  ])
  await insertRanges(trx, tenantId, ranges)
}
