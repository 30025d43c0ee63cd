import { isPresent, sumOf } from './values.js'

/**
 * By how much a series rises per period: the slope of the straight line with the least squares through its values.
 *
 * In the values' unit per period. Periods without a value are left out and keep their place. Null for fewer than
 * `least` values, or fewer than two.
 *
 * @param series one value per period, the oldest first
 */
export function slopeOf(series: readonly (number | null)[], least: number): number | null {
  const points = series.flatMap((value, at) => (isPresent(value) ? { at, value } : []))
  if (points.length < Math.max(2, least)) return null
  const meanAt = sumOf(points.map(({ at }) => at)) / points.length
  const meanValue = sumOf(points.map(({ value }) => value)) / points.length
  const rise = sumOf(points.map(({ at, value }) => (at - meanAt) * (value - meanValue)))
  const slope = rise / sumOf(points.map(({ at }) => (at - meanAt) ** 2))
  // A level series must not rise by the last bit of its mean.
  const largest = Math.max(...points.map(({ value }) => Math.abs(value)))
  return Math.abs(slope) <= 1e-12 * largest ? 0 : slope
}
