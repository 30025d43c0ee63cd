/** Stands in the place of a column where a row itself is missing, or is one too many. */
export const wholeRow = '(row)'

/** The tables that are derived of persons. */
export type DerivedTable =
  | 'learner_day'
  | 'learner_weeks'
  | 'learner_time'
  | 'learner_categories'
  | 'learner_activity'
  | 'learner_begun'
  | 'learner_step'
  | 'learner_attempt'

/** A value of a derived table that is not what it ought to be. */
export interface Difference {
  readonly table: DerivedTable | 'learning_event' | 'person_agent'
  /** The row's key without the tenant. */
  readonly key: Readonly<Record<string, string | number>>
  /** `(row)` where the row itself is missing, or is one too many. */
  readonly column: string
  /** As text; null for what is not there. */
  readonly stored: string | null
  readonly recomputed: string | null
}

/** Hears of differences as they are found; `pending` are those that work which is still to be done explains. */
export interface Findings {
  readonly onDifference: (difference: Difference) => void
  readonly onPending: (count: number) => void
}
