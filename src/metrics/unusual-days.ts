import { type RawBuilder, sql } from 'kysely'
import { isActiveDay } from './activity.js'
import type { Counting } from './metric.js'

/** How many earlier days of the same weekday a day is compared with. */
const trailingWeeks = 8

/** Beyond this many robust standard deviations a day is unusual. */
const unusualFrom = 3.5

/**
 * Counts the days on which unusually few, or unusually many, of a group's learners were active.
 *
 * A day's active learners v stand against those of the same weekday in the 8 weeks before, by their median m and their
 * median absolute deviation MAD: robust z = 0.6745 (v − m) ÷ MAD. The people are the same on all of these days, those of
 * P, whatever they belonged to then: other people would be another group. A day that is not over is not judged, nor is
 * one whose MAD is 0, where more than half of the eight are alike: there is no scale to measure it by.
 *
 * @param direction -1 for days below, 1 for days above.
 * @param today the local day that is not over yet.
 */
export function unusualDays(direction: -1 | 1, today: string): Counting {
  return {
    backDays: 7 * trailingWeeks,
    isDeedOfPeriod: true,
    deeds: sql`
      select ordinal, person_id, day
      from population_day
      join (
        select distinct ordinal, period_day.day - 7 * week as day
        from period_day cross join generate_series(0, ${sql.lit(trailingWeeks)}) as week
      ) as compared using (day)
      where ${isActiveDay}`,
    perLearner: [sql`count(*) filter (where day >= starts) as active_days`],
    x: sql`coalesce(active_days, 0)`,
    y: sql`1`,
    ofCells: cell => judgedCells(cell, direction, today)
  }
}

function judgedCells(cell: readonly RawBuilder<unknown>[], direction: -1 | 1, today: string): RawBuilder<unknown> {
  const keys = sql.join(cell)
  const medianOf = (values: RawBuilder<unknown>) => sql`percentile_cont(0.5) within group (order by ${values})::numeric`
  // Multiplied out, so that no quotient is rounded on its way to the bound.
  const distance = sql`0.6745 * (active - median)`
  const isUnusual = sql`(mad > 0 and ${sql.lit(direction)} * ${distance} > ${sql.lit(unusualFrom)} * mad)`
  const day = sql`json_build_object('day', day, 'learners', active, 'median', median, 'mad', mad,
    'robustZ', round(${distance} / nullif(mad, 0), 4))`
  return sql`
    select ${keys}, count(*) filter (where ${isUnusual}) as x, count(*) filter (where mad > 0) as y,
      json_build_object('days', coalesce(json_agg(${day} order by day) filter (where ${isUnusual}), '[]'),
        'notJudged', count(*) filter (where mad = 0)) as details
    from (
      select ${keys}, day, active, median,
        (select ${medianOf(sql`abs(earlier - median)`)} from unnest(trail) as earlier) as mad
      from (
        select *, (select ${medianOf(sql`earlier`)} from unnest(trail) as earlier) as median
        from (${trails(cell, today)}) as trailed
      ) as centred
    ) as judged
    group by ${keys}`
}

/** Each cell's days that are over, with the learners active on them and on the earlier ones that they stand against. */
function trails(cell: readonly RawBuilder<unknown>[], today: string): RawBuilder<unknown> {
  const keys = sql.join(cell)
  return sql`
    select ${keys}, day, coalesce(max(learners) filter (where week = 0), 0) as active,
      array_agg(coalesce(learners, 0)) filter (where week > 0) as trail
    from (
      select ${keys}, period_day.day, week, period_day.day - 7 * week as compared_day
      from (select distinct ${keys} from share) as cells join period_day using (ordinal)
      cross join generate_series(0, ${sql.lit(trailingWeeks)}) as week
      where period_day.day < ${today}::date
    ) as wanted
    left join (
      select ${keys}, day as compared_day, count(*) as learners
      from share join deed using (ordinal, person_id) group by ${keys}, day
    ) as counted_day using (${sql.join([...cell, sql`compared_day`])})
    group by ${keys}, day`
}
