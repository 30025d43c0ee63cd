import { LrsError } from '../errors.js'
import { quantile } from './quantile.js'
import { meanOf, sampleSd, sortedValues, type Valued } from './values.js'

/** The percentiles that a benchmark has when none are asked for. */
export const defaultPercentiles = [10, 25, 50, 75, 90] as const

/** How the values of a cohort are spread, in their unit, with a `pNN` for each percentile that was asked for. */
export type Benchmark = Readonly<Record<`p${number}`, number | null>> & {
  /** How many learners have a value. */
  readonly n: number
  /** How many have none. */
  readonly missing: number
  /** Null when n = 0. */
  readonly mean: number | null
  /** The sample standard deviation; null when n < 2. */
  readonly sd: number | null
  /** Null when n = 0, as every percentile is. */
  readonly median: number | null
}

/**
 * What a cohort's values are like: n, mean, SD, median and percentiles, with missing values left out.
 *
 * Percentiles interpolate as PostgreSQL's `percentile_cont` does. The same bits for every order of `values`.
 *
 * @param percentiles 0 to 100, also broken ones: 97.5 gives `p97.5`
 * @throws LrsError `invalid-parameter` for any other percentile, with its position
 */
export function benchmark(
  values: readonly Valued<unknown>[],
  percentiles: readonly number[] = defaultPercentiles
): Benchmark {
  const sorted = sortedValues(values)
  const points = percentiles.map((percentile, position) => {
    checkPercentile(percentile, position)
    return [`p${percentile}`, quantile(sorted, percentile / 100)] as const
  })
  return {
    n: sorted.length,
    missing: values.length - sorted.length,
    mean: meanOf(sorted),
    sd: sampleSd(sorted),
    median: quantile(sorted, 0.5),
    ...Object.fromEntries(points)
  }
}

function checkPercentile(percentile: number, position: number): void {
  if (percentile >= 0 && percentile <= 100) return
  throw new LrsError('invalid-parameter', `A percentile (${percentile}) must be from 0 to 100`, {
    pointer: `/percentiles/${position}`
  })
}
