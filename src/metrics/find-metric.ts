import { LrsError } from '../errors.js'
import { catalogue } from './catalogue.js'
import type { Metric } from './metric.js'

/**
 * The metric with an id.
 *
 * @throws {LrsError} `not-found`, with the ids that there are
 */
export function findMetric(id: string): Metric {
  const found = catalogue.find(metric => metric.id === id)
  if (found !== undefined) return found
  throw new LrsError('not-found', `There is no metric "${id}"; there are ${catalogue.map(({ id }) => id).join(', ')}`)
}
