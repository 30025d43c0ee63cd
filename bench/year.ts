import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../src/database/schema.js'

/** How large a year is; the same numbers give the same rows everywhere. */
export interface YearOptions {
  readonly learners: number
  /** Learning events in all, more or less: the mean over learners of very different zeal. */
  readonly events: number
  readonly modules: number
}

/** The first local day of the year, whose zone is UTC. */
export const yearBegin = '2025-10-01'

/**
 * Fills a tenant with a year of learning: people with roles, teams, regions and a line of managers, and their events,
 * clustered in active days as people's are. The rows are made in the database from hashes of their numbers; statements
 * are left out, so nothing is voided.
 *
 * @returns the tenant's number.
 */
export async function seedYear(db: Kysely<Database>, options: YearOptions): Promise<number> {
  const { learners, modules } = options
  const tenant = await db
    .insertInto('tenant')
    .values({ name: nameOf(options), time_zone: 'UTC' })
    .returning('id')
    .executeTakeFirstOrThrow()
  const id = sql`${tenant.id}::integer`
  await sql`insert into agent (tenant_id, digest, ifi)
    select ${id}, sha256(n::text::bytea), format('["account","https://lms.example","learner-%s"]', n)
    from generate_series(1, ${learners}::integer) as n order by n`.execute(db)
  await sql`insert into activity (tenant_id, digest, iri)
    select ${id}, sha256(n::text::bytea), format('https://lms.example/modules/%s', n)
    from generate_series(1, ${modules}::integer) as n order by n`.execute(db)
  await sql`insert into person (tenant_id, external_id, name)
    select ${id}, format('P%s', n), format('Learner %s', n) from generate_series(1, ${learners}::integer) as n
    order by n`.execute(db)
  await sql`insert into person_agent (tenant_id, agent_id, person_id)
    select ${id}, agent.id, person.id
    from (select id, row_number() over (order by id) as n from agent where tenant_id = ${id}) as agent
    join (select id, row_number() over (order by id) as n from person where tenant_id = ${id}) as person using (n)`.execute(
    db
  )
  await seedRoster(db, tenant.id)
  await withoutIndexes(db, trx => seedEvents(trx, tenant.id, options))
  await sql`analyze`.execute(db)
  return tenant.id
}

/** The tenant whose year a kept database has already; null when it must be seeded. */
export async function findYear(db: Kysely<Database>, options: YearOptions): Promise<number | null> {
  const tenant = await db.selectFrom('tenant').select('id').where('name', '=', nameOf(options)).executeTakeFirst()
  return tenant?.id ?? null
}

function nameOf({ learners }: YearOptions): string {
  return `a year of ${learners} learners`
}

/**
 * Fills the events while their table has only its key, and makes the other indexes again: built at once, those of ten
 * million rows take minutes less than row by row. One statement may take as long as it needs.
 */
async function withoutIndexes(db: Kysely<Database>, fill: (trx: Transaction<Database>) => Promise<void>) {
  await db.transaction().execute(async trx => {
    await sql`set local statement_timeout = 0`.execute(trx)
    const { rows } = await sql<{ name: string; definition: string }>`
      select indexname as name, indexdef as definition from pg_indexes
      where schemaname = current_schema() and tablename = 'learning_event' and indexname <> 'learning_event_pkey'`.execute(
      trx
    )
    await sql`drop index ${sql.join(rows.map(({ name }) => sql.id(name)))}`.execute(trx)
    await fill(trx)
    await sql`set local maintenance_work_mem = '512MB'`.execute(trx)
    await sql.raw(rows.map(({ definition }) => definition).join('; ')).execute(trx)
  })
}

