import { type RawBuilder, sql } from 'kysely'
import { learnerDays } from '../rollup/learner-days.js'
import { daysOfRow, rowOf } from '../rollup/learner-weeks.js'
import { actorEvents } from './activity.js'
import { isRosterDimension } from './dimension.js'
import { learnersOfWeeks } from './learner-weeks.js'
import type { Counting, MeasureRequest, MetricOptions } from './metric.js'
import { type Population, populationOf } from './population.js'
import { addDays } from './window.js'

/** A metric's request, whatever its options. */
export type SharesRequest = Omit<MeasureRequest<MetricOptions>, 'options'>

/**
 * Common table expressions, for a `with recursive`, that say what each learner adds to a metric. The last but one is
 * `share`, a row for each `ordinal` (the period's position, from 1) and learner of P: `person_id`, the dimensions, `x`,
 * `y`, `is_immature` and the metric's extras. The last is `excluded`, one row.
 *
 * The learner-days are aggregated to one row per learner and period first and joined to the roster after: the other
 * way round costs 2.5 to 4 times as much over 20,000 people. `offset 0` keeps the days on which learners belong to P
 * from being joined to the calendar before the deeds are: a million deeds were then each compared with 90 days.
 */
export function shares(request: SharesRequest, counting: Counting): RawBuilder<unknown> {
  return sharesOf(request, counting).expressions
}

/** The same, with the population that they are of; they may go unread, and are then not computed. */
export function sharesOf(request: SharesRequest, counting: Counting) {
  const { today } = request
  const breakdown = request.breakdown.filter(isRosterDimension)
  const { flags = {}, flagsReadPerson = false, extra = {}, isImmature = sql`false` } = counting
  const population = populationOf({ ...request, breakdown, tomorrow: addDays(today, 1), flags, flagsReadPerson })
  const keys = counting.isDeedOfPeriod ? periodKeys : population.keys
  const columns = Object.entries(extra).map(([name, value]) => sql`${value} as ${sql.ref(name)}`)
  const names = breakdown.map((_dimension, at) => sql.ref(`population.dimension_${at + 1}`))
  const expressions = sql`
    ${periods(request)},
    ${sql.join(population.expressions)},
    ${learners(request, counting, population)},
    share as (
      select ${sql.join([sql`population.ordinal`, sql`population.person_id`, ...names])},
        ${counting.x} as x, ${counting.y} as y, (${isImmature}) is true as is_immature
        ${columns.length > 0 ? sql`, ${sql.join(columns)}` : sql``}
      from population join period using (ordinal) left join (${notFew(sql`select * from learner`)}) as learner using (${sql.join(keys)})
    ),
    ${excluded(request)}`
  return { expressions, population }
}

/**
 * Rows of which PostgreSQL expects a handful, and would go through all of them, or count them anew, for each learner that
 * they are joined to: behind a function whose rows it can't foresee, of one row in fact, it expects a thousand times as many.
 */
export function notFew(rows: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`select listed.* from (${rows}) as listed cross join generate_series(1, (select 1)) as one`
}

const periodKeys = [sql`person_id`, sql`ordinal`]

/** What each learner did in each period, read in the quickest way that the metric has. */
function learners(request: SharesRequest, counting: Counting, population: Population): RawBuilder<unknown> {
  const { fromWeeks, learners, isDeedOfPeriod = false } = counting
  const isRollup = request.source === 'rollup'
  if (isRollup && learners !== undefined) return sql`learner as (${learners})`
  if (isRollup && fromWeeks !== undefined) {
    return sql`${weeks(request, counting)}, ${learnersOfWeeks({ ...request, fromWeeks, population, isDeedOfPeriod })}`
  }
  return sql`
    learner_days as ${isRollup ? sql`not materialized` : sql`materialized`} (
      ${learnerDays({ ...request, ...extent(request, counting) })}),
    ${learners === undefined ? learnersOfDays(request, counting, population) : sql`learner as (${learners})`}`
}

