import type { GivenAttributes } from './attributes.js'

/** A person as the roster knows them from a day on. What is absent stays as it was known. */
export interface PersonRecord extends GivenAttributes {
  /** The tenant's own name for the person, such as a staff number. */
  readonly personId: string
  /** For people to read; it has no history. Null clears it. */
  readonly name?: string | null
  /** The agents that the person acts under, in the form of `ifiOf`; those known before stay. */
  readonly agents: readonly string[]
  /** First local day, `YYYY-MM-DD`, for which the record holds. */
  readonly validFrom?: string
}

/** A record with the number of its person. */
export interface NumberedRecord {
  readonly record: PersonRecord
  /** The record's position in the request. */
  readonly index: number
  readonly id: number
  /** The name before this request. */
  readonly name: string | null
  readonly created: boolean
}
