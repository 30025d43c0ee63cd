import type { UnknownValue } from '../people/unknown-values.js'
import type { OpenDerivation } from './consistency.js'

/** What the learners of one cell add up to. */
export interface CellSum {
  /** Position of the period asked for, from 0. */
  readonly period: number
  /** The values of the dimensions asked for, in their order; null where the roster has none. */
  readonly dimensions: readonly (string | null)[]
  /** |P|: the target population. */
  readonly population: number
  /** The learners who add to the denominator. */
  readonly n: number
  readonly sumX: number
  readonly sumY: number
  /** Sums of squares and products, of a ratio. */
  readonly sumXX: number
  readonly sumXY: number
  readonly sumYY: number
  /** A count's denominator; null where it has none. */
  readonly per: number | null
  /** Learners left out because it can't be known yet whether they count. */
  readonly immature: number
  readonly details: Readonly<Record<string, unknown>> | null
}

/** What the database said, all of one snapshot. */
export interface Measurement extends Snapshot {
  /** At least one for each period, in the order of periods and dimensions. */
  readonly cells: readonly CellSum[]
}

/** What is true of the moment at which something was counted. */
export interface Snapshot {
  /** Null where the answer may not speak of everyone. */
  readonly excluded: Excluded | null
  /** What was asked for and no roster row, of any time, names. */
  readonly unknown: readonly UnknownValue[]
  /** ISO instant of the oldest work that the rollups still wait for; null when there is none. */
  readonly oldestDue: string | null
  /** What is being derived anew, of the same snapshot. */
  readonly derivation: OpenDerivation | null
  /** How many pieces of work failed so often that the rollups wait for them in vain. */
  readonly parkedRows: number
  /** What tells the data that were counted; null where nothing does. */
  readonly version: number | null
}

/** Events of the tenant's window that no metric counts. */
export interface Excluded {
  /** Voided, whichever of the two statements came first. */
  readonly voided: number
  /** Done by an actor that the roster does not name. */
  readonly unresolvedActor: number
  /** Dated more than five minutes after now. */
  readonly future: number
}
