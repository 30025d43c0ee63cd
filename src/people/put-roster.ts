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
import { insertRanges, type NumberedRange, refuseImpossible } from './history.js'
import type { NumberedRecord } from './person-record.js'

/**
 * Persons of one round trip, so that a parameter stays below about 10 MB however many there are. Not fewer: with the
 * statistics of a roster that has just grown, PostgreSQL reads all of the tenant's ranges in each round.
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
    const known = await findKnown(trx, tenantId, chunk, today)
    const changed = chunk.flatMap(person => changeOf(person, known.get(person.id), today) ?? [])
    if (changed.length > 0) await replaceRanges(trx, tenantId, changed)
    changes.push(...changed)
  }
  return changes
}

/** What the roster says of a person on the day from which a record would hold. */
interface KnownRange extends Attributes {
  readonly id: number
  /** Whether a range holds on that day; without one the attributes mean nothing. */
  readonly holds: boolean
  /** Whether no other range follows, so that the same record again would change nothing. */
  readonly isLast: boolean
  readonly laterRanges: number
}

/** A person of whom the roster says nothing at any time is absent. */
async function findKnown(
  trx: Transaction<Database>,
  tenantId: number,
  persons: readonly NumberedRecord[],
  today: string
): Promise<ReadonlyMap<number, KnownRange>> {
  const { rows } = await sql<KnownRange>`
    select given.id, roster.person_id is not null as holds, coalesce(upper_inf(roster.valid), false) as "isLast",
      later.ranges as "laterRanges", ${selectAttributes('roster')}
    from unnest(
      ${persons.map(person => person.id)}::integer[],
      ${persons.map(person => person.record.validFrom ?? today)}::date[]) as given(id, day)
    cross join lateral (
      select count(*)::integer as known, count(*) filter (where lower(valid) >= given.day)::integer as ranges
      from roster where tenant_id = ${tenantId} and person_id = given.id) as later
    left join roster on roster.tenant_id = ${tenantId} and roster.person_id = given.id and roster.valid @> given.day
    where later.known > 0`.execute(trx)
  return new Map(rows.map(row => [row.id, row]))
}

function changeOf(person: NumberedRecord, known: KnownRange | undefined, today: string): RosterChange | null {
  const { record, id, index } = person
  const from = known?.holds === true ? attributesOf(known) : null
  const to = applyGiven(from ?? noAttributes, record)
  refuseImpossible(to, { pointer: '', index })
  if (known?.isLast === true && from !== null && sameAttributes(from, to)) return null
  const validFrom = record.validFrom ?? (known === undefined ? null : today)
  return { id, validFrom, from, to, replacedRanges: known?.laterRanges ?? 0 }
}

function attributesOf(range: KnownRange): Attributes {
  return Object.fromEntries(attributeNames.map(name => [name, range[name]])) as unknown as Attributes
}

async function replaceRanges(
  trx: Transaction<Database>,
  tenantId: number,
  changes: readonly RosterChange[]
): Promise<void> {
  const ids = changes.map(change => change.id)
  const starts = changes.map(change => change.validFrom)
  await sql`
    delete from roster using unnest(${ids}::integer[], ${starts}::date[]) as given(id, day)
    where roster.tenant_id = ${tenantId} and roster.person_id = given.id and lower(roster.valid) >= given.day`.execute(
    trx
  )
  await sql`
    update roster set valid = daterange(lower(valid), given.day)
    from unnest(${ids}::integer[], ${starts}::date[]) as given(id, day)
    where roster.tenant_id = ${tenantId} and roster.person_id = given.id and roster.valid @> given.day`.execute(trx)
  const ranges = changes.map(({ id, validFrom, to }): NumberedRange => ({ ...to, id, validFrom, validTo: null }))
  await insertRanges(trx, tenantId, ranges)
}
