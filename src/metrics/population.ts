import { type RawBuilder, sql } from 'kysely'
import type { CohortFilter } from '../people/cohort-filter.js'
import { type CompiledFilter, compileFilter } from '../people/compile-filter.js'
import { employedDays, isEmployedOn, isNotMerged, joinLearner } from '../people/target-population.js'
import { daysOfRow } from '../rollup/learner-weeks.js'
import type { Membership } from './cohort-query.js'
import { type Dimension, dimensions } from './dimension.js'

/** Whose population is wanted. */
export interface PopulationRequest {
  readonly tenantId: number
  /** Periods in local days, half-open. */
  readonly periods: readonly { readonly from: string; readonly to: string }[]
  /** Null for everyone on the roster. */
  readonly filter: CohortFilter | null
  readonly membership: Membership
  /** The local day of the asking. */
  readonly today: string
  /** The local day after it. */
  readonly tomorrow: string
  /** What learners are told apart by; none by default. */
  readonly breakdown?: readonly Dimension[]
  /** Facts about a learner, by their names, as conditions on the row of the roster that places them in P. */
  readonly flags?: Readonly<Record<string, RawBuilder<boolean>>>
  /** Whether these read `person` as well. */
  readonly flagsReadPerson?: boolean
}

/** SQL for the target population P of each period. */
export interface Population {
  /**
   * Common table expressions for a `with recursive`, which read the expression `period` of the surrounding query. One is
   * `population`: one row per `ordinal`, `person_id` and values of the dimensions (`dimension_1`, `dimension_2`; an empty
   * text where the roster has none), also for those with no event at all, with the flags. Where there is a filter, another
   * is `in_population`: the `person_id` of whoever is in P of any period, once.
   */
  readonly expressions: readonly RawBuilder<unknown>[]
  /**
   * A join and its condition to put behind rows of `ordinal`, `person_id` and `day`: only days on which the person's
   * deeds count. Empty where they count on every day of the period.
   */
  readonly onDaysThatCount: RawBuilder<unknown>
  /**
   * The same for rows `weeks` of `learner_weeks` with an `ordinal`: a join, and the set of days that count; null where
   * all do.
   */
  readonly weeksThatCount: { readonly join: RawBuilder<unknown>; readonly days: RawBuilder<number> } | null
  /** The stretches of days that count, half-open: `ordinal`, `person_id`, `since` and `until`; null where all days do. */
  readonly stretches: RawBuilder<unknown> | null
  /**
   * The columns by which rows of a learner's deeds are grouped, and joined to `population`. The learner stands first: rows
   * are sorted by it in fewer comparisons than by a period that most of them share.
   */
  readonly keys: readonly RawBuilder<unknown>[]
}

/**
 * The target population of each period, by what the roster says on the period's first day (`at_window_start`), today
 * (`current`), or on any of its days (`at_event`, where only what a person does on a day on which they belong to it
 * counts). Each period is a window of its own: a learner who joins later counts from the next period on. Tenure is
 * reckoned by the end of the period in every mode.
 */
export function populationOf(request: PopulationRequest): Population {
  return request.membership === 'at_event' ? overDays(request) : onOneDay(request)
}

/**
 * A condition on `ordinal` that holds always: of a single period PostgreSQL is told which it is, and then neither hashes nor
 * sorts by it.
 */
export function isOnly({ periods }: Pick<PopulationRequest, 'periods'>): RawBuilder<boolean> {
  return periods.length === 1 ? sql<boolean>`period.ordinal = 1` : sql<boolean>`true`
}

/**
 * Whom a cohort's rows are looked up or sifted by; of everyone nothing is, and were it there, `population` would be kept as a
 * table whose single period PostgreSQL no longer knows.
 */
function whoever(filter: CohortFilter | null): readonly RawBuilder<unknown>[] {
  return filter === null ? [] : [sql`in_population as (select distinct person_id from population)`]
}

/**
 * A condition of which PostgreSQL expects that half of the rows meet it, as of every `case`. Of a day that it is told, it
 * knows how much of the roster holds on it; of one in a table it expects one row of 200, and then looked the whole roster up
 * anew for each period, sorted what it could have hashed, or compared each learner of 20,000 with each. And it keeps the
 * index by persons and days, five times as slow as that by persons, from being asked for each of a line.
 */
function halfOf(condition: RawBuilder<boolean>): RawBuilder<boolean> {
  return sql<boolean>`case when ${condition} then true end`
}

