import { quantile } from './quantile.js'
import {
  isPresent,
  isRounding,
  meanOf,
  type Normalised,
  type NormaliseNullReason,
  sampleSd,
  smallestCohort,
  sortedValues,
  type Valued
} from './values.js'

/** Makes a median absolute deviation comparable with a standard deviation: the normal distribution's 75 % point. */
const normalMad = 0.6745

/** What all values of a cohort are measured by, or why they can't be. */
type Yardstick =
  | { readonly centre: number; readonly unit: number }
  | { readonly nullReason: Exclude<NormaliseNullReason, 'missing'> }

/**
 * How many sample standard deviations each learner's value lies from the mean of the cohort: (x − mean) ÷ SD.
 *
 * The learners given are the cohort; those without a value are left out of mean and SD and come back with null
 * (`missing`). Null for all when fewer than five have a value (`cohort_too_small`) or all have the same
 * (`zero_variance`). Same order as given. Not clipped.
 *
 * @example Mean 3, SD 1.5811
 * zScores([1, 2, 3, 4, 5].map(value => ({ key: `p${value}`, value }))).map(({ normalised }) => normalised)
 * // [-1.2649, -0.6325, 0, 0.6325, 1.2649]
 */
export function zScores<Key>(values: readonly Valued<Key>[]): readonly Normalised<Key>[] {
  const sorted = sortedValues(values)
  return measure(values, yardstick(sorted, meanOf(sorted), sampleSd(sorted)))
}

/**
 * The z-score that a few extreme values don't move: 0.6745 (x − median) ÷ MAD, the median absolute deviation.
 *
 * As `zScores`; `zero_variance` when the MAD is 0, which it is as soon as more than half have the same value.
 *
 * @see Iglewicz, B. and Hoaglin, D. C. (1993), "How to detect and handle outliers"
 */
export function robustZ<Key>(values: readonly Valued<Key>[]): readonly Normalised<Key>[] {
  const sorted = sortedValues(values)
  const median = quantile(sorted, 0.5)
  const deviations = sorted.map(value => Math.abs(value - (median ?? 0))).sort()
  const mad = quantile(deviations, 0.5)
  const unit = mad === null || isRounding(mad, sorted) ? 0 : mad / normalMad
  return measure(values, yardstick(sorted, median, unit))
}

function yardstick(sorted: Float64Array, centre: number | null, unit: number | null): Yardstick {
  if (centre === null || unit === null || sorted.length < smallestCohort) return { nullReason: 'cohort_too_small' }
  return isRounding(unit, sorted) ? { nullReason: 'zero_variance' } : { centre, unit }
}

function measure<Key>(values: readonly Valued<Key>[], by: Yardstick): readonly Normalised<Key>[] {
  return values.map(({ key, value }) => {
    if (!isPresent(value)) return { key, value: null, normalised: null, nullReason: 'missing' }
    if ('nullReason' in by) return { key, value, normalised: null, nullReason: by.nullReason }
    return { key, value, normalised: (value - by.centre) / by.unit, nullReason: null }
  })
}
