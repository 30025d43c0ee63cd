import type { Metric, MetricOptions } from './metric.js'

/** The options of a metric when nobody says. */
export function defaultOptions({ options }: Pick<Metric, 'options'>): MetricOptions {
  return Object.fromEntries(Object.entries(options).map(([name, option]) => [name, option.default]))
}