function onOneDay(request: PopulationRequest): Population {
  const { tenantId, periods, filter, membership, today, tomorrow } = request
  const isCurrent = membership === 'current'
  const [only] = periods.length === 1 ? periods : []
  const day = isCurrent ? sql`${today}::date` : only === undefined ? sql`period.starts` : sql`${only.from}::date`
  // The last period's end lies behind its first day, by a day or more.
  const span = isCurrent ? { from: today, to: tomorrow } : extentOf(periods)
  const compiled = compileFilter(filter, { tenantId, ...span })
  const { expressions, joins, joinsLines, holdsOn } = compiled
  const isTold = (isCurrent || only !== undefined) && !joinsLines
  const { join, isLearner } = learnersOf(request, compiled)
  const { values, valueJoins } = toldApartBy(request)
  const flags = Object.entries(request.flags ?? {}).map(([name, flag]) => sql`${flag} as ${sql.ref(name)}`)
  return {
    expressions: [
      ...expressions,
      sql`population as (
        select ${sql.join([sql`period.ordinal`, sql`roster.person_id`, ...values, ...flags])}
        from period
        join roster on roster.tenant_id = ${tenantId} and ${isTold ? isEmployedOn(day) : halfOf(isEmployedOn(day))}
        ${join} ${joins} ${valueJoins}
        where ${isOnly(request)} and ${isLearner} and ${holdsOn(day, sql`period.ends`)}
      )`,
      ...whoever(filter)
    ],
    onDaysThatCount: sql``,
    weeksThatCount: null,
    stretches: null,
    keys: [sql`person_id`, sql`ordinal`]
  }
}

function overDays(request: PopulationRequest): Population {
  const { tenantId, periods, filter } = request
  const compiled = compileFilter(filter, { tenantId, ...extentOf(periods) })
  const { expressions, joins, holdsIn } = compiled
  const { join, isLearner } = learnersOf(request, compiled)
  const { possible, days } = holdsIn(sql`period.ends`)
  const window = sql`daterange(period.starts, period.ends)`
  const { names, values, valueJoins } = toldApartBy(request)
  const flags = Object.entries(request.flags ?? {})
  const keys = [sql`person_id`, sql`ordinal`, ...names]
  const kept = [...names, ...flags.map(([name]) => sql`${sql.ref(name)}`)]
  return {
    expressions: [
      ...expressions,
      // Stretches of one learner never overlap. Plain dates, because a million of them are compared.
      sql`member as (
        select ${sql.join([
          sql`ordinal`,
          sql`person_id`,
          ...kept,
          sql`lower(stretch) as since`,
          sql`upper(stretch) as until`
        ])}
        from (
          select ${sql.join([
            sql`period.ordinal`,
            sql`roster.person_id`,
            ...values,
            ...flags.map(([name, flag]) => sql`${flag} as ${sql.ref(name)}`)
          ])}, datemultirange(${employedDays} * ${window}) * ${days} as stretches
          from period
          join roster on roster.tenant_id = ${tenantId} and ${halfOf(sql<boolean>`roster.valid && ${window}`)}
          ${join} ${joins} ${valueJoins}
          where ${isLearner} and ${possible}
        ) as held
        cross join unnest(stretches) as stretch
      )`,
      sql`population as (
        select ${sql.join([...keys, ...flags.map(([name]) => sql`bool_or(${sql.ref(name)}) as ${sql.ref(name)}`)])}
        from member group by ${sql.join(keys)})`,
      ...whoever(filter)
    ],
    onDaysThatCount: sql`join member using (ordinal, person_id) where day >= member.since and day < member.until`,
    weeksThatCount: {
      join: sql`join member on member.ordinal = piece.ordinal and member.person_id = weeks.person_id
        and member.since < weeks.begins + ${sql.lit(daysOfRow)} and member.until > weeks.begins`,
      days: sql<number>`((1::bigint << least(${sql.lit(daysOfRow)}, member.until - weeks.begins))
        - (1::bigint << greatest(0, member.since - weeks.begins)))`
    },
    stretches: sql`member`,
    keys
  }
}

/** What leaves out who can be in no P: the person, where something else is over it, or else only the merged. */
function learnersOf({ tenantId, breakdown = [], flagsReadPerson = false }: PopulationRequest, filter: CompiledFilter) {
  const readsPerson = flagsReadPerson || filter.readsPerson || breakdown.some(name => dimensions[name].readsPerson)
  return readsPerson ? { join: joinLearner, isLearner: sql`true` } : { join: sql``, isLearner: isNotMerged(tenantId) }
}

/** The columns of the dimensions: their names, and their values under these names. */
function toldApartBy({ breakdown = [] }: PopulationRequest) {
  const named = breakdown.map((dimension, at) => ({ name: sql.ref(`dimension_${at + 1}`), ...dimensions[dimension] }))
  return {
    names: named.map(({ name }) => name),
    values: named.map(({ name, value }) => sql`coalesce(${value}, '') as ${name}`),
    valueJoins: sql.join(
      named.flatMap(({ join }) => join ?? []),
      sql` `
    )
  }
}

function extentOf(periods: PopulationRequest['periods']): { readonly from: string; readonly to: string } {
  const from = periods.map(period => period.from).sort()[0] ?? ''
  return {
    from,
    to:
      periods
        .map(period => period.to)
        .sort()
        .at(-1) ?? from
  }
}
