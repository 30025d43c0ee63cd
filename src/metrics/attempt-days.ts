import { type RawBuilder, sql } from 'kysely'
import type { ScoreScale } from '../database/schema-activities.js'
import type { Counting, MeasureRequest } from './metric.js'
import { placing, rowsOfPeriods } from './rows-of-periods.js'

/** Which of several attempts at an activity in the period counts. */
export type Policy = 'last' | 'first' | 'best'

type Request = Omit<MeasureRequest, 'options'>

/**
 * Whether the days of attempts answer a request. A day is an activity's first in a period, or its last, whatever the
 * period; with `at_event` days may be cut out of it.
 */
export function isOfAttemptDays({ source, membership }: Request): boolean {
  return source === 'rollup' && membership !== 'at_event'
}

/** Sums the chosen score of each activity: `total` and `activities`; and `other_scale`, attempts left out. */
export function chosenScores(
  request: Request,
  scale: ScoreScale,
  policy: Policy
): Required<Pick<Counting, 'learners'>> {
  const { ordinal, keys, join } = placing(request)
  const names = sql.join(keys)
  const chosen = policy === 'best' ? bestScores(request, scale) : endScores(request, scale, policy)
  const others = rowsOfPeriods(request, {
    table: 'learner_attempt',
    columns: sql`alone`,
    where: sql`${isOn(scale === 'scaled' ? 'ratio' : 'scaled')} and alone > 0`
  })
  return {
    learners: sql`
      select ${ordinal} as ordinal, person_id, total, activities, other_scale
      from (select ${names}, sum(score) as total, count(*) as activities from (${chosen}) as chosen group by ${names}) as chosen
      full join (
        select ${names}, sum(alone) as other_scale from (${others}) as other ${join} group by ${names}
      ) as other using (${names})`
  }
}

/** The scores of the first or last days in the periods of each learner and activity. */
function endScores(request: Request, scale: ScoreScale, policy: 'last' | 'first') {
  const { starts, ends, keys, join } = placing(request)
  const isEnd = policy === 'last' ? sql`after >= ${ends}` : sql`before < ${starts}`
  const columns = policy === 'last' ? sql`after, last_score as score` : sql`before, first_score as score`
  return sql`select ${sql.join([...keys, sql`score`])} from (${onScale(request, scale, columns)}) as attempt ${join} where ${isEnd}`
}

/** The best scores of each; most activities have a single day in a period, which need not be put together. */
function bestScores(request: Request, scale: ScoreScale) {
  const { starts, ends, keys, join } = placing(request)
  const days = sql`(${onScale(request, scale, sql`activity_id, before, after, best_score`)}) as attempt ${join}`
  return sql`
    select ${sql.join([...keys, sql`best_score as score`])} from ${days} where before < ${starts} and after >= ${ends}
    union all
    select ${sql.join([...keys, sql`max(best_score)`])} from ${days} where before >= ${starts} or after < ${ends}
    group by ${sql.join([...keys, sql`activity_id`])}`
}

/** Sums last - first score of each activity with two attempts or more: `gained` and `activities`. */
export function differences(request: Request, scale: ScoreScale): Required<Pick<Counting, 'learners'>> {
  const { ordinal, starts, ends, keys } = placing(request)
  return {
    learners: sql`
      select ${ordinal} as ordinal, person_id, count(*) filter (where after >= ${ends}) as activities,
        sum(last_score) filter (where after >= ${ends}) - sum(first_score) filter (where before < ${starts}) as gained
      from ${repeated(request, scale)}
      group by ${sql.join(keys)}`
  }
}

/**
 * Puts together the first score `pre`, the last one `post`, and the `attempts` of each activity with two or more.
 *
 * @param perLearner aggregates over these, with their names.
 */
export function gainsOf(
  request: Request,
  scale: ScoreScale,
  perLearner: Counting['perLearner']
): Required<Pick<Counting, 'learners'>> {
  const { ordinal, starts, ends, keys } = placing(request)
  return {
    learners: sql`
      select ${sql.join([sql`${ordinal} as ordinal`, sql`person_id`, ...perLearner])}
      from (
        select ${sql.join(keys)}, max(first_score) filter (where before < ${starts}) as pre,
          max(last_score) filter (where after >= ${ends}) as post, sum(attempts) as attempts
        from ${repeated(request, scale)}
        group by ${sql.join([...keys, sql`activity_id`])}
      ) as part
      group by ${sql.join(keys)}`
  }
}

/** The days of activities that are attempted again in the period, be it on the same day. */
function repeated(request: Request, scale: ScoreScale): RawBuilder<unknown> {
  const { starts, ends, join } = placing(request)
  const columns = sql`activity_id, before, after, attempts, first_score, last_score`
  return sql`(
    select * from (${onScale(request, scale, columns)}) as attempt ${join}
    where before >= ${starts} or after < ${ends} or attempts >= 2) as attempt`
}

function onScale(request: Request, scale: ScoreScale, columns: RawBuilder<unknown>) {
  return rowsOfPeriods(request, { table: 'learner_attempt', columns, where: isOn(scale) })
}

function isOn(scale: ScoreScale): RawBuilder<boolean> {
  return sql<boolean>`scale = ${sql.lit(scale)}`
}
