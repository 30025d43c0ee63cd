/** The value of one learner of a cohort. `null` means that there is none, which is not 0. */
export interface Valued<Key = string> {
  readonly key: Key
  readonly value: number | null
}

/** The fewest learners with a value among whom one can be placed: of fewer, a mean and a spread say nothing. */
export const smallestCohort = 5

/**
 * Why a normalised value is null: the learner has no value, fewer than five learners of the cohort have one, or they
 * all have the same.
 */
export type NormaliseNullReason = 'missing' | 'cohort_too_small' | 'zero_variance'

/** A learner's value and where it lies in the cohort; `nullReason` says why `normalised` is null, and is else null. */
export interface Normalised<Key = string> extends Valued<Key> {
  readonly normalised: number | null
  readonly nullReason: NormaliseNullReason | null
}

/** Whether there is a value; what is not finite is none. */
export function isPresent(value: number | null): value is number {
  return value !== null && Number.isFinite(value)
}

/**
 * The values that are there, smallest first.
 *
 * Everything that is summed is summed in this order, so that a rebuild gives the same bits however rows came.
 */
export function sortedValues(values: readonly Valued<unknown>[]): Float64Array {
  return new Float64Array(values.map(({ value }) => value).filter(isPresent)).sort()
}

/**
 * A sum that keeps what each addition rounds off.
 *
 * 0 for no terms. The result still depends on the order in the last bit: give the terms in a fixed one.
 *
 * @see Neumaier, A. (1974), "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen"
 */
export function sumOf(terms: Iterable<number>): number {
  let sum = 0
  let lost = 0
  for (const term of terms) {
    const next = sum + term
    lost += Math.abs(sum) >= Math.abs(term) ? sum - next + term : term - next + sum
    sum = next
  }
  return sum + lost
}

/** The mean of values in a fixed order, in their unit; null of none. */
export function meanOf(sorted: Float64Array): number | null {
  const [smallest] = sorted
  if (smallest === undefined) return null
  // Three times 0.1 add up to a little more than 0.3; the mean of equals is what they all are.
  return smallest === sorted.at(-1) ? smallest : sumOf(sorted) / sorted.length
}

/** The sample standard deviation (÷ n − 1) of values in a fixed order, in their unit; null of fewer than two. */
export function sampleSd(sorted: Float64Array): number | null {
  const mean = meanOf(sorted)
  if (mean === null || sorted.length < 2) return null
  // Exactly 0 where all are equal; else the mean's last bit would leave a spread that isn't there.
  if (sorted[0] === sorted.at(-1)) return 0
  return Math.sqrt(sumOf(sorted.map(value => (value - mean) ** 2)) / (sorted.length - 1))
}

/**
 * Whether a spread is no more than rounding leaves of values that are equal on paper, as 0.1 + 0.2 and 0.3 are.
 *
 * Without it, a cohort of equals would get z-scores of ±1.8 out of their 17th digits.
 */
export function isRounding(spread: number, sorted: Float64Array): boolean {
  const largest = Math.max(Math.abs(sorted[0] ?? 0), Math.abs(sorted.at(-1) ?? 0))
  return spread <= 1e-12 * largest
}
