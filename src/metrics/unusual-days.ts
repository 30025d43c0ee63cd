import { type RawBuilder, sql } from 'kysely'
import { daysOfRow, numberOfDays } from '../rollup/learner-weeks.js'
import { isActiveDay } from './activity.js'
import type { Counting, MeasureRequest } from './metric.js'
import { notFew } from './shares.js'

type Request = Pick<MeasureRequest, 'today' | 'source'>

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
 */
export function unusualDays(direction: -1 | 1, request: Request): Counting {
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
    fromWeeks: { days: sql`active`, perLearner: [sql`sum(${numberOfDays(sql`days`)}) as active_days`] },
    x: sql`coalesce(active_days, 0)`,
    y: sql`1`,
    ofCells: cell => judgedCells(cell, direction, request)
  }
}

function judgedCells(cell: readonly RawBuilder<unknown>[], direction: -1 | 1, request: Request): RawBuilder<unknown> {
  const keys = sql.join(cell)
  const medianOf = (values: RawBuilder<unknown>) => sql`percentile_cont(0.5) within group (order by ${values})::numeric`
  // Multiplied out, so that no quotient is rounded on its way to the bound.
  const distance = sql`0.6745 * (active - median)`
  const isUnusual = sql`(mad > 0 and ${sql.lit(direction)} * ${distance} > ${sql.lit(unusualFrom)} * mad)`
  // `offset 0`: median and MAD would be found anew wherever they are named.
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
        from (${trails(cell, request)}) as trailed
        offset 0
      ) as centred
      offset 0
    ) as judged
    group by ${keys}`
}

/** Each cell's days that are over, with the learners active on them and on the earlier ones that they stand against. */
function trails(cell: readonly RawBuilder<unknown>[], { today, source }: Request): RawBuilder<unknown> {
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
    left join (${notFew(source === 'rollup' ? learnersOfSets(cell) : learnersOfDeeds(cell))}) as counted_day using (${sql.join([...cell, sql`compared_day`])})
    group by ${keys}, day`
}

/** How many of each cell's learners were active on each day, from their deeds. */
function learnersOfDeeds(cell: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  const keys = sql.join(cell)
  return sql`
    select ${keys}, day as compared_day, count(*) as learners
    from share join deed using (ordinal, person_id) group by ${keys}, day`
}

/** A sum adds up two days: one in the low half of the number, and the day so many bits after it in the high half. */
const laneBits = Math.ceil(daysOfRow / 2)

/** The same from sets of days, of which the bits of all learners are added up, two days in a sum. */
function learnersOfSets(cell: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  const keys = sql.join(cell)
  const lanes = Array.from({ length: laneBits }, (_, at) => at)
  const lane = sql.lit(2 ** laneBits)
  const sums = lanes.map(at => sql`sum(active >> ${sql.lit(at)} & ${sql.lit(1 + 2 ** laneBits)})`)
  return sql`
    select ${keys}, begins + (nth - 1)::integer + half as compared_day,
      case half when 0 then pair % ${lane} else div(pair, ${lane}) end as learners
    from (
      select ${keys}, begins, array[${sql.join(sums)}] as sums
      from (${notFew(sql`select ${keys}, person_id, starts, ends from share join period using (ordinal)`)} offset 0) as learner
        join population_weeks as weeks using (person_id)
      where begins > starts - ${sql.lit(7 * trailingWeeks + daysOfRow)} and begins < ends
      group by ${keys}, begins
    ) as summed
    cross join unnest(sums) with ordinality as added (pair, nth)
    cross join (values (0), (${sql.lit(laneBits)})) as halves (half)
    where nth - 1 + half < ${sql.lit(daysOfRow)}`
}
