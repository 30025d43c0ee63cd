import { sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import type { NumberedRecord } from './person-record.js'

interface Range {
  readonly personId: number
  readonly validFrom: string | null
  readonly cohorts: readonly string[]
}

/**
 * Writes what the roster says of persons from a day on. A range that begins before that day is cut there, later ones
 * give way; a person of whom the roster says the same already is left alone.
 *
 * @returns the persons whose record changed.
 */
export async function putRoster(
  trx: Transaction<Database>,
  tenantId: number,
  persons: readonly NumberedRecord[],
  today: string
): Promise<readonly number[]> {
  const current = await currentRanges(trx, tenantId, persons, today)
  const ranges = persons.flatMap(({ record, id }): Range[] => {
    const known = current.get(id)
    if (known === undefined)
      return [{ personId: id, validFrom: record.validFrom ?? null, cohorts: namesOf(record.cohorts ?? []) }]
    const cohorts = record.cohorts === undefined ? known.cohorts : namesOf(record.cohorts)
    if (known.is_last && sameNames(cohorts, known.cohorts)) return []
    return [{ personId: id, validFrom: record.validFrom ?? today, cohorts }]
  })
  if (ranges.length > 0) await replaceRanges(trx, tenantId, ranges)
  return ranges.map(range => range.personId)
}

interface CurrentRange {
  readonly person_id: number
  readonly cohorts: readonly string[]
  /** Whether no other range follows, so that the same record again would change nothing. */
  readonly is_last: boolean
}

/** What the roster says of each person on the day from which the new record would hold. */
async function currentRanges(
  trx: Transaction<Database>,
  tenantId: number,
  persons: readonly NumberedRecord[],
  today: string
): Promise<ReadonlyMap<number, CurrentRange>> {
  const { rows } = await sql<CurrentRange>`
    select distinct on (roster.person_id) roster.person_id,
      case when roster.valid @> given.day then roster.cohorts else '{}' end as cohorts,
      roster.valid @> given.day and upper_inf(roster.valid) as is_last
    from unnest(
      ${persons.map(person => person.id)}::integer[],
      ${persons.map(person => person.record.validFrom ?? today)}::date[]) as given(person_id, day)
    join roster on roster.tenant_id = ${tenantId} and roster.person_id = given.person_id
    order by roster.person_id, roster.valid @> given.day desc`.execute(trx)
  return new Map(rows.map(row => [row.person_id, row]))
}

async function replaceRanges(trx: Transaction<Database>, tenantId: number, ranges: readonly Range[]): Promise<void> {
  const personIds = ranges.map(range => range.personId)
  const starts = ranges.map(range => range.validFrom)
  await sql`
    delete from roster using unnest(${personIds}::integer[], ${starts}::date[]) as given(person_id, day)
    where roster.tenant_id = ${tenantId} and roster.person_id = given.person_id and lower(roster.valid) >= given.day`.execute(
    trx
  )
  await sql`
    update roster set valid = daterange(lower(valid), given.day)
    from unnest(${personIds}::integer[], ${starts}::date[]) as given(person_id, day)
    where roster.tenant_id = ${tenantId} and roster.person_id = given.person_id and roster.valid @> given.day`.execute(
    trx
  )
  await sql`
    insert into roster (tenant_id, person_id, valid, cohorts)
    select ${tenantId}::integer, person_id, daterange(day, null), array(select jsonb_array_elements_text(cohorts))
    from unnest(
      ${personIds}::integer[], ${starts}::date[],
      ${ranges.map(range => JSON.stringify(range.cohorts))}::jsonb[]) as given(person_id, day, cohorts)`.execute(trx)
}

function namesOf(cohorts: readonly string[]): readonly string[] {
  return [...new Set(cohorts)].sort()
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, position) => name === other[position])
}
