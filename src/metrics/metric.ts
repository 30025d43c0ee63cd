import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import type { CohortFilter } from '../people/cohort-filter.js'
import type { UnknownValue } from '../people/unknown-values.js'
import type { FilterParameter, Membership } from './cohort-query.js'
import type { OpenDerivation, Source } from './consistency.js'
import type { Interval, Period } from './window.js'

/** One option of a metric: the values that it may take and the one it takes when nobody says. */
export interface MetricOption<Value extends string | number = string | number> {
  readonly description: string
  readonly values: readonly Value[]
  readonly default: Value
}

/** The options of a metric, resolved. */
export type MetricOptions = Readonly<Record<string, string | number>>

/**
 * A metric: what it means, in words and as data, and how its learners are counted.
 *
 * One metric is one file here, one line in the catalogue, one test and one page of the reference, all of its `id`.
 */
export interface Metric<Options extends MetricOptions = MetricOptions> {
  /** The last part of its address, for example `active-users`. */
  readonly id: string
  readonly name: string
  /** The question it answers, as a learning leader would put it. */
  readonly question: string
  /** Numerator ÷ denominator, in one sentence. */
  readonly definition: string
  /** `proportion`: 0 to 1. */
  readonly unit: 'proportion'
  /** Whether it moves before the outcomes do, or with them. */
  readonly indicator: 'leading' | 'lagging'
  /** What a pilot must reach in a window of `perDays` days. */
  readonly thresholds: { readonly minimum: number; readonly success: number; readonly perDays: number }
  /** Raised whenever the same data would give another number. */
  readonly definitionVersion: number
  readonly options: { readonly [Name in keyof Options]: MetricOption<Options[Name]> }
  /** By how many days the default window ends before today, so that its answer can be known. */
  lagDays(options: Options): number
  /** Counts every period in one round trip; it only reads. */
  measure(db: Kysely<Database>, request: MeasureRequest<Options>): Promise<Measurement>
}

/** What a metric needs to know to count. */
export interface MeasureRequest<Options extends MetricOptions = MetricOptions> {
  readonly tenantId: number
  readonly timeZone: string
  readonly source: Source
  /** Periods in local days; they may overlap, and each is a window of its own. */
  readonly periods: readonly Pick<Period, 'from' | 'to'>[]
  /** The window, in local days, in which excluded events are counted. */
  readonly window: { readonly from: string; readonly to: string }
  /** Only learners for whom this holds; null for everyone on the roster. */
  readonly filter: CohortFilter | null
  /** The moment as of which it is asked. */
  readonly membership: Membership
  /** The local day that `asOf` falls in; it is not complete yet. */
  readonly today: string
  readonly asOf: Date
  readonly options: Options
}

/** The counts of one period, in learners. */
export interface PeriodCount {
  readonly numerator: number
  readonly denominator: number
  /** |P|: the target population. */
  readonly population: number
  /** Active learners left out because it can't be known yet whether they count. */
  readonly immature: number
}

/** What the database said, one count per period asked for, all from one snapshot. */
export interface Measurement {
  readonly counts: readonly PeriodCount[]
  readonly excluded: Excluded | null
  /** What was asked for and no roster row, of any time, names. */
  readonly unknown: readonly UnknownValue[]
  /** ISO instant of the oldest work that the rollups still wait for; null when there is none. */
  readonly oldestDue: string | null
  /** What is being derived anew, of the same snapshot. */
  readonly derivation: OpenDerivation | null
  /** How many pieces of work failed so often that the rollups wait for them in vain. */
  readonly parkedRows: number
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

export type NullReason = 'empty_denominator' | 'small_group' | 'period_not_started'

/** One number with all that is needed to judge it; see `docs/reference/metrics/README.md`. */
export interface Cell {
  /** Local days, half-open: `to` is the day after the last. */
  readonly period: { readonly from: string; readonly to: string }
  readonly dimensions: Readonly<Record<string, string>>
  readonly value: number | null
  readonly numerator: number | null
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
}

export interface ConfidenceInterval {
  readonly low: number
  readonly high: number
  readonly method: 'wilson'
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
  readonly message: string
}

/** A metric's answer: a cell per period, and everything that is needed to ask for the same again. */
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
  readonly excluded: Excluded | null
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
  /** The values asked for of other attributes. */
  readonly filters: Readonly<Partial<Record<FilterParameter, readonly string[]>>>
  readonly membership: Membership
  readonly options: MetricOptions
  readonly compare: 'previous' | null
  readonly minGroupSize: number
  readonly consistency: 'eventual' | 'strong'
}
