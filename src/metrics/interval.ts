import type { ConfidenceInterval } from './metric.js'

/** The 97.5 % point of the standard normal distribution: two-sided 95 %. */
const z = 1.959963984540054

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
export function wilson(successes: number, n: number): ConfidenceInterval | null {
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
