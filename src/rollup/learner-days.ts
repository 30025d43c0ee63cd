import type { Kysely, SelectQueryBuilder } from 'kysely'
import type { Database, LearnerDayCounts } from '../database/schema.js'

/** Where the counts of learner-days are taken from. */
export interface LearnerDaysRequest {
  readonly tenantId: number
  /** `rollup` reads `learner_day`, which lags by the queue; `events` counts the events anew, which is exact at once. */
  readonly source: 'rollup' | 'events'
  /** IANA zone that local days are cut in; `rollup` is right only for the tenant's own. */
  readonly timeZone: string
  /** First local day, `YYYY-MM-DD`. */
  readonly from: string
  /** The local day after the last. */
  readonly to: string
  /** The instant that decides which events still lie in the future. */
  readonly asOf: Date
}

/** One row per person and local day; `person_id` is null for an agent that belongs to no person yet. */
export interface LearnerDay extends LearnerDayCounts {
  person_id: number | null
  day: string
}

/** A query for the learner-days of a window, to be used as a common table expression. */
export type LearnerDays = SelectQueryBuilder<Database, never, LearnerDay>

export declare function learnerDays(db: Kysely<Database>, request: LearnerDaysRequest): LearnerDays
