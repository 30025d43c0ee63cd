import { type RawBuilder, sql } from 'kysely'
import type { ScoreScale } from '../database/schema-activities.js'
import { futureTolerance, isVoided } from './learner-days.js'

/** The columns of `learning_event` in which scores stand, by their scale. */
export const scoreColumns: Readonly<Record<ScoreScale, string>> = { scaled: 'score_scaled', ratio: 'score_ratio' }

/** Order of a learner's attempts: equal instants by the order in which they were stored. */
export const inTime = sql`"timestamp", statement_seq`
export const backInTime = sql`"timestamp" desc, statement_seq desc`

/** Every column of `learner_attempt` but its key, in its order. */
export const attemptColumns = [
  ...(['before', 'after', 'attempts', 'alone'] as const),
  ...(['first_score', 'last_score', 'best_score'] as const)
] as const

/**
 * Counts the days on which persons were assessed in activities, with the days of such before and after. All live events
 * of a person and activity must be among those given, for each is another's past or future.
 *
 * @param events a query for `tenant_id`, `person_id` and `attemptEventColumns`; only what the person did.
 */
export function countedAttempts(events: RawBuilder<unknown>): RawBuilder<unknown> {
  // Equal scores may be written with more digits or fewer, so that even the best one needs an order.
  const firstBy = (order: RawBuilder<unknown>) => sql`(array_agg(score order by ${order}))[1]`
  return sql`
    select tenant_id, person_id, activity_id, scale, day,
      coalesce(lag(day) over days, '-infinity') as before, coalesce(lead(day) over days, 'infinity') as after,
      attempts, alone, first_score, last_score, best_score
    from (
      select tenant_id, person_id, activity_id, scale, day, count(*)::integer as attempts,
        (count(*) filter (where is_alone))::integer as alone, ${firstBy(inTime)} as first_score,
        ${firstBy(backInTime)} as last_score, ${firstBy(sql`score desc, ${inTime}`)} as best_score
      from (${events}) as event
      cross join lateral (values
        ('scaled'::score_scale, score_scaled, score_ratio is null), ('ratio', score_ratio, score_scaled is null)
      ) as given(scale, score, is_alone)
      where score is not null and not is_voided
        and "timestamp" <= statement_timestamp() + ${futureTolerance}::interval
      group by tenant_id, person_id, activity_id, scale, day
    ) as done
    window days as (partition by tenant_id, person_id, activity_id, scale order by day)`
}

/** What `countedAttempts` needs of each row of `learning_event as event`. */
export const attemptEventColumns = sql`event.activity_id, event.day, event."timestamp", event.statement_seq,
  event.score_scaled, event.score_ratio, ${isVoided} as is_voided`

/** SQL for whether a row of `learning_event as event` makes rows of `learner_attempt`, where it has a score. */
export const isOfAttempt = sql<boolean>`(event.kind = 'assessed' and event.activity_id is not null)`
