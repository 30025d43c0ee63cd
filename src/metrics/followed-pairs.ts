import { type RawBuilder, sql } from 'kysely'
import { nextSteps, type Step } from '../rollup/learner-steps.js'
import { eventDeeds } from './event-deeds.js'
import type { Counting, MeasureRequest } from './metric.js'
import { placing, rowsOfPeriods } from './rows-of-periods.js'

/**
 * Counts distinct pairs of learner and module that came to one step in the period, and of these the ones that came to
 * the next step at or after it, by the period's end. A pair may take the step several times; it has gone on if it has
 * after any of them. A pair counts where its first step does: with `at_event` on a day on which the learner belongs to
 * P, wherever they are by the next step.
 *
 * By the period's end, and not ever since: so every period of a series has had the same time, a period that is over
 * keeps its value, and a rate does not fall towards the present only because the last weeks had less time. The price is
 * that what is begun on a period's last day is hardly followed within it, alike in every period.
 *
 * @param steps a query for `person_id`, `day`, `module_id`, `is_base` (the first of the two steps, or the next), and
 * `happened`, which has the order of their days.
 */
export function followedPairs(steps: RawBuilder<unknown>): Counting {
  // From the last to the first, so that what is yet to come grows row by row; equal ones are in each other's sight.
  return {
    deeds: sql`
      select person_id, day, module_id, next_day
      from (
        select *, min(day) filter (where not is_base) over (
          partition by person_id, module_id order by happened desc) as next_day
        from (${steps}) as step
      ) as step
      where is_base`,
    perLearner: [
      sql`count(distinct module_id) as pairs`,
      sql`count(distinct module_id) filter (where next_day < ends) as followed`
    ],
    x: sql`coalesce(followed, 0)`,
    y: sql`coalesce(pairs, 0)`
  }
}

/**
 * Counts the pairs of learner and module that came from one kind of event to the next; instants decide the order. Where
 * the rollups answer, they are those of `learner_step`.
 */
export function followedEvents(request: Omit<MeasureRequest, 'options'>, step: Step): Counting {
  const next = nextSteps[step]
  const counting = followedPairs(
    eventDeeds(request, {
      kinds: [step, next],
      columns: [
        sql`event.module_id`,
        sql`event.kind = ${sql.lit(step)} as is_base`,
        sql`event."timestamp" as happened`
      ],
      where: sql`event.module_id is not null`
    })
  )
  if (request.source !== 'rollup') return counting
  return {
    ...counting,
    ...(request.membership === 'at_event' ? stepDays(request, step) : stepsOfLearners(request, step))
  }
}

/** The days of the steps, of which those that count are to be found. */
function stepDays(request: Omit<MeasureRequest, 'options'>, step: Step): Pick<Counting, 'deeds'> {
  return {
    deeds: sql`select person_id, day, module_id, followed_on as next_day from (${stepRows(request, step)}) as step`
  }
}

/** A module is counted by its first day in the period, which has no other before it there. */
function stepsOfLearners(request: Omit<MeasureRequest, 'options'>, step: Step): Pick<Counting, 'learners'> {
  const { ordinal, starts, ends, join, keys } = placing(request)
  return {
    learners: sql`
      select ${ordinal} as ordinal, person_id, count(*) filter (where before < ${starts}) as pairs,
        count(*) filter (where before < ${starts} and followed_on < ${ends}) as followed
      from (${stepRows(request, step)}) as step ${join}
      group by ${sql.join(keys)}`
  }
}

function stepRows(request: Omit<MeasureRequest, 'options'>, step: Step) {
  const columns = sql`module_id, before, followed_on`
  return rowsOfPeriods(request, { table: 'learner_step', columns, where: sql`step = ${sql.lit(step)}` })
}
