import { type RawBuilder, sql } from 'kysely'
import { doneToKinds } from '../events/deed-kinds.js'
import { learningEventKinds } from '../events/mapping-rule.js'
import { type DerivedTable, wholeRow } from './difference.js'
import { expectedAttempts } from './expected-attempts.js'
import { expectedCategories, expectedTime, ownActivity } from './expected-weeks.js'
import { columnOf, futureTolerance } from './learner-days.js'
import { dayNumbers, daySets, daysOfRow } from './learner-weeks.js'
import { sessionGap } from './session.js'

/** The persons whose rows are compared, by their numbers: above `after`, up to `last` (null: without end). */
export interface PersonRange {
  readonly tenantId: number
  readonly after: number
  readonly last: number | null
}

/** SQL for whether a number of a person lies in the range. */
export function isInRange(column: RawBuilder<unknown>, { after, last }: PersonRange): RawBuilder<boolean> {
  return sql<boolean>`(${column} > ${after} and (${last}::integer is null or ${column} <= ${last}))`
}

const ofModule = sql`is_doer and is_live and module_id is not null`

const ofActivity = sql`${ofModule} and activity_id is not null`

/** SQL for the column in which a kind is counted. */
function columnCase(end: '' | '_received'): RawBuilder<string> {
  const cases = learningEventKinds.map(kind => sql`when ${sql.lit(kind)} then ${sql.lit(`${columnOf(kind)}${end}`)}`)
  return sql<string>`case kind ${sql.join(cases, sql` `)} end`
}

const numbersOfDay = sql.join(dayNumbers.map(name => sql`(${sql.lit(name)}, ${sql.ref(name)})`))

/**
 * Queries for what ought to stand in the derived tables, written anew instead of with the worker's: a person's whole
 * history at once, and a line for each value of a row, `person_id`, key, `name`, `value` as text. Zeros and nulls have
 * no line.
 *
 * They stand behind `with deed as (…)`, which `deeds` gives, and `own_day` and `own_activity`, what is stored of the same
 * persons: the weeks follow from the learner-days, and what was begun from the activities.
 */
