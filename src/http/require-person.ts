import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { addDays } from '../metrics/window.js'
import { isWithin } from '../people/is-within.js'
import type { Principal } from './context.js'
import { reachOf } from './reach.js'

/**
 * Lets a request about one person through where the caller's reach on the day has the person.
 *
 * @throws {LrsError} `not-found`, as for a person whom nobody knows, so that who asks can't tell who exists; `forbidden`
 *   where the caller may see nobody by name
 */
export async function requirePerson(
  db: Kysely<Database>,
  principal: Principal,
  personId: string,
  day: string
): Promise<void> {
  const { filter } = reachOf(principal, 'names')
  if (filter === null) return
  const { tenantId } = principal
  if (await isWithin(db, { tenantId, personId }, { filter, day, nextDay: addDays(day, 1) })) return
  throw unknownPerson(personId)
}

/** There is no such person, or none whom the caller may know of. */
export function unknownPerson(personId: string): LrsError {
  return new LrsError('not-found', `There is no person "${personId}"`)
}
