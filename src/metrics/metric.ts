import type { RawBuilder } from 'kysely'
import type { LearningEventKind } from '../database/schema.js'
import type { CohortFilter } from '../people/cohort-filter.js'
import type { AnswerMemory } from './answer-memory.js'
import type { Membership } from './cohort-query.js'
import type { Source } from './consistency.js'
import type { DeedDimension, Dimension } from './dimension.js'
import type { Unit } from './unit.js'
import type { Period } from './window.js'

/** One option of a metric: the values that it may take and the one it takes when nobody says. */
export interface MetricOption<Value extends string | number = string | number> {
  readonly description: string
  readonly values: readonly Value[]
  readonly default: Value
}

/** The options of a metric, resolved. */
export type MetricOptions = Readonly<Record<string, string | number>>

/**
 * A metric: what it means, in words and as data, and what each learner adds to it.
 *
 * Every metric is Σx ÷ Σy over learners: x is what a learner adds to the numerator in a period, y what they add to the
 * denominator, and x ÷ y is the learner's own value. One metric is one file here, one line in the catalogue, one test
 * and one page of the reference, all of its `id`.
 */
export interface Metric<Options extends MetricOptions = MetricOptions> {
  /** The last part of its address, for example `active-users`. */
  readonly id: string
  readonly name: string
  /** The question it answers, as a learning leader would put it. */
  readonly question: string
  /** Numerator ÷ denominator, in one sentence. */
  readonly definition: string
  readonly unit: Unit
  /**
   * How the value and its interval come from the learners' x and y. `proportion`: both are 0 or 1, and the interval is
   * Wilson's. `ratio`: of sums, with the t interval of the linearised ratio. `count`: a sum of x, over something that the
   * period has (days, weeks) or over nothing, without an interval.
   */
  readonly calculation: 'proportion' | 'ratio' | 'count'
  /** Whether it moves before the outcomes do, or with them. */
  readonly indicator: 'leading' | 'lagging'
  /** What a pilot must reach in a window of `perDays` days; null where the sources name none. */
  readonly thresholds: Thresholds | null
  /** Raised whenever the same data would give another number. */
  readonly definitionVersion: number
  readonly options: { readonly [Name in keyof Options]: MetricOption<Options[Name]> }
  /** By how many days the default window ends before today, so that its answer can be known. */
  lagDays(options: Options): number
  /**
   * The dimensions of deeds that it may be broken down by, beside those of the roster. Only for a proportion of |P| whose
   * x is 1 for who has a deed; its `deeds` then have the columns of these dimensions.
   */
  readonly deedDimensions?: readonly DeedDimension[]
  /** What counts, as SQL for the request. */
  counting(request: MeasureRequest<Options>): Counting
  /** The learning events that a numerator rests on. */
  evidence(options: Options): Evidence
}

/** What a pilot must reach. */
export interface Thresholds {
  readonly minimum: number
  readonly success: number
  readonly perDays: number
}

/** The events behind a numerator: of these kinds, done by the learner, or by somebody else about them. */
export interface Evidence {
  readonly kinds: readonly LearningEventKind[]
  readonly side: 'doer' | 'subject'
}

