import { type RawBuilder, sql } from 'kysely'
import type { MeasureRequest } from './metric.js'
import { extent, rowsOfCohort } from './shares.js'

/** Rows of a table with `tenant_id`, `person_id` and `day`. */
interface DayRows {
  readonly table: 'learner_step' | 'learner_attempt'
  /** Columns beside `person_id` and `day`: no more than are needed, so that an index may hold all. */
  readonly columns: RawBuilder<unknown>
  readonly where: RawBuilder<boolean>
}

type Request = Pick<MeasureRequest, 'tenantId' | 'periods' | 'filter'>

/** A query for the rows on the days that the periods reach, without those of who can't be in P. */
export function rowsOfPeriods({ tenantId, periods, filter }: Request, rows: DayRows): RawBuilder<unknown> {
  const { from, to } = extent({ periods, window: periods[0] ?? noDays }, {})
  const inReach = sql`(
    select person_id, day, ${rows.columns} from ${sql.table(rows.table)}
    where tenant_id = ${tenantId} and day >= ${from}::date and day < ${to}::date and ${rows.where}) as reached`
  return filter === null ? sql`select * from ${inReach}` : rowsOfCohort(tenantId, inReach)
}

const noDays = { from: '0001-01-01', to: '0001-01-01' }

/** How such rows are put in their periods. */
interface Placing {
  /** The position of the period, from 1, its first day and the day after its last. */
  readonly ordinal: RawBuilder<number>
  readonly starts: RawBuilder<string>
  readonly ends: RawBuilder<string>
  /** What follows the rows in a `from`: each is then there once for every period that has its day. */
  readonly join: RawBuilder<unknown>
  /** What tells learners of periods apart. */
  readonly keys: readonly RawBuilder<unknown>[]
}

/** Of one period, whose rows all are, the days are told and not joined: that takes a third off. */
export function placing({ periods }: Pick<Request, 'periods'>): Placing {
  const [only] = periods.length === 1 ? periods : []
  const person = sql`person_id`
  if (only === undefined) {
    const [ordinal, starts, ends] = [sql<number>`ordinal`, sql<string>`starts`, sql<string>`ends`]
    return { ordinal, starts, ends, join: sql`join period_day using (day)`, keys: [ordinal, person] }
  }
  return {
    ordinal: sql`1::bigint`,
    starts: sql`${only.from}::date`,
    ends: sql`${only.to}::date`,
    join: sql``,
    keys: [person]
  }
}
