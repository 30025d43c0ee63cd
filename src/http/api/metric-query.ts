import { rosterMemoryOf } from '../../metrics/disclosure/roster-memory.js'
import type { Metric, MetricOptions } from '../../metrics/metric.js'
import type { MetricAsker, MetricQuery } from '../../metrics/resolve-query.js'
import type { HttpContext, Principal } from '../context.js'
import { reachOf, type Shown, seesNames } from '../reach.js'

/**
 * Who asks, when, and whom an answer may speak of. Who may not see these people by name must not learn of one from
 * groups that differ by few, and so it is remembered who is on the roster.
 *
 * @throws {LrsError} `forbidden` for who may see no one in this way
 */
export function askerOf(context: HttpContext, principal: Principal, shown: Shown): MetricAsker {
  const { tenantId, timeZone } = principal
  const within = reachOf(principal, shown).filter
  const { config, memory, now } = context
  const rosterMemory = seesNames(principal, shown) ? null : rosterMemoryOf(context.db)
  return { tenantId, timeZone, minGroupSize: config.minGroupSize, asOf: now(), within, memory, rosterMemory }
}

/**
 * Parts a metric's own options from the parameters that every metric knows. Where a route serves all metrics, its
 * options come as texts; the values that they may take say which are numbers.
 */
export function toMetricQuery(
  metric: Metric,
  parameters: Readonly<Record<string, unknown>>,
  known: readonly string[]
): MetricQuery {
  const entries = Object.entries(parameters)
  const options = entries
    .filter(([name]) => !known.includes(name))
    .map(([name, value]) => {
      const values = metric.options[name]?.values ?? []
      return [name, values.find(one => String(one) === String(value)) ?? value] as const
    })
  return {
    ...Object.fromEntries(entries.filter(([name]) => known.includes(name))),
    options: Object.fromEntries(options) as MetricOptions
  }
}
