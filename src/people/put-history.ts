import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { raiseRosterVersion } from '../store/data-version.js'
import { rehearse, transact } from '../store/transact.js'
import { sameAttributes } from './attributes.js'
import { findHistory, type PersonOf } from './find-history.js'
import { type HistoryRange, insertRanges, refuseTangled } from './history.js'

/** What a person's history was, and what it is now. */
export interface PutHistoryOutcome {
  readonly changed: boolean
  readonly from: readonly HistoryRange[]
  readonly to: readonly HistoryRange[]
}

/**
 * Replaces all that the roster says of a person, or with `dryRun` only tells what that would change. Of a person who is
 * merged into another it can be replaced, too: it comes to bear when the merge is undone.
 *
 * @param ranges in the order of their days.
 * @throws {LrsError} `invalid-body` for ranges that overlap or are out of order, `not-found` when the roster does not
 * name the person.
 */
export async function putHistory(
  db: Kysely<Database>,
  person: PersonOf,
  ranges: readonly HistoryRange[],
  { dryRun }: { readonly dryRun: boolean }
): Promise<PutHistoryOutcome> {
  const { tenantId, personId } = person
  refuseTangled(ranges)
  const run = dryRun ? rehearse : transact
  return run(db, async trx => {
    // Before the history is read, so that two who correct it, or a record that comes meanwhile, take turns.
    await sql`
      select from person where tenant_id = ${tenantId} and external_id = ${personId} for no key update`.execute(trx)
    const known = await findHistory(trx, person)
    if (known === null) throw new LrsError('not-found', `There is no person "${personId}"`)
    const { id, ranges: from } = known
    if (sameHistory(from, ranges)) return { changed: false, from, to: from }
    await sql`delete from roster where tenant_id = ${tenantId} and person_id = ${id}`.execute(trx)
    await insertRanges(
      trx,
      tenantId,
      ranges.map(range => ({ ...range, id }))
    )
    const stored = await findHistory(trx, person)
    if (!dryRun) await raiseRosterVersion(trx, tenantId)
    return { changed: true, from, to: stored?.ranges ?? [] }
  })
}

function sameHistory(one: readonly HistoryRange[], other: readonly HistoryRange[]): boolean {
  return (
    one.length === other.length &&
    one.every((range, position) => {
      const counterpart = other[position]
      return counterpart !== undefined && sameBounds(range, counterpart) && sameAttributes(range, counterpart)
    })
  )
}

function sameBounds(one: HistoryRange, other: HistoryRange): boolean {
  return one.validFrom === other.validFrom && one.validTo === other.validTo
}