export const expectedValues: Readonly<Record<DerivedTable, RawBuilder<unknown>>> = {
  learner_day: sql`
    select distinct person_id, day, ${sql.lit(wholeRow)} as name, 'exists' as value from deed where is_doer or is_live
    union all
    select person_id, day, ${columnCase('')}, count(*)::text
    from deed where is_doer and is_live group by person_id, day, kind
    union all
    select person_id, day, ${columnCase('_received')}, count(*)::text
    from deed where not is_doer and is_live group by person_id, day, kind
    union all
    select person_id, day, case when is_voided then 'voided' else 'future' end, count(*)::text
    from deed where is_doer and not is_live group by person_id, day, is_voided
    union all
    select person_id, day, 'first_' || ${columnCase('')} || '_at', min("timestamp")::text
    from deed where is_doer and is_live and kind in ('delivered', 'opened', 'completed-task', 'peer-feedback')
    group by person_id, day, kind
    union all
    select person_id, day, 'first_' || ${columnCase('_received')} || '_at', min("timestamp")::text
    from deed where not is_doer and is_live group by person_id, day, kind
    union all
    select person_id, day, name, value::text from (
      select person_id, day, least(coalesce(sum(duration_ms), 0), ${sql.lit(Number.MAX_SAFE_INTEGER)})::bigint, count(duration_ms),
        count(nullif(has_calendar_duration, false))
      from deed where is_doer and is_live and kind = 'terminated' group by person_id, day
    ) as total(person_id, day, ms, n, calendar)
    cross join lateral (values ('duration_ms', ms), ('durations', n), ('calendar_durations', calendar)) as v(name, value)
    where value is not null
    union all
    select person_id, day, name, value::text from (
      select person_id, day, count(*), sum(score_scaled), sum(score_scaled * score_scaled)
      from deed where is_doer and is_live and kind = 'assessed' and score_scaled is not null group by person_id, day
    ) as total(person_id, day, n, sum, squares)
    cross join lateral (values ('score_n', n::numeric), ('score_sum', sum), ('score_sum_squares', squares)) as v(name, value)
    union all
    select person_id, day, name, value::text from (
      select person_id, day, count(*) filter (where gap is null or gap > ${sessionGap}),
        floor(sum(extract(epoch from gap)) filter (where gap <= ${sessionGap}) * 1000)
      from (
        select person_id, day, "timestamp" - lag("timestamp") over (partition by person_id order by "timestamp") as gap
        from deed where is_doer and is_live and kind not in (${sql.join(doneToKinds.map(kind => sql.lit(kind)))})
      ) as gaps group by person_id, day
    ) as total(person_id, day, starts, ms)
    cross join lateral (values ('session_starts', starts::bigint), ('active_ms', ms::bigint)) as v(name, value)
    where value is not null`,
  learner_weeks: sql`
    select distinct person_id, begins, ${sql.lit(wholeRow)} as name, 'exists' as value from own_day
    union all
    select person_id, begins, name, sum(bit)::text
    from own_day cross join lateral (values
      ('active', ${ownActivity}),
      ${sql.join(daySets.filter(name => name !== 'active').map(name => sql`(${sql.lit(name)}, ${sql.ref(name)})`))}
    ) as v(name, n)
    where n > 0 group by person_id, begins, name
    union all
    select person_id, begins, name || '_' || digit, sum(bit)::text
    from own_day
    cross join lateral (values ${numbersOfDay}) as v(name, n)
    cross join (values (1), (2), (4)) as digits(digit)
    where n > 7 or n / digit % 2 = 1 group by person_id, begins, name, digit
    union all
    select distinct person_id, begins, 'is_busy', 'true'
    from own_day cross join lateral (values ${numbersOfDay}) as v(name, n) where n > 7`,
  learner_time: expectedTime,
  learner_categories: expectedCategories,
  learner_activity: sql`
    select distinct person_id, module_id, activity_id, ${sql.lit(wholeRow)} as name, 'exists' as value from deed where ${ofActivity}
    union all
    select person_id, module_id, activity_id, name, value from (
      select person_id, module_id, activity_id, ${columnCase('')}, count(*), min("timestamp")
      from deed where ${ofActivity} and kind in ('delivered', 'opened', 'started', 'completed-task', 'completed')
      group by person_id, module_id, activity_id, kind
    ) as total(person_id, module_id, activity_id, kind, n, first_at)
    cross join lateral (values (kind, n::text), ('first_' || kind || '_at', first_at::text)) as v(name, value)
    union all
    select person_id, module_id, activity_id, name, value from (
      select person_id, module_id, activity_id, min("timestamp"), max("timestamp"),
        count(*) filter (where kind = 'assessed'),
        least(coalesce(sum(duration_ms) filter (where kind = 'terminated'), 0), ${sql.lit(Number.MAX_SAFE_INTEGER)})::bigint
      from deed where ${ofActivity} group by person_id, module_id, activity_id
    ) as total(person_id, module_id, activity_id, first_at, last_at, attempts, ms)
    cross join lateral (values ('first_at', first_at::text), ('last_at', last_at::text), ('attempts', attempts::text),
      ('duration_ms', ms::text)) as v(name, value)
    union all
    select person_id, module_id, activity_id, name, value from (
      select *,
        row_number() over (partition by person_id, module_id, activity_id order by "timestamp", statement_seq) as nth,
        row_number() over (partition by person_id, module_id, activity_id
          order by "timestamp" desc, statement_seq desc) as nth_last,
        row_number() over (partition by person_id, module_id, activity_id
          order by score_scaled desc, "timestamp", statement_seq) as nth_best
      from deed where ${ofActivity} and kind = 'assessed' and score_scaled is not null
    ) as score
    cross join lateral (values
      (nth = 1, 'first_score', score_scaled::text), (nth = 1, 'first_score_at', "timestamp"::text),
      (nth_best = 1, 'best_score', score_scaled::text),
      (nth_last = 1, 'last_score', score_scaled::text), (nth_last = 1, 'last_score_at', "timestamp"::text)
    ) as v(holds, name, value)
    where holds
    union all
    select person_id, module_id, activity_id, name, value from (
      select distinct on (person_id, module_id, activity_id) * from deed
      where ${ofActivity} and outcome_tags is not null
      order by person_id, module_id, activity_id, "timestamp" desc, statement_seq desc
    ) as tagged
    cross join lateral (values ('outcome_tags', outcome_tags::text), ('outcome_tags_at', "timestamp"::text))
      as v(name, value)`,
  learner_begun: sql`
    select distinct person_id, ${sql.lit(wholeRow)} as name, 'exists' as value from own_activity
    where coalesce(first_started_at, first_completed_at) is not null
    union all
    select person_id, name, value
    from (
      select person_id, array_agg(happened order by happened) filter (where name = 'begun') as begun,
        coalesce(array_agg(happened order by happened) filter (where name = 'completed'), '{}') as completed
      from (
        select distinct on (person_id, name, activity_id) person_id, name, happened
        from own_activity cross join lateral (values
          ('begun', first_started_at), ('begun', first_completed_at), ('completed', first_completed_at)
        ) as v(name, happened)
        where happened is not null order by person_id, name, activity_id, happened
      ) as firsts
      group by person_id
    ) as total
    cross join lateral (values ('begun', begun::text), ('completed', completed::text)) as v(name, value)`,
  learner_step: sql`
    select person_id, step, day, module_id, name, value
    from (
      select step.person_id, step.kind as step, step.day, step.module_id, max(earlier.day) as before,
        min(later.day) as followed_on
      from (
        select person_id, kind, day, module_id, min("timestamp") as first_at
        from deed where ${ofModule} and kind in ('delivered', 'opened') group by person_id, kind, day, module_id
      ) as step
      left join (select distinct person_id, module_id, kind, day from deed where ${ofModule}) as earlier
        on (earlier.person_id, earlier.module_id, earlier.kind) = (step.person_id, step.module_id, step.kind)
          and earlier.day < step.day
      left join (select distinct person_id, module_id, kind, day, "timestamp" from deed where ${ofModule}) as later
        on (later.person_id, later.module_id) = (step.person_id, step.module_id)
          and (step.kind, later.kind) in (('delivered', 'opened'), ('opened', 'completed-task'))
          and later."timestamp" >= step.first_at
      group by step.person_id, step.kind, step.day, step.module_id
    ) as total
    cross join lateral (values (${sql.lit(wholeRow)}, 'exists'), ('before', before::text),
      ('followed_on', followed_on::text)) as v(name, value)`,
  learner_attempt: expectedAttempts
}