/** What each learner did in each period: of their deeds, or of the parts that these are first put together by. */
function learnersOfDays(request: SharesRequest, counting: Counting, population: Population): RawBuilder<unknown> {
  const { parts, perLearner, isDeedOfPeriod, deeds: query } = counting
  const keys = isDeedOfPeriod ? periodKeys : population.keys
  const deeds = isDeedOfPeriod
    ? sql`deed join period using (ordinal)`
    : sql`${dated(request, sql`deed`)} ${population.onDaysThatCount}`
  const perPart =
    parts &&
    sql`
    part as (
      select ${sql.join([...keys, ...parts.by, ...parts.aggregates])} from ${deeds}
      group by ${sql.join([...keys, ...parts.by])}
    ),`
  return sql`${days(request)},
    deed as (${query}),
    ${perPart ?? sql``}
    learner as (
      select ${sql.join([...keys, ...perLearner])} from ${parts === undefined ? deeds : sql`part`}
      group by ${sql.join(keys)}
    )`
}

/**
 * Rows that have a `day` as `dated`: each with the `ordinal`, `starts` and `ends` of every period that its day lies in. Days
 * are looked up among those of the periods; of a single one it is enough to compare them.
 */
export function dated({ periods }: Pick<SharesRequest, 'periods'>, rows: RawBuilder<unknown>): RawBuilder<unknown> {
  const [only] = periods.length === 1 ? periods : []
  const place =
    only === undefined
      ? sql`join period_day using (day)`
      : sql`cross join period where day >= ${only.from}::date and day < ${only.to}::date`
  return sql`(select * from ${rows} ${place} offset 0) as dated`
}

/** The periods and their days. Days are counted up by integers, which no session's time zone can bend. */
export function periods({ periods }: Pick<SharesRequest, 'periods'>): RawBuilder<unknown> {
  return sql`
    period as (
      select ordinal, starts, ends
      from unnest(${periods.map(({ from }) => from)}::date[], ${periods.map(({ to }) => to)}::date[])
        with ordinality as given (starts, ends, ordinal)
    ),
    period_day as (
      select ordinal, starts, ends, starts + nth as day from period cross join generate_series(0, ends - starts - 1) as nth
    )`
}

/** The rows of seven weeks that the periods reach, without those that can be no one's in P. */
function weeks(request: SharesRequest, counting: Counting): RawBuilder<unknown> {
  const { table, seesNext = false } = counting.fromWeeks ?? {}
  return weeksOf(request, { ...extent(request, counting), table, seesNext })
}

/** Common table expressions of which the last is `population_weeks`: the rows that some days, half-open, are in. */
export function weeksOf(
  { tenantId, filter }: Pick<SharesRequest, 'tenantId' | 'filter'>,
  {
    from,
    to,
    table = 'learner_weeks',
    seesNext = false
  }: { readonly from: string; readonly to: string; readonly table?: string | undefined; readonly seesNext?: boolean }
): RawBuilder<unknown> {
  const population = filter === null ? sql`select * from window_weeks` : rowsOfCohort(tenantId, sql`window_weeks`)
  const next = sql`, case when lead(begins) over person_weeks = begins + ${sql.lit(daysOfRow)}
    then lead(active) over person_weeks else 0 end as next_active`
  return sql`
    window_weeks as not materialized (
      select * from ${sql.table(table)}
      where tenant_id = ${tenantId} and begins >= ${rowOf(from)}::date and begins < ${to}::date
    ),
    population_weeks as not materialized (
      select * ${seesNext ? next : sql``} from (${population}) as weeks
      ${seesNext ? sql`window person_weeks as (partition by person_id order by begins)` : sql``}
    )`
}

/** Learners of a cohort are looked up one by one while they are fewer than one in so many of the tenant's persons. */
const lookUpBelowOneIn = 10

