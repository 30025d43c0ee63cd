import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import type { CohortFilter } from '../people/cohort-filter.js'
import type { UnknownValue } from '../people/unknown-values.js'
import { type CohortQuery, type Membership, type ResolvedCohort, resolveCohort } from './cohort-query.js'
import { confineMeasurement } from './confine.js'
import { type Consistency, chooseSource, consistentThrough, type Source } from './consistency.js'
import { wilson } from './interval.js'
import type { Answer, Cell, Measurement, Meta, Metric, MetricOptions, PeriodCount, Warning } from './metric.js'
import { resolveMinGroupSize, suppressSmall } from './suppression.js'
import { type Period, previousPeriods, resolveWindow, type Window, type WindowRequest } from './window.js'

/** A query as it came; what is missing takes its default. */
export interface MetricQuery extends WindowRequest, CohortQuery {
  /** Also the value of the period before each. */
  readonly compare?: 'previous' | undefined
  /** Hides groups smaller than this; may raise the configured size, never lower it. */
  readonly minGroupSize?: number | undefined
  /** `strong` counts the events themselves, so that everything acknowledged is in the answer. */
  readonly consistency?: Consistency | undefined
  /** The metric's own options. */
  readonly options?: MetricOptions | undefined
}

/** Who asks, and when. */
export interface MetricAsker {
  readonly tenantId: number
  /** IANA name of the tenant's time zone. */
  readonly timeZone: string
  /** The configured size below which groups are hidden. */
  readonly minGroupSize: number
  readonly asOf: Date
  /** Whom the answer may speak of, whatever is asked for; null for everyone. */
  readonly within: CohortFilter | null
}

/** A query with everything decided. */
interface Resolved {
  readonly window: Window
  readonly options: MetricOptions
  readonly minGroupSize: number
  readonly source: Source
  readonly previous: readonly Period[]
}

/**
 * Answers a query for one metric: one cell per period, in one round trip, from one snapshot. Where a cohort is asked
 * for, it is looked up before, among the saved filters.
 *
 * @throws LrsError `invalid-parameter` for a wrong date, zone, option, attribute or group size, or too many periods
 */
export async function answerMetric(
  db: Kysely<Database>,
  metric: Metric,
  query: MetricQuery,
  asker: MetricAsker
): Promise<Answer> {
  const resolved = resolve(metric, query, asker)
  const cohort = await resolveCohort(db, asker.tenantId, query, asker.within)
  const { window, options, source, previous } = resolved
  const measured = await metric.measure(db, {
    tenantId: asker.tenantId,
    timeZone: window.timeZone,
    source,
    periods: [...window.periods, ...previous],
    window,
    filter: cohort.filter,
    membership: cohort.membership,
    today: window.today,
    asOf: asker.asOf,
    options
  })
  const measurement = asker.within === null ? measured : confineMeasurement(measured)
  return {
    metric: metric.id,
    results: toCells(resolved, measurement.counts),
    meta: toMeta(metric, { ...resolved, ...cohort }, measurement, asker.asOf)
  }
}

function resolve(metric: Metric, query: MetricQuery, asker: MetricAsker): Resolved {
  const options = resolveOptions(metric, query.options ?? {})
  const lagDays = metric.lagDays(options)
  const window = resolveWindow(query, { timeZone: asker.timeZone, asOf: asker.asOf, lagDays })
  return {
    window,
    options,
    minGroupSize: resolveMinGroupSize(asker.minGroupSize, query.minGroupSize),
    source: chooseSource(query.consistency ?? 'eventual', window.timeZone, asker.timeZone),
    previous: query.compare === 'previous' ? previousPeriods(window) : []
  }
}

function resolveOptions(metric: Metric, given: MetricOptions): MetricOptions {
  const unknown = Object.keys(given).find(name => !Object.hasOwn(metric.options, name))
  if (unknown !== undefined) {
    throw new LrsError('invalid-parameter', `${unknown} is no parameter of ${metric.id}`)
  }
  const resolved = Object.entries(metric.options).map(([name, option]) => {
    const value = given[name] ?? option.default
    if (option.values.includes(value)) return [name, value] as const
    throw new LrsError(
      'invalid-parameter',
      `${name} (${JSON.stringify(value)}) must be one of ${option.values.join(', ')} for ${metric.id}`
    )
  })
  return Object.fromEntries(resolved)
}

function toCells({ window, minGroupSize, previous }: Resolved, counts: readonly PeriodCount[]): readonly Cell[] {
  const cellOf = (period: Period, count: PeriodCount | undefined): Cell =>
    suppressSmall(toCell(period, count, window.today), minGroupSize)
  return window.periods.map((period, position) => {
    const cell = cellOf(period, counts[position])
    const before = previous[position]
    return before ? compared(cell, cellOf(before, counts[window.periods.length + position])) : cell
  })
}

