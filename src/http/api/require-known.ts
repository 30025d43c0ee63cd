import { DateTime } from 'luxon'
import { findPerson } from '../../people/find-people.js'
import type { HttpContext, Principal } from '../context.js'
import { requirePerson, unknownPerson } from '../require-person.js'

/**
 * Lets a request about one person through where there is the person, and the caller's reach today has them.
 *
 * @throws {LrsError} `not-found`, the same for both; `forbidden` where the caller may see nobody by name
 */
export async function requireKnown({ db, now }: HttpContext, principal: Principal, personId: string): Promise<void> {
  const day = DateTime.fromJSDate(now(), { zone: principal.timeZone }).toFormat('yyyy-MM-dd')
  await requirePerson(db, principal, personId, day)
  const person = await findPerson(db, { tenantId: principal.tenantId, personId }, day)
  if (person === null) throw unknownPerson(personId)
}
