import { type Kysely, sql } from 'kysely'
import { toMilliseconds } from '../database/instant-text.js'
import type { Database } from '../database/schema.js'
import type { PersonChangeKind } from '../database/schema-people.js'

/** A change as the trail tells of it. */
export interface ListedChange {
  readonly id: number
  readonly kind: PersonChangeKind
  /** Who had the agents; null for a provisional person. */
  readonly fromPersonId: string | null
  readonly toPersonId: string | null
  /** In the form of `ifiOf`. */
  readonly agents: readonly string[]
  readonly changedBy: string
  /** RFC 3339 in UTC. */
  readonly changedAt: string
  readonly reason: string | null
  /** The change that this one takes back; null for a merge or a split. */
  readonly undoes: number | null
  /** The change that took this one back; null while it holds. */
  readonly undoneBy: number | null
}

/** Which changes are asked for. */
export interface ChangesQuery {
  readonly tenantId: number
  /** Only those from or to this person of the roster. */
  readonly personId: string | null
  /** Only those with a smaller number. */
  readonly before: number | null
  readonly limit: number
}

/** Lists who moved which agents from whom to whom, the newest first. */
export async function listChanges(
  db: Kysely<Database>,
  { tenantId, personId, before, limit }: ChangesQuery
): Promise<readonly ListedChange[]> {
  const older = before === null ? sql`` : sql`and change.id < ${before}`
  const ofPerson = personId === null ? sql`` : sql`and ${personId} in (giver.external_id, getter.external_id)`
  const { rows } = await sql<ListedChange>`
    select change.id, change.kind, giver.external_id as "fromPersonId", getter.external_id as "toPersonId",
      array(select ifi from agent
        where agent.tenant_id = change.tenant_id and agent.id = any(change.agent_ids) order by agent.id) as agents,
      change.changed_by as "changedBy", change.reason, change.undoes, undo.id as "undoneBy",
      ${toMilliseconds(sql`change.changed_at`)} as "changedAt"
    from person_change as change
    join person as giver on giver.tenant_id = change.tenant_id and giver.id = change.from_person_id
    join person as getter on getter.tenant_id = change.tenant_id and getter.id = change.to_person_id
    left join person_change as undo on undo.tenant_id = change.tenant_id and undo.undoes = change.id
    where change.tenant_id = ${tenantId} ${older} ${ofPerson}
    order by change.id desc limit ${limit}`.execute(db)
  return rows
}