/** Eight report to each manager; a cohort `hundred` of 100 people, and some who joined or left within the year. */
async function seedRoster(db: Kysely<Database>, tenantId: number): Promise<void> {
  await sql`
    insert into roster (tenant_id, person_id, valid, cohorts, role, team, manager_id, region, job_family,
      assignment_type, hired_on, left_on)
    select tenant_id, id, daterange(null, null),
      case when n % hundredth = 7 % hundredth then array['hundred'] else '{}'::text[] end || array['wave-' || n % 4],
      (array['engineer', 'seller', 'nurse', 'teacher', 'clerk'])[1 + n % 5], 'team-' || n / 9,
      case when n > 1 then 'P' || n / 8 + 1 end,
      (array['north', 'south', 'east', 'west'])[1 + n % 4], (array['technology', 'sales', 'care', 'office'])[1 + n % 4],
      case when n * 8 <= count(*) over () then 'people manager' else 'individual contributor' end,
      ${yearBegin}::date - (n * 37 % 3000)::integer + 200,
      case when n % 50 = 0 then ${yearBegin}::date + (n % 365)::integer end
    from (
      select *, row_number() over (order by id) as n, greatest(1, count(*) over () / 100) as hundredth
      from person where tenant_id = ${tenantId}
    ) as person`.execute(db)
}

/** A learner is active on a day with a chance of their own, less at weekends, and then does a handful of deeds. */
async function seedEvents(db: Transaction<Database>, tenantId: number, { learners, events, modules }: YearOptions) {
  const perActiveDay = 4
  // The mean chance: learners are active on as many days as the events ask for.
  const chance = Math.min(0.9, events / (learners * 365 * perActiveDay))
  const random = (salt: number) => sql`((hashint8extended(key, ${sql.lit(salt)}) & 2147483647) / 2147483648.0)`
  const day = sql`(${yearBegin}::date + nth)`
  await sql`
    insert into learning_event (tenant_id, statement_seq, statement_id, kind, agent_id, subject_agent_id, module_id,
      activity_id, activity_type_id, category_ids, "timestamp", day, score_scaled, duration_ms, success)
    select ${tenantId}, row_number() over (), md5(key::text)::uuid, kind::learning_event_kind, agent_id,
      case when kind in ('peer-feedback', 'manager-check', 'replied', 'endorsed')
        then first_agent + ((hashint8extended(key, 9) & 2147483647) % ${learners}::integer)::integer end,
      module, module, type, array[type],
      ${day} + make_interval(secs => 8 * 3600 + floor(${random(5)} * 10 * 3600)), ${day},
      case when kind = 'assessed' then round(${random(6)}::numeric, 2) end,
      case when kind = 'terminated' then (${random(7)} * 3600000)::bigint end,
      case when kind = 'assessed' then ${random(6)} > 0.5 end
    from (
      select *, first_activity + floor(${modules}::integer * ${random(3)} * ${random(4)})::integer as module,
        first_activity + ((hashint8extended(key, 3) & 2147483647) % 6)::integer as type,
        (array['delivered', 'delivered', 'delivered', 'opened', 'opened', 'opened', 'opened', 'opened', 'completed-task',
          'completed-task', 'completed-task', 'peer-feedback', 'manager-check', 'assessed', 'assessed', 'started',
          'terminated', 'completed', 'posted', 'replied', 'endorsed', 'visited', 'visited', 'visited', 'visited',
          'reward-offered', 'reward-claimed', 'repeated-session'])[1 + floor(28 * ${random(2)})::integer] as kind
      from (
        select agent.id as agent_id, first_agent, first_activity, nth, deed,
          ((agent.id::bigint * 400 + nth) * 16 + deed) as key
        from agent
        cross join (select min(id) as first_agent from agent where tenant_id = ${tenantId}) as agents
        cross join (select min(id) as first_activity from activity where tenant_id = ${tenantId}) as activities
        cross join generate_series(0, 364) as nth
        cross join lateral (
          select 2 * ${chance}::float8 * ((hashint4extended(agent.id, 1) & 2147483647) / 2147483648.0)
            * case when nth % 7 in (3, 4) then 0.4 else 1.24 end as chance
        ) as zeal
        cross join lateral generate_series(1, case
          when (hashint8extended(agent.id::bigint * 400 + nth, 8) & 2147483647) / 2147483648.0 < chance
          then 1 + ((hashint8extended(agent.id::bigint * 400 + nth, 10) & 2147483647) % ${2 * perActiveDay - 1}::integer)::integer
          else 0 end) as deed
        where agent.tenant_id = ${tenantId}
      ) as deeds
    ) as event`.execute(db)
}
