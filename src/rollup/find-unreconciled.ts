import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import { countColumns } from './learner-days.js'

/** A provisional person: an agent that acted, and that no roster names. */
export interface UnreconciledAgent {
  /** Where it stands in the list. */
  readonly position: number
  /** In the form of `ifiOf`. */
  readonly agent: string
  /** The last ten that came up, as JSON strings, the newest first. */
  readonly names: readonly string[]
  /** Learning events that count for it, done or received; 0 when all of them are voided or still to come. */
  readonly events: number
  /** The first and the last local day with one of these; null when there is none. */
  readonly firstDay: string | null
  readonly lastDay: string | null
}

/** Which part of the list is asked for. */
export interface UnreconciledQuery {
  readonly tenantId: number
  /** The position of the last one that is known; 0 for none. */
  readonly after: number
  readonly limit: number
}

const mostNames = 10

/**
 * Lists the provisional persons who have their agent still, in the order in which the agents came up. A provisional
 * person never has another agent than its first, so the list is read along the index of those.
 */
export async function findUnreconciled(
  db: Kysely<Database>,
  { tenantId, after, limit }: UnreconciledQuery
): Promise<readonly UnreconciledAgent[]> {
  const live = countColumns.filter(column => column !== 'voided' && column !== 'future')
  const sum = sql.join(
    live.map(column => sql.ref(column)),
    sql` + `
  )
  const { rows } = await sql<UnreconciledAgent>`
    with page as (
      select person.id as person_id, person.first_agent_id as agent_id
      from person
      join person_agent on person_agent.tenant_id = person.tenant_id
        and person_agent.agent_id = person.first_agent_id and person_agent.person_id = person.id
      where person.tenant_id = ${tenantId} and person.first_agent_id > ${after}::bigint
      order by person.first_agent_id limit ${limit}
    )
    select page.agent_id as position, agent.ifi as agent,
      array(select name from agent_name
        where agent_name.tenant_id = ${tenantId} and agent_name.agent_id = page.agent_id
        order by first_seen desc, name limit ${mostNames}) as names,
      counted.events, counted.first_day as "firstDay", counted.last_day as "lastDay"
    from page
    join agent on agent.tenant_id = ${tenantId} and agent.id = page.agent_id
    cross join lateral (
      select coalesce(sum(${sum}), 0)::bigint as events,
        min(day) filter (where ${sum} > 0) as first_day, max(day) filter (where ${sum} > 0) as last_day
      from learner_day where learner_day.tenant_id = ${tenantId} and learner_day.person_id = page.person_id
    ) as counted
    order by page.agent_id`.execute(db)
  return rows
}
