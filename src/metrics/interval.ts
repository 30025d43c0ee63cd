import betaQuantile from '@stdlib/stats-base-dists-beta-quantile'
import tQuantile from '@stdlib/stats-base-dists-t-quantile'

/** The 97.5 % point of the standard normal distribution: two-sided 95 %. */
const z = 1.959963984540054

/** What a two-sided 95 % interval leaves out at each end. */
const tail = 0.025

/** A 95 % confidence interval, and the method by which it was had. Its bounds have the unit of the value. */
export interface IntervalBy<Method extends string> {
  readonly low: number
  readonly high: number
  readonly method: Method
}

/** `successes` of `n`, both in the same unit (learners). */
export interface Proportion {
  readonly successes: number
  readonly n: number
}

/** What is known of `n` learners of whom each adds x to a numerator and y to a denominator; y is never negative. */
export interface RatioSums {
  readonly n: number
  readonly sumX: number
  readonly sumY: number
  readonly sumXX: number
  readonly sumXY: number
  readonly sumYY: number
}

/**
 * Wilson's 95 % confidence interval for a proportion.
 *
 * Numerator: `successes`. Denominator: `n`, in the same unit (learners). Unlike the textbook's p ± z·se it stays
 * within 0..1 and has a width at p = 0 and p = 1. Null when n = 0: nothing is known of a proportion of nothing.
 *
 * @example 4 of 10
 * wilson(4, 10) // { low: 0.1682, high: 0.6873, method: 'wilson' }
 *
 * @see Wilson, E. B. (1927), "Probable inference, the law of succession, and statistical inference"
 */
export function wilson(successes: number, n: number): IntervalBy<'wilson'> | null {
  if (n === 0) return null
  const p = successes / n
  const scale = 1 + z ** 2 / n
  const centre = p + z ** 2 / (2 * n)
  const halfWidth = z * Math.sqrt((p * (1 - p)) / n + z ** 2 / (4 * n ** 2))
  // Exactly 0 and 1 at the ends; without this, rounding leaves 1e-17 or 0.9999999999999999.
  const low = successes === 0 ? 0 : (centre - halfWidth) / scale
  const high = successes === n ? 1 : (centre + halfWidth) / scale
  return { low, high, method: 'wilson' }
}

/**
 * The 95 % t interval of a mean or of a ratio of sums, r = Σx ÷ Σy, with learners as the sampling unit.
 *
 * By linearisation: the residuals x − r·y add up to 0, and r's standard error is √(n · Σ(x − r·y)² ÷ (n − 1)) ÷ Σy,
 * with n − 1 degrees of freedom. Where every y is 1 this is the textbook's interval of a mean. It is symmetric around
 * r, in r's unit, and not cut to what r can be: few learners may give a low below 0. Its width is 0 when every learner
 * has the same ratio. Null when n < 2 or Σy = 0: one learner says nothing of how much learners differ.
 *
 * @example The mean of 2, 4, 4, 4, 5, 5, 7, 9
 * ratioInterval({ n: 8, sumX: 40, sumY: 8, sumXX: 232, sumXY: 40, sumYY: 8 }) // { low: 3.212, high: 6.788, method: 't' }
 *
 * @see Cochran, W. G. (1977), "Sampling techniques", 3rd edition, section 2.11
 */
export function ratioInterval(sums: RatioSums): IntervalBy<'t'> | null {
  const { n, sumX, sumY, sumXX, sumXY, sumYY } = sums
  if (n < 2 || sumY === 0) return null
  const r = sumX / sumY
  const residuals = sumXX - 2 * r * sumXY + r ** 2 * sumYY
  // The three terms nearly cancel where learners are alike. What the rounding of n summands may leave of them is no
  // variance; it may as well be negative.
  const rounding = n * Number.EPSILON * (sumXX + r ** 2 * sumYY)
  const squares = residuals <= rounding ? 0 : residuals
  const halfWidth = (tQuantile(1 - tail, n - 1) * Math.sqrt((n * squares) / (n - 1))) / sumY
  return { low: r - halfWidth, high: r + halfWidth, method: 't' }
}

/**
 * Newcombe's 95 % interval for the difference `a − b` of two independent proportions: the hybrid of Wilson's two.
 *
 * −1 to 1. The groups must not share learners. Null when either group is empty.
 *
 * @example 56 of 70 against 48 of 80
 * newcombe({ successes: 56, n: 70 }, { successes: 48, n: 80 }) // { low: 0.0524, high: 0.3339, method: 'newcombe' }
 *
 * @see Newcombe, R. G. (1998), "Interval estimation for the difference between independent proportions", method 10
 */
export function newcombe(a: Proportion, b: Proportion): IntervalBy<'newcombe'> | null {
  const ofA = wilson(a.successes, a.n)
  const ofB = wilson(b.successes, b.n)
  if (ofA === null || ofB === null) return null
  const pA = a.successes / a.n
  const pB = b.successes / b.n
  const below = Math.hypot(pA - ofA.low, ofB.high - pB)
  const above = Math.hypot(ofA.high - pA, pB - ofB.low)
  return { low: pA - pB - below, high: pA - pB + above, method: 'newcombe' }
}

/**
 * The 95 % percentile bootstrap interval of a median, as infinitely many resamples would give it.
 *
 * The m-th smallest of a resample is at most the k-th smallest value with the probability that n uniform numbers have
 * their m-th smallest below k ÷ n. That is a beta distribution, so the ends are values found by its quantile: no
 * random numbers, no seed, the same bits for every order of `values`, and two people who compute it agree. Of an even
 * number the lower of the two middle values gives the low end and the upper one the high end. In the values' unit.
 * Null for fewer than 6 values: not even the smallest and the largest of 5 have the median between them in 95 %.
 *
 * @example The third and the ninth of eleven
 * medianInterval([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) // { low: 3, high: 9, method: 'bootstrap' }
 *
 * @see Efron, B. (1979), "Bootstrap methods: another look at the jackknife", section 3
 */
export function medianInterval(values: readonly number[]): IntervalBy<'bootstrap'> | null {
  const n = values.length
  if (n < 6) return null
  const sorted = Float64Array.from(values).sort()
  const middle = Math.ceil(n / 2)
  const position = Math.ceil(n * betaQuantile(tail, middle, n - middle + 1))
  const low = sorted.at(position - 1)
  const high = sorted.at(n - position)
  return low === undefined || high === undefined ? null : { low, high, method: 'bootstrap' }
}
