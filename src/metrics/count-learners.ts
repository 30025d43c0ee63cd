import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import { type UnknownValue, unknownValues } from '../people/unknown-values.js'
import { learnerDays } from '../rollup/learner-days.js'
import { actorEvents } from './activity.js'
import { type OpenDerivation, oldestDue, openDerivation, parkedRows } from './consistency.js'
import type { Measurement, MeasureRequest, MetricOptions } from './metric.js'
import { populationOf } from './population.js'
import { addDays } from './window.js'

/** How a metric counts the learners of one period. */
export interface Counting {
  /** How many days after its end a period still looks at. */
  readonly reachDays: number
  /**
   * A query for the days on which learners did something, with `person_id`, `day` and whatever the metric needs, made
   * from the common table expression `population_day`: learner-days, without those that can be no one's in P.
   */
  readonly deeds: RawBuilder<unknown>
  /** Aggregates, with their names, over one learner's deeds on the days of a period that count; empty for none. */
  readonly perLearner: readonly RawBuilder<unknown>[]
  /** Aggregates over P left-joined with `learner`, which has `person_id` and the aggregates above. */
  readonly numerator: RawBuilder<number>
  readonly denominator: RawBuilder<number>
  readonly immature: RawBuilder<number>
}

/** A metric's request, whatever its options. */
type CountRequest = Omit<MeasureRequest<MetricOptions>, 'options'>

interface Row {
  readonly numerator: number
  readonly denominator: number
  readonly population: number
  readonly immature: number
  readonly voided: number
  readonly unresolved_actor: number
  readonly future: number
  readonly unknown: readonly UnknownValue[]
  readonly oldest_due: string | null
  readonly derivation: OpenDerivation | null
  readonly parked_rows: number
}

/**
 * Counts the learners of every period in one round trip, and so in one snapshot.
 *
 * The learner-days are aggregated to one row per learner and period first and joined to the roster after: the other
 * way round costs 2.5 to 4 times as much over 20,000 people. `offset 0` keeps the days on which learners belong to P
 * from being joined to the calendar before the deeds are: a million deeds were then each compared with 90 days.
 */
export async function countLearners(
  db: Kysely<Database>,
  request: CountRequest,
  counting: Counting
): Promise<Measurement> {
  const { tenantId, filter, asOf, today } = request
  const population = populationOf({ ...request, tomorrow: addDays(today, 1) })
  const { rows } = await sql<Row>`
    with recursive ${periods(request)},
    ${sql.join(population.expressions)},
    ${days(request, counting)},
    deed as (${counting.deeds}),
    learner as (
      select ${sql.join([sql`ordinal`, sql`person_id`, ...counting.perLearner])}
      from (select * from deed join period_day using (day) offset 0) as dated ${population.onDaysThatCount}
      group by ordinal, person_id
    ),
    counted as (
      select ordinal, ${counting.numerator} as numerator, ${counting.denominator} as denominator,
        count(*) as population, ${counting.immature} as immature
      from population left join learner using (ordinal, person_id)
      group by ordinal
    ),
    ${excluded(request)}
    select coalesce(numerator, 0)::integer as numerator, coalesce(denominator, 0)::integer as denominator,
      coalesce(population, 0)::integer as population, coalesce(immature, 0)::integer as immature,
      excluded.voided, excluded.future, excluded.unresolved_actor,
      ${unknownValues(tenantId, filter)} as unknown, ${oldestDue(tenantId, asOf)} as oldest_due,
      ${openDerivation(tenantId)} as derivation, ${parkedRows(tenantId)} as parked_rows
    from period left join counted using (ordinal) cross join excluded
    order by ordinal`.execute(db)
  return toMeasurement(rows)
}

function toMeasurement(rows: readonly Row[]): Measurement {
  const [first] = rows
  if (first === undefined) throw new RangeError('A metric counts at least one period')
  return {
    counts: rows.map(({ numerator, denominator, population, immature }) => ({
      numerator,
      denominator,
      population,
      immature
    })),
    excluded: { voided: first.voided, unresolvedActor: first.unresolved_actor, future: first.future },
    unknown: first.unknown,
    oldestDue: first.oldest_due,
    derivation: first.derivation,
    parkedRows: first.parked_rows
  }
}

/** The periods and their days. Days are counted up by integers, which no session's time zone can bend. */
function periods({ periods }: CountRequest): RawBuilder<unknown> {
  return sql`
    period as (
      select ordinal, starts, ends
      from unnest(${periods.map(({ from }) => from)}::date[], ${periods.map(({ to }) => to)}::date[])
        with ordinality as given (starts, ends, ordinal)
    ),
    period_day as (
      select ordinal, starts + nth as day from period cross join generate_series(0, ends - starts - 1) as nth
    )`
}

/** Learners of a cohort are looked up one by one while they are fewer than one in so many of the tenant's persons. */
const lookUpBelowOneIn = 10

/**
 * The learner-days that the periods reach. The rollup is read where each use needs it (`not materialized`); events
 * would be counted once for each use, so those are kept.
 *
 * The days of a small cohort are looked up, and those of a large one are scanned and sifted. Which it is can only be
 * seen when the cohort is known, so it is decided while the query runs (of both branches one is never begun): planned
 * ahead, on the guess that a filter leaves a handful, 8,000 learners of 20,000 were looked up one by one.
 */
function days(request: CountRequest, { reachDays }: Counting): RawBuilder<unknown> {
  const { tenantId, source, timeZone, asOf, periods, window, filter } = request
  const from = periods.reduce((least, period) => (period.from < least ? period.from : least), window.from)
  const to = periods.reduce((most, period) => (period.to > most ? period.to : most), window.to)
  const learnerDay = learnerDays({ tenantId, source, timeZone, from, to: addDays(to, reachDays), asOf })
  const everyone = sql`select * from learner_days where person_id is not null`
  return sql`
    learner_days as ${source === 'rollup' ? sql`not materialized` : sql`materialized`} (${learnerDay}),
    population_day as (${filter === null ? everyone : daysOfCohort(tenantId)})`
}

/** In the second branch `is true` keeps the list of learners a hash that rows are sifted by, where a join could be looked up. */
function daysOfCohort(tenantId: number): RawBuilder<unknown> {
  const isSmall = sql`(
    select ${lookUpBelowOneIn} * count(distinct person_id) < (select count(*) from person where tenant_id = ${tenantId})
    from population)`
  return sql`
    select * from learner_days
    where ${isSmall} and person_id = any(array(select distinct person_id from population))
    union all
    select * from learner_days where not ${isSmall} and (person_id in (select person_id from population)) is true`
}

/**
 * What the window holds that no metric counts, over the whole tenant. The provisional persons are joined, not tested
 * row by row: there are few of them, so that their days are probed instead of every day of the window scanned.
 */
function excluded({ tenantId, window }: CountRequest): RawBuilder<unknown> {
  const inWindow = sql`day >= ${window.from}::date and day < ${window.to}::date`
  return sql`
    excluded as (
      select
        (select coalesce(sum(voided), 0)::bigint from learner_days where ${inWindow} and voided > 0) as voided,
        (select coalesce(sum(future), 0)::bigint from learner_days where ${inWindow} and future > 0) as future,
        (select coalesce(sum(events), 0)::bigint from (
          select ${actorEvents} as events from learner_days where ${inWindow} and person_id is null
          union all
          select ${actorEvents} from learner_days
          join person on person.tenant_id = ${tenantId} and person.id = learner_days.person_id
          where ${inWindow} and person.external_id is null
        ) as unresolved) as unresolved_actor
    )`
}
