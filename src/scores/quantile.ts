import { LrsError } from '../errors.js'

/**
 * The value below which the share `p` of the values lies, with linear interpolation between neighbours.
 *
 * The same as PostgreSQL's `percentile_cont`: position p · (n − 1), from 0, in the sorted values. In the values' unit;
 * null of no values.
 *
 * @param sorted smallest first
 * @param p 0 to 1
 * @throws LrsError `invalid-parameter` for any other p
 *
 * @example Half way between the second and the third
 * quantile(Float64Array.of(1, 2, 3, 10), 0.5) // 2.5
 *
 * @see Hyndman, R. J. and Fan, Y. (1996), "Sample quantiles in statistical packages", definition 7
 */
export function quantile(sorted: Float64Array, p: number): number | null {
  if (!(p >= 0 && p <= 1)) throw new LrsError('invalid-parameter', `A quantile (${p}) must be from 0 to 1`)
  const position = p * (sorted.length - 1)
  const below = sorted[Math.floor(position)]
  const above = sorted[Math.ceil(position)]
  if (below === undefined || above === undefined) return null
  return below + (position - Math.floor(position)) * (above - below)
}
