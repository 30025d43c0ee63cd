import type { Kpi, Threshold, Thresholds } from './kpi-thresholds.js'

export interface PilotDefinition {
  readonly version: number
  readonly thresholds: Thresholds
  /** Before as many weeks nothing is decided. */
  readonly minimumWeeks: number
  /** With fewer learners nothing is decided. */
  readonly minimumLearners: number
  /** As many measures surely below their minimum end the pilot. */
  readonly failingForHalt: number
}

/** A measure as it was counted. */
export interface KpiValue {
  readonly value: number | null
  /** The 95 % interval; null where there is none. */
  readonly ci: { readonly low: number; readonly high: number } | null
}

/**
 * Where a measure stands.
 *
 * `failing`: even the interval's upper bound is below the minimum. `below_minimum`: the value is, the upper bound not.
 * `below_success`: from the minimum on. `uncertain`: the value has reached success, but the lower bound is below the
 * minimum or there is no interval. `success`: value and lower bound are where they should be. `unknown`: no value.
 */
export type KpiState = 'failing' | 'below_minimum' | 'below_success' | 'uncertain' | 'success' | 'unknown'

export interface JudgedKpi extends KpiValue, Threshold {
  readonly id: Kpi
  readonly state: KpiState
}

/** What is known of a pilot on the day on which it is judged. */
export interface PilotState {
  /** Complete weeks since it began. */
  readonly weeks: number
  /** |P|, the learners that it is meant for. */
  readonly n: number
  readonly kpis: Readonly<Record<Kpi, KpiValue>>
  /** Whether the numbers are not to be shown; absent for shown. */
  readonly isHidden?: boolean
}

export interface PilotDecision {
  readonly decision: 'scale' | 'iterate' | 'halt' | 'insufficient_data'
  /** Why, in plain English; with the measures that hold it back. */
  readonly sentence: string
  readonly kpis: readonly JudgedKpi[]
  /** The measures that stand in the way of `scale`, in their order. */
  readonly heldBackBy: readonly Kpi[]
  readonly definitionVersion: number
}
