import { type RawBuilder, sql } from 'kysely'
import type { CohortFilter } from '../people/cohort-filter.js'
import { compileFilter } from '../people/compile-filter.js'
import { employedDays, isEmployedOn, joinLearner } from '../people/target-population.js'
import type { Membership } from './cohort-query.js'

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
}

/** SQL for the target population P of each period. */
export interface Population {
  /**
   * Common table expressions for a `with recursive`, which read the expression `period` of the surrounding query. The
   * last is `population`: one row per `ordinal` and `person_id`, also for those with no event at all.
   */
  readonly expressions: readonly RawBuilder<unknown>[]
  /**
   * A join and its condition to put behind rows of `ordinal`, `person_id` and `day`: only days on which the person's
   * deeds count. Empty where they count on every day of the period.
   */
  readonly onDaysThatCount: RawBuilder<unknown>
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

function onOneDay({ tenantId, periods, filter, membership, today, tomorrow }: PopulationRequest): Population {
  const isCurrent = membership === 'current'
  const day = isCurrent ? sql`${today}::date` : sql`period.starts`
  // The last period's end lies behind its first day, by a day or more.
  const span = isCurrent ? { from: today, to: tomorrow } : extentOf(periods)
  const { expressions, joins, holdsOn } = compileFilter(filter, { tenantId, ...span })
  return {
    expressions: [
      ...expressions,
      sql`population as (
        select period.ordinal, roster.person_id
        from period
        join roster on roster.tenant_id = ${tenantId} and ${isEmployedOn(day)}
        ${joinLearner} ${joins}
        where ${holdsOn(day, sql`period.ends`)}
      )`
    ],
    onDaysThatCount: sql``
  }
}

function overDays({ tenantId, periods, filter }: PopulationRequest): Population {
  const { expressions, joins, holdsIn } = compileFilter(filter, { tenantId, ...extentOf(periods) })
  const { possible, days } = holdsIn(sql`period.ends`)
  const window = sql`daterange(period.starts, period.ends)`
  return {
    expressions: [
      ...expressions,
      // Stretches of one learner never overlap. Plain dates, because a million of them are compared.
      sql`member as (
        select ordinal, person_id, lower(stretch) as since, upper(stretch) as until
        from (
          select period.ordinal, roster.person_id, datemultirange(${employedDays} * ${window}) * ${days} as stretches
          from period
          join roster on roster.tenant_id = ${tenantId} and roster.valid && ${window}
          ${joinLearner} ${joins}
          where ${possible}
        ) as held
        cross join unnest(stretches) as stretch
      )`,
      sql`population as (select distinct ordinal, person_id from member)`
    ],
    onDaysThatCount: sql`join member using (ordinal, person_id) where day >= member.since and day < member.until`
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
