/** A person as the roster knows them. */
export interface PersonRecord {
  /** The tenant's own name for the person, such as a staff number. */
  readonly personId: string
  readonly name?: string
  /** The agents that the person acts under, in the form of `ifiOf`; those known before stay. */
  readonly agents: readonly string[]
  /** Named cohorts; when absent, those known before stay. */
  readonly cohorts?: readonly string[]
  /** First local day, `YYYY-MM-DD`, for which the record holds. */
  readonly validFrom?: string
}

/** A record with the number of its person. */
export interface NumberedRecord {
  readonly record: PersonRecord
  readonly id: number
  /** The name before this request. */
  readonly name: string | null
  readonly created: boolean
}
