import { randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import type { Database, LearningEventKind } from '../../src/database/schema.js'

/** An event without its statement. */
export interface SeededEvent {
  /** The doer's position in the world. */
  readonly at: number
  readonly kind: LearningEventKind
  /** ISO instant. */
  readonly timestamp: string
  /** The position of whom it is about; one behind the last person is an agent of nobody. */
  readonly subject?: number | null
}

/** Writes events of the persons of a seeded world, each of whom acts under two agents by turns. */
export async function seedEvents(
  db: Kysely<Database>,
  tenantId: number,
  events: readonly SeededEvent[]
): Promise<void> {
  await sql`
    with person_at as (select id, row_number() over (order by id) - 1 as at from person where tenant_id = ${tenantId}),
    made as (
      insert into agent (tenant_id, digest, ifi)
      select ${tenantId}::integer, sha256(ifi::bytea), ifi
      from (select at || ' ' || nth as ifi from (select at from person_at union select count(*) from person_at) as every
        cross join generate_series(0, 1) as nth) as named
      returning id, ifi
    )
    insert into person_agent (tenant_id, agent_id, person_id)
    select ${tenantId}::integer, made.id, person_at.id
    from made join person_at on split_part(made.ifi, ' ', 1) = person_at.at::text`.execute(db)
  await sql`
    with agent_at as (
      select id, split_part(ifi, ' ', 1)::integer as at, split_part(ifi, ' ', 2)::integer as nth
      from agent where tenant_id = ${tenantId}
    )
    insert into learning_event (tenant_id, statement_seq, statement_id, kind, agent_id, subject_agent_id, "timestamp", day)
    select ${tenantId}::integer, seq, event.id, event.kind::learning_event_kind, doer.id, subject.id, event."timestamp",
      (event."timestamp" at time zone tenant.time_zone)::date
    from unnest(
      ${events.map(() => randomUUID())}::uuid[],
      ${events.map(({ kind }) => kind)}::text[],
      ${events.map(({ at }) => at)}::integer[],
      ${events.map(({ subject }) => subject ?? null)}::integer[],
      ${events.map(({ timestamp }) => timestamp)}::timestamptz[]
    ) with ordinality as event(id, kind, at, subject, "timestamp", seq)
    join tenant on tenant.id = ${tenantId}
    join agent_at as doer on doer.at = event.at and doer.nth = seq % 2
    left join agent_at as subject on subject.at = event.subject and subject.nth = seq / 2 % 2`.execute(db)
}
