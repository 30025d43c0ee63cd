import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../../database/schema.js'
import { learnerDays } from '../../rollup/learner-days.js'
import { type Population, populationOf } from '../population.js'
import { daysOfCohort, excluded, notFew, periods } from '../shares.js'
import { readSnapshot, type SnapshotRow, snapshotColumns } from '../snapshot.js'
import { addDays, type Period } from '../window.js'
import type { JourneyRequest, JourneyState } from './journey.js'

/** What is asked of the learners of a window. */
export interface JourneyQuestion {
  /** Each has a target population of its own. */
  readonly periods: readonly Pick<Period, 'from' | 'to'>[]
  /** The local days that are looked at, half-open; the window at least. `-infinity` for all there ever were. */
  readonly days: { readonly from: string; readonly to: string }
  /**
   * Common table expressions over `period`, `period_day`, `population` and `population_day`: the learner-days, without
   * those that can be no one's in P.
   */
  readonly expressions: (population: Population) => readonly RawBuilder<unknown>[]
  /** An expression with the `ordinal` of each period in which somebody is in P, if one is shorter than P itself. */
  readonly placed?: RawBuilder<unknown>
  /** A query for the rows of the answer. */
  readonly answer: RawBuilder<unknown>
}

interface Row<Answer> extends SnapshotRow {
  readonly answer: readonly Answer[]
  readonly filled_periods: number
}

/** Asks in one round trip, and so of one snapshot; the rows come as JSON. */
export async function askJourney<Answer>(
  db: Kysely<Database>,
  request: JourneyRequest,
  question: JourneyQuestion
): Promise<{ readonly rows: readonly Answer[]; readonly state: JourneyState }> {
  const { today } = request.window
  const population = populationOf({ ...request, periods: question.periods, today, tomorrow: addDays(today, 1) })
  const placed = question.placed ?? population.stretches ?? sql`population`
  const { rows } = await sql<Row<Answer>>`
    with recursive ${periods(question)},
    ${sql.join(population.expressions)},
    ${days(request, question)},
    ${sql.join(question.expressions(population))},
    ${excluded(request)}
    select (select coalesce(jsonb_agg(to_jsonb(answer)), '[]') from (${question.answer}) as answer) as answer,
      (select count(*) from (select distinct ordinal from ${placed}) as placed)::integer as filled_periods,
      ${snapshotColumns(request)}
    from excluded`.execute(db)
  const [row] = rows as [Row<Answer>]
  return {
    rows: row.answer,
    state: { ...readSnapshot(row), emptyPeriods: question.periods.length - row.filled_periods }
  }
}

/**
 * The rollup is read where each use needs it (`not materialized`); events would be counted once for each use. To go
 * through all that was counted for each learner took 8 s for 400 of them.
 */
function days({ tenantId, source, asOf, window, filter }: JourneyRequest, { days }: JourneyQuestion) {
  const { timeZone } = window
  const learnerDay = learnerDays({ tenantId, source, timeZone, ...days, asOf })
  const everyone = sql`select * from learner_days where person_id is not null`
  const wanted = filter === null ? everyone : daysOfCohort(tenantId)
  if (source === 'rollup') return sql`learner_days as not materialized (${learnerDay}), population_day as (${wanted})`
  return sql`
    learner_days as materialized (${learnerDay}),
    population_day as (${notFew(wanted)})`
}