/** A period that has not begun has nothing to count yet: null, not 0. */
function toCell({ from, to, partial }: Period, count: PeriodCount | undefined, today: string): Cell {
  const frame = { period: { from, to }, dimensions: {}, previous: null, change: null, partial, suppressed: false }
  if (count === undefined || from > today) {
    const nothing = { value: null, numerator: null, denominator: null, n: null, ci: null }
    return { ...frame, ...nothing, nullReason: 'period_not_started' }
  }
  const { numerator, denominator } = count
  const value = denominator === 0 ? null : numerator / denominator
  const ci = wilson(numerator, denominator)
  const nullReason = value === null ? 'empty_denominator' : null
  return { ...frame, value, numerator, denominator, n: denominator, ci, nullReason }
}

function compared(cell: Cell, before: Cell): Cell {
  if (cell.value === null) return cell
  return { ...cell, previous: before.value, change: before.value === null ? null : cell.value - before.value }
}

function toMeta(metric: Metric, resolved: Resolved & ResolvedCohort, measurement: Measurement, asOf: Date): Meta {
  const { window, options, minGroupSize, source, cohort, filters, membership, previous } = resolved
  return {
    query: {
      metric: metric.id,
      fromDate: window.from,
      toDate: window.to,
      from: window.fromInstant,
      to: window.toInstant,
      timeZone: window.timeZone,
      interval: window.interval,
      cohort,
      filters,
      membership,
      options,
      compare: previous.length > 0 ? 'previous' : null,
      minGroupSize,
      consistency: source === 'events' ? 'strong' : 'eventual'
    },
    definitionVersion: metric.definitionVersion,
    asOf: asOf.toISOString(),
    consistentThrough: consistentThrough(source, asOf, measurement),
    warnings: toWarnings(resolved, measurement),
    excluded: measurement.excluded
  }
}

const moments: Readonly<Record<Membership, string>> = {
  at_window_start: "on the period's first day",
  at_event: 'on any day of the period',
  current: 'today'
}

function toWarnings(resolved: Resolved & ResolvedCohort, measurement: Measurement): readonly Warning[] {
  return [...derivationWarnings(measurement), ...populationWarnings(resolved, measurement), ...parkedWork(measurement)]
}

function derivationWarnings({ derivation }: Measurement): readonly Warning[] {
  if (derivation === null) return []
  const { reason, requestedAt, percent } = derivation
  const causes = { mapping: 'a new event mapping', 'time-zone': 'a new time zone', rebuild: 'a rebuild' }
  const message = `Events are being derived anew for ${causes[reason]}, asked for at ${requestedAt}: ${percent} % is done, and the numbers are a mixture until the end.`
  return [{ code: 'derivation_running', message }]
}

function populationWarnings(
  { window, minGroupSize, membership }: Resolved & ResolvedCohort,
  measurement: Measurement
): readonly Warning[] {
  // Nobody is in what is not known; the rest would only say so again.
  if (measurement.unknown.length > 0) return measurement.unknown.map(unknownWarning)
  const counts = measurement.counts.slice(0, window.periods.length)
  const warnings: Warning[] = []
  const empty = counts.filter(({ population }) => population === 0).length
  if (empty > 0) {
    const message = `In ${empty} of ${counts.length} periods the roster placed nobody in the target population ${moments[membership]}.`
    warnings.push({ code: 'empty_population', message })
  }
  const immature = counts.reduce((sum, count) => sum + count.immature, 0)
  if (immature > 0) {
    const howMany = immature < minGroupSize ? `Fewer than ${minGroupSize}` : `${immature}`
    const message = `${howMany} active learners' brackets have not closed by asOf; they don't count yet.`
    warnings.push({ code: 'immature_brackets', message })
  }
  return warnings
}

function unknownWarning({ attribute, value }: UnknownValue): Warning {
  const code = attribute === 'cohort' ? 'unknown_cohort' : 'unknown_value'
  return { code, message: `No roster entry of any time names the ${attribute} ${JSON.stringify(value)}.` }
}

/** Said of every answer, also of one that was counted from the events: the tenant's other answers may need it. */
function parkedWork({ parkedRows }: Measurement): readonly Warning[] {
  if (parkedRows === 0) return []
  const message = `${parkedRows} changes could not be brought into the rollups; answers from them are complete up to consistentThrough only. An operator finds them with \`momentum queue list\`.`
  return [{ code: 'parked_work', message }]
}
