import { type RawBuilder, sql } from 'kysely'
import type { LearningEventKind } from '../database/schema.js'
import { futureTolerance, isVoided } from './learner-days.js'

/** What a learner comes to in a module. */
export type Step = 'delivered' | 'opened'

/** What follows on each step. */
export const nextSteps: Readonly<Record<Step, LearningEventKind>> = {
  delivered: 'opened',
  opened: 'completed-task'
}

/** The kinds of events that make rows of `learner_step`. */
const stepKinds: readonly LearningEventKind[] = ['delivered', 'opened', 'completed-task']

/** Every column of `learner_step` but its key, in its order. */
export const stepColumns = ['before', 'followed_on'] as const

/**
 * Counts the days on which persons came to steps, with the day of the same step before and the first day of what
 * followed. All live events of a person and module must be among those given, for each is another's past or future.
 *
 * @param events a query for `tenant_id`, `person_id` and the columns of `learning_event as event`; only what the person
 * did.
 */
export function countedSteps(events: RawBuilder<unknown>): RawBuilder<unknown> {
  const nextDays = Object.entries(nextSteps).map(
    ([step, next]) => sql`when ${sql.lit(step)} then min(day) filter (where kind = ${sql.lit(next)}) over onwards`
  )
  // From the last to the first, so that what is yet to come grows row by row; equal ones are in each other's sight.
  return sql`
    select tenant_id, person_id, kind as step, day, module_id,
      coalesce(lag(day) over (partition by tenant_id, person_id, module_id, kind order by day), '-infinity') as before,
      coalesce(min(next_day), 'infinity') as followed_on
    from (
      select tenant_id, person_id, kind, day, module_id, case kind ${sql.join(nextDays, sql` `)} end as next_day
      from (${events}) as event
      where not is_voided and "timestamp" <= statement_timestamp() + ${futureTolerance}::interval
      window onwards as (partition by tenant_id, person_id, module_id order by "timestamp" desc)
    ) as event
    where kind in (${sql.join(Object.keys(nextSteps).map(step => sql.lit(step)))})
    group by tenant_id, person_id, module_id, kind, day`
}

/** What `countedSteps` needs of each row of `learning_event as event`. */
export const stepEventColumns = sql`event.kind, event.day, event.module_id, event."timestamp", ${isVoided} as is_voided`

/** SQL for whether a row of `learning_event as event` makes rows of `learner_step`. */
export const isOfStep = sql<boolean>`(
  event.module_id is not null and event.kind in (${sql.join(stepKinds.map(kind => sql.lit(kind)))}))`