/** How a metric counts the learners of one period. */
export interface Counting {
  /** How many days after its end a period still looks at. */
  readonly reachDays?: number
  /** How many days before its beginning it looks at. */
  readonly backDays?: number
  /**
   * A query for what learners did, with `person_id`, `day` and whatever the metric needs; those outside the periods are
   * dropped. Most are made from the common table expression `population_day`: learner-days, without those that can be
   * no one's in P.
   */
  readonly deeds: RawBuilder<unknown>
  /**
   * Set where `deeds` have, in place of a day of the period, the `ordinal` of the period that they count for. They may
   * then lie before it, and count whether or not the learner belonged to P on their day.
   */
  readonly isDeedOfPeriod?: true
  /**
   * What a learner's deeds are first put together by, such as each activity, for metrics that need one thing of each:
   * `perLearner` is then over the rows of these.
   */
  readonly parts?: Parts
  /** Aggregates, with their names, over one learner's deeds on the days of a period that count; empty for none. */
  readonly perLearner: readonly RawBuilder<unknown>[]
  /** How the same is read from `learner_weeks`, which is quicker by far; absent where these don't hold it. */
  readonly fromWeeks?: FromWeeks
  /**
   * A query for the aggregates of `perLearner` under the same names, with `ordinal` and `person_id`, which is quicker
   * than the deeds and taken in their stead. Absent where there is none, as with `at_event`, whose days it can't cut.
   */
  readonly learners?: RawBuilder<unknown>
  /** Facts about the learner from the row of the roster that places them in P, by their names. */
  readonly flags?: Readonly<Record<string, RawBuilder<boolean>>>
  /** Whether these are over `person` as well. */
  readonly flagsReadPerson?: true
  /**
   * What a learner of P adds to the numerator and to the denominator, over `learner` (the aggregates above, all null for
   * those without deeds), the flags, and `period` with its first day `starts` and the day after its last, `ends`. A
   * learner whose y is 0 or null is left out. Integers whose product a bigint holds, or numeric, so that no order of
   * summing changes them.
   */
  readonly x: RawBuilder<number>
  readonly y: RawBuilder<number>
  /** A count's denominator, over `period`, such as its days; null or absent where the count is the value. */
  readonly per?: RawBuilder<number | null>
  /** Whether it can't be known yet if the learner counts. */
  readonly isImmature?: RawBuilder<boolean>
  /**
   * What else is worth knowing about a cell, by names: aggregates over its learners' `share.x`, `share.y` and, by
   * `extra`, whatever else of a learner they need.
   */
  readonly details?: Readonly<Record<string, RawBuilder<unknown>>>
  /** More columns of `share`, by their names, over the same rows as x and y. */
  readonly extra?: Readonly<Record<string, RawBuilder<unknown>>>
  /**
   * For a count of what a group does as a whole, such as the days on which fewer came, which no sum over its learners
   * tells: a query over `share`, `deed` and `period` for `x`, `y` (the value is x ÷ y) and `details` of each cell. Its
   * x, y and details take the place of the learners' own sums, of `per` and of `details`.
   *
   * @param cell the columns that name a cell, in `share` and in what the query gives: `ordinal` and the dimensions.
   */
  ofCells?(cell: readonly RawBuilder<unknown>[]): RawBuilder<unknown>
}

/** Tables of what learners did in seven weeks, a row for each learner and these. */
export type WeeksTable = 'learner_weeks' | 'learner_time' | 'learner_categories'

/** How a metric is read from rows of seven weeks, as of the learner-days. */
export interface FromWeeks {
  /** Which rows; those of `learner_weeks` when absent. */
  readonly table?: WeeksTable
  /** SQL over a row `weeks` for the set of the days on which the learner has a deed. */
  readonly days: RawBuilder<number>
  /**
   * What of a row is needed, with its names, in place of all its columns: what takes long to tell from the `days` is then
   * told once. Sets of values make a row for each.
   */
  readonly columns?: readonly RawBuilder<unknown>[]
  /** The aggregates of `parts` under the same names, over rows of these columns. */
  readonly rowParts?: Parts
  /**
   * The aggregates of `perLearner` under the same names, over a learner's rows that have such a day. Their `days` are cut
   * to those that count; they have `starts` and `ends` of the period, and `unit`, the position of the part.
   */
  readonly perLearner: readonly RawBuilder<unknown>[]
  /** The parts of a period, half-open, that count; all of it when absent. A row is there once for each that it reaches. */
  parts?(period: Pick<Period, 'from' | 'to'>): readonly Pick<Period, 'from' | 'to'>[]
  /** Whether rows need `next_active`, the learner's active days of the seven weeks after. */
  readonly seesNext?: true
}

/** A learner's deeds on the days of a period that count, put together by a column or several. */
export interface Parts {
  readonly by: readonly RawBuilder<unknown>[]
  /** Aggregates, with their names, over the deeds of one part. */
  readonly aggregates: readonly RawBuilder<unknown>[]
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
  /** What the learners are told apart by. */
  readonly breakdown: readonly (Dimension | DeedDimension)[]
  /** IRI of the only module whose events count; null for all. */
  readonly module: string | null
  /** The local day that `asOf` falls in; it is not complete yet. */
  readonly today: string
  readonly asOf: Date
  readonly options: Options
  /** Where what was counted is remembered; nowhere when it is left out. */
  readonly memory?: AnswerMemory | undefined
}