/** The events of persons, done or received, as of an instant. */
export function deeds(range: PersonRange, asOf: string): RawBuilder<unknown> {
  const side = (isDoer: boolean, agent: RawBuilder<unknown>) => sql`
    select person_agent.person_id, ${sql.lit(isDoer)} as is_doer, event.*, voiding.voids is not null as is_voided,
      voiding.voids is null and event."timestamp" - ${asOf}::timestamptz <= ${futureTolerance}::interval as is_live
    from person_agent
    join learning_event as event on event.tenant_id = person_agent.tenant_id and ${agent} = person_agent.agent_id
    left join (select distinct voids from statement where tenant_id = ${range.tenantId} and voids is not null) as voiding
      on voiding.voids = event.statement_id
    where person_agent.tenant_id = ${range.tenantId} and ${isInRange(sql`person_agent.person_id`, range)}`
  return sql`
    ${side(true, sql`event.agent_id`)}
    union all
    ${side(false, sql`event.subject_agent_id`)} and event.kind in ('peer-feedback', 'manager-check')`
}

/** The learner-days that are stored of persons, each with the first day of its row of weeks and the day's bit there. */
export function ownDays({ tenantId, ...range }: PersonRange): RawBuilder<unknown> {
  const nth = sql`mod(day - date 'J0', ${sql.lit(daysOfRow)})`
  return sql`
    select *, day - ${nth} as begins, power(2, ${nth})::bigint as bit
    from learner_day where tenant_id = ${tenantId} and ${isInRange(sql`person_id`, { tenantId, ...range })}`
}

/** The rows of `learner_activity` that are stored of persons. */
export function ownActivities({ tenantId, ...range }: PersonRange): RawBuilder<unknown> {
  return sql`
    select * from learner_activity where tenant_id = ${tenantId} and ${isInRange(sql`person_id`, { tenantId, ...range })}`
}
