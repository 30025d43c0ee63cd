import type { ConfidenceInterval } from '../cell.js'
import { wilson } from '../interval.js'

/** Why a share has no value. */
export type ShareNullReason = 'empty_denominator' | 'small_group' | 'period_not_started' | 'bracket_open'

/** A part of a group of learners, with all that is needed to judge it. */
export interface Share {
  /** numerator ÷ denominator, 0 to 1; null with a `nullReason`. */
  readonly value: number | null
  readonly numerator: number | null
  readonly denominator: number | null
  /** How many learners the value rests on. */
  readonly n: number | null
  /** Wilson's 95 % interval; null whenever `value` is. */
  readonly ci: ConfidenceInterval | null
  /** Hidden, because it would speak of too few people. */
  readonly suppressed: boolean
  readonly nullReason: ShareNullReason | null
}

/** Makes a share of two counts of learners; of nobody there is none. */
export function shareOf(numerator: number, denominator: number): Share {
  const isEmpty = denominator === 0
  return {
    value: isEmpty ? null : numerator / denominator,
    numerator,
    denominator,
    n: denominator,
    ci: wilson(numerator, denominator),
    suppressed: false,
    nullReason: isEmpty ? 'empty_denominator' : null
  }
}

/** A share that there is not, or not to be shown. */
export function noShare(nullReason: Exclude<ShareNullReason, 'empty_denominator'>): Share {
  const suppressed = nullReason === 'small_group'
  return { value: null, numerator: null, denominator: null, n: null, ci: null, suppressed, nullReason }
}

/** Whether a group is so small that it would speak of people who could be recognised; an empty one speaks of nobody. */
export function isSmall(size: number, minGroupSize: number): boolean {
  return size > 0 && size < minGroupSize
}