/**
 * SQL for whether the learners of `population` are so few that they are looked up one by one. Of the persons no more are
 * counted than it takes to know: to count 20,000 took 4 ms, as long as the rest of what a cohort of 100 is asked.
 */
export function isSmallCohort(tenantId: number): RawBuilder<boolean> {
  return sql<boolean>`exists (
    select from person where tenant_id = ${tenantId}
    offset (select ${lookUpBelowOneIn} * count(*) from in_population) limit 1)`
}

/** The days, half-open, that the periods and the window cover, with what the metric looks at beyond them. */
export function extent(
  { periods, window }: Pick<SharesRequest, 'periods' | 'window'>,
  { reachDays = 0, backDays = 0 }: Pick<Counting, 'reachDays' | 'backDays'>
): { readonly from: string; readonly to: string } {
  const from = periods.reduce((least, period) => (period.from < least ? period.from : least), window.from)
  const to = periods.reduce((most, period) => (period.to > most ? period.to : most), window.to)
  return { from: addDays(from, -backDays), to: addDays(to, reachDays) }
}

/**
 * The learner-days that the periods reach. The rollup is read where each use needs it (`not materialized`); events
 * would be counted once for each use, so those are kept.
 *
 * The days of a small cohort are looked up, and those of a large one are scanned and sifted. Which it is can only be
 * seen when the cohort is known, so it is decided while the query runs (of both branches one is never begun): planned
 * ahead, on the guess that a filter leaves a handful, 8,000 learners of 20,000 were looked up one by one.
 */
function days({ tenantId, filter }: SharesRequest): RawBuilder<unknown> {
  const everyone = sql`select * from learner_days where person_id is not null`
  return sql`population_day as (${filter === null ? everyone : daysOfCohort(tenantId)})`
}

/** The rows of `learner_days` of who is in `population`. */
export function daysOfCohort(tenantId: number): RawBuilder<unknown> {
  return rowsOfCohort(tenantId, sql`learner_days`)
}

/**
 * The rows of a table of who is in `population`.
 *
 * In the second branch `is true` keeps the list of learners a hash that rows are sifted by, where a join could be
 * looked up.
 */
export function rowsOfCohort(tenantId: number, table: RawBuilder<unknown>): RawBuilder<unknown> {
  const isSmall = isSmallCohort(tenantId)
  return sql`
    select * from ${table}
    where ${isSmall} and person_id = any(array(select person_id from in_population))
    union all
    select * from ${table} where not ${isSmall} and (person_id in (select person_id from in_population)) is true`
}

/**
 * What the window holds that no metric counts, over the whole tenant. The provisional persons are joined, not tested
 * row by row: there are few of them, so that their days are probed instead of every day of the window scanned.
 */
export function excluded({
  tenantId,
  window,
  source
}: Pick<SharesRequest, 'tenantId' | 'window' | 'source'>): RawBuilder<unknown> {
  // The table itself: of each use of `learner_days` all columns are planned.
  const counted = sql`${source === 'rollup' ? sql`learner_day` : sql`learner_days`} as counted`
  const inWindow = sql`counted.tenant_id = ${tenantId}
    and counted.day >= ${window.from}::date and counted.day < ${window.to}::date`
  return sql`
    excluded as (
      select
        (select coalesce(sum(voided), 0)::bigint from ${counted} where ${inWindow} and voided > 0) as voided,
        (select coalesce(sum(future), 0)::bigint from ${counted} where ${inWindow} and future > 0) as future,
        (select coalesce(sum(events), 0)::bigint from (
          select ${actorEvents} as events from ${counted} where ${inWindow} and person_id is null
          union all
          select ${actorEvents} from ${counted}
          join person on person.tenant_id = ${tenantId} and person.id = counted.person_id
          where ${inWindow} and person.external_id is null
        ) as unresolved) as unresolved_actor
    )`
}
