import type { ConfidenceInterval } from '../metrics/cell.js'
import { type RatioSums, ratioInterval, wilson } from '../metrics/interval.js'
import type { Metric } from '../metrics/metric.js'

/**
 * The 95 % interval of Σx ÷ Σy over several periods, with learners as the sampling unit: the weeks of one learner are
 * alike, and five weeks of 20 people are not 100 people.
 *
 * Of a ratio it is the t interval of the linearised ratio. Of a proportion it is Wilson's with the effective sample
 * size: of as many independent observations as would give the variance that the learners show. That is never more than
 * there are observations, and where they show no variance at all it is the number of learners. Null of no learners, and
 * of a ratio of one.
 *
 * @example Five learners over four weeks each: 4, 4, 2, 1 and 0 of them. p = 11 ÷ 20; variance 5 ÷ 4 · 12.8 ÷ 400 = 0.04;
 * effective size 0.2475 ÷ 0.04 = 6.1875
 * pooledInterval('proportion', { n: 5, sumX: 11, sumY: 20, sumXX: 37, sumXY: 44, sumYY: 80 }) // { low: 0.2224, high: 0.8393, … }
 *
 * @see Korn, E. L. and Graubard, B. I. (1998), "Confidence intervals for proportions with small expected number of
 * positive counts estimated from survey data"
 */
export function pooledInterval(calculation: Metric['calculation'], sums: RatioSums): ConfidenceInterval | null {
  const { sumX, sumY } = sums
  if (sumY === 0) return null
  if (calculation !== 'proportion') return ratioInterval(sums)
  const p = sumX / sumY
  const size = effectiveSize(sums)
  return wilson(p * size, size)
}

function effectiveSize({ n, sumX, sumY, sumXX, sumXY, sumYY }: RatioSums): number {
  const p = sumX / sumY
  const residuals = sumXX - 2 * p * sumXY + p ** 2 * sumYY
  // What the rounding of n summands may leave of them is no variance.
  if (n < 2 || residuals <= n * Number.EPSILON * (sumXX + p ** 2 * sumYY)) return n
  const variance = ((n / (n - 1)) * residuals) / sumY ** 2
  return Math.min(sumY, (p * (1 - p)) / variance)
}
