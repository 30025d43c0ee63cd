/** A query that is done. */
export interface QueryDone {
  /** Its text, with `$1` and the like for the values. */
  readonly sql: string
  readonly durationMs: number
  readonly hasFailed: boolean
}
