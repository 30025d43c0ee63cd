import type { FilterParameter, Membership } from './cohort-query.js'
import type { DeedDimension, Dimension } from './dimension.js'
import type { Excluded } from './measurement.js'
import type { MetricOptions } from './metric.js'
import type { Interval } from './window.js'

export type NullReason = 'empty_denominator' | 'small_group' | 'period_not_started'

/** One number with all that is needed to judge it; see `docs/reference/metrics/README.md`. */
export interface Cell {
  /** Local days, half-open: `to` is the day after the last. */
  readonly period: { readonly from: string; readonly to: string }
  /** The values of what the answer is broken down by; null where the roster has none. */
  readonly dimensions: Readonly<Record<string, string | null>>
  readonly value: number | null
  readonly numerator: number | null
  /** Null also where a count stands for itself. */
  readonly denominator: number | null
  /** How many learners the value rests on. */
  readonly n: number | null
  /** The 95 % confidence interval. */
  readonly ci: ConfidenceInterval | null
  /** The value of the previous period, when it was asked for and can be shown. */
  readonly previous: number | null
  /** `value - previous`. */
  readonly change: number | null
  /** The period was clipped by the window, or is not over yet. */
  readonly partial: boolean
  /** Hidden, because it would speak of too few people. */
  readonly suppressed: boolean
  /** Why `value` is null; null when it is not. */
  readonly nullReason: NullReason | null
  /** What else the metric says of the cell, such as a median; null when hidden or when it says nothing more. */
  readonly details: Readonly<Record<string, unknown>> | null
}

export interface ConfidenceInterval {
  readonly low: number
  readonly high: number
  /** How it was computed. */
  readonly method: 'wilson' | 't'
}

/** Something that the reader of an answer should know; `code` is stable, `message` is for people. */
export interface Warning {
  readonly code:
    | 'derivation_running'
    | 'unknown_cohort'
    | 'unknown_value'
    | 'empty_population'
    | 'immature_brackets'
    | 'parked_work'
    | 'leap_day'
  readonly message: string
}

/** A metric's answer: its cells, and everything that is needed to ask for the same again. */
export interface Answer {
  readonly metric: string
  readonly results: readonly Cell[]
  readonly meta: Meta
}

export interface Meta {
  readonly query: ResolvedQuery
  readonly definitionVersion: number
  /** The instant that the answer is about. */
  readonly asOf: string
  /** Every statement and every change of mapping or zone acknowledged before this instant is in the answer. */
  readonly consistentThrough: string
  readonly warnings: readonly Warning[]
  /** Null where the answer may not speak of everyone. */
  readonly excluded: Excluded | null
  /** Asks for the cells that follow; null when these are the last. */
  readonly nextCursor: string | null
}

/** The query as it was understood, defaults filled in. */
export interface ResolvedQuery {
  readonly metric: string
  /** First local day. */
  readonly fromDate: string
  /** The local day after the last. */
  readonly toDate: string
  /** The instant at which `fromDate` begins, with its offset. */
  readonly from: string
  /** The instant at which `toDate` begins, with its offset. */
  readonly to: string
  readonly timeZone: string
  readonly interval: Interval | null
  /** The cohorts as they came; null where none was asked for. */
  readonly cohort: string | null
  /** The values asked for of each other attribute. */
  readonly filters: Readonly<Partial<Record<FilterParameter, readonly string[]>>>
  readonly module: string | null
  readonly membership: Membership
  readonly breakdown: readonly (Dimension | DeedDimension)[]
  readonly options: MetricOptions
  readonly compare: Comparison | null
  readonly minGroupSize: number
  readonly consistency: 'eventual' | 'strong'
}

/** What a period is compared with: the one before it, or the same days of the year before. */
export type Comparison = 'previous' | 'year'
