import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import type { Snapshot } from '../metrics/measurement.js'
import type { MeasureRequest, MetricOptions } from '../metrics/metric.js'
import type { Period } from '../metrics/window.js'
import type { Coverage } from './composite.js'

/** What a score means, in words and as data. */
export interface ScoreDescription {
  /** The last part of its address, for example `leadership-index`. */
  readonly id: string
  readonly name: string
  /** The question it answers, as a learning leader would put it. */
  readonly question: string
  readonly definition: string
  /** What its values are in. */
  readonly unit: string
  /** What it is made of: ids of metrics, or parts of its own. */
  readonly components: readonly string[]
  /** How many local days a window has when nobody says. */
  readonly windowDays: number
  /** Whether its window is always that long, so that only the end may be chosen. */
  readonly hasFixedWindow: boolean
  /** The definition of version 1. */
  readonly standard: object
  /**
   * A whole definition from a part of one.
   *
   * @throws LrsError `invalid-parameter` with a pointer to what can't be meant
   */
  parse(input: unknown): object
}

/** A score of single learners. */
export interface LearnerScore extends ScoreDescription {
  /** Whom a learner is compared with when nobody says: those of the same role, or all who are asked for. */
  readonly comparedBy: 'role' | 'none'
  /**
   * Reads the scores of all learners of some windows; for each window a list in the order of groups.
   *
   * @param db on one snapshot, because it is asked several times
   * @param definition as `parse` takes it
   */
  read(db: Kysely<Database>, request: ScoreRequest, definition: unknown): Promise<ScoresRead>
}

/** Whose scores are wanted, and of when. */
export interface ScoreRequest extends Omit<MeasureRequest<MetricOptions>, 'options' | 'periods'> {
  readonly windows: readonly ScoreWindow[]
  /** Whether learners are compared only with those who share the first dimension of the breakdown. */
  readonly isGrouped: boolean
}

/** Local days, half-open. */
export type ScoreWindow = Pick<Period, 'from' | 'to'>

export interface ScoresRead {
  readonly windows: readonly (readonly ScoredLearner[])[]
  readonly snapshot: Snapshot
}

/** A learner's score with everything that it is made of. */
export interface ScoredLearner {
  readonly personId: string
  readonly name: string | null
  /** The values of the breakdown; null where the roster has none. */
  readonly dimensions: readonly (string | null)[]
  /** What the learners compared have in common; null where the roster has none, or all are compared. */
  readonly group: string | null
  readonly value: number | boolean | null
  /** Why `value` is null. */
  readonly nullReason: string | null
  readonly components: readonly ScoreComponent[]
  /** Null where a score has none. */
  readonly coverage: Coverage | null
  readonly details: Readonly<Record<string, unknown>> | null
}

/** A part of a learner's score; scores add what else they know of it. */
export interface ScoreComponent {
  readonly id: string
  /** In its own unit. */
  readonly raw: number | null
  /** On the scale on which learners are compared. */
  readonly normalised: number | null
  readonly isMissing: boolean
}
