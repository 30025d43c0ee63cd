import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import type { PersonOf } from './find-history.js'

/**
 * Says whether a person of the roster has opted out of leaderboards.
 *
 * @throws {LrsError} `not-found` when the roster does not name the person.
 */
export async function findLeaderboardOptOut(db: Kysely<Database>, person: PersonOf): Promise<boolean> {
  const row = await db
    .selectFrom('person')
    .select('leaderboard_opt_out')
    .where('tenant_id', '=', person.tenantId)
    .where('external_id', '=', person.personId)
    .executeTakeFirst()
  return (row ?? refuse(person)).leaderboard_opt_out
}

/**
 * Takes a person of the roster off every leaderboard, or puts them on again.
 *
 * @throws {LrsError} `not-found` when the roster does not name the person.
 */
export async function putLeaderboardOptOut(db: Kysely<Database>, person: PersonOf, optOut: boolean): Promise<void> {
  const row = await db
    .updateTable('person')
    .set({ leaderboard_opt_out: optOut })
    .where('tenant_id', '=', person.tenantId)
    .where('external_id', '=', person.personId)
    .returning('id')
    .executeTakeFirst()
  if (row === undefined) refuse(person)
}

function refuse({ personId }: PersonOf): never {
  throw new LrsError('not-found', `There is no person "${personId}"`)
}
