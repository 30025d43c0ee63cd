import type { UnknownValue } from '../people/unknown-values.js'
import type { Meta, ResolvedQuery, Warning } from './cell.js'
import type { Membership } from './cohort-query.js'
import { consistentThrough } from './consistency.js'
import type { CellSum, Snapshot } from './measurement.js'
import type { Metric } from './metric.js'
import type { ResolvedMetricQuery } from './resolve-query.js'
import { hasLeapDay } from './window.js'

/** Says what an answer is about, and how sure it is. */
export function toMeta(
  metric: Pick<Metric, 'id' | 'definitionVersion'>,
  resolved: ResolvedMetricQuery,
  { snapshot, cells }: { readonly snapshot: Snapshot; readonly cells: readonly CellSum[] }
): Omit<Meta, 'nextCursor'> {
  const { source, asOf, isConfined } = resolved
  const said = isConfined ? confine(snapshot) : snapshot
  return {
    query: echo(metric, resolved),
    definitionVersion: metric.definitionVersion,
    asOf: asOf.toISOString(),
    consistentThrough: consistentThrough(source, asOf, snapshot),
    warnings: toWarnings(resolved, said, cells),
    excluded: said.excluded
  }
}

/**
 * Takes from a snapshot what is said of the whole tenant rather than of those whom its filter lets through: the events
 * that no metric counts, and which of the values asked for the roster never names. Who may not see everyone would learn
 * from them who else there is. How far the answer is complete is left: it names nobody.
 */
export function confine<Said extends Snapshot>(snapshot: Said): Said {
  return { ...snapshot, excluded: null, unknown: [] }
}

/** The query as it was understood. */
function echo({ id }: Pick<Metric, 'id'>, resolved: ResolvedMetricQuery): ResolvedQuery {
  const { window, source, options, minGroupSize, cohort, filters, membership, module, breakdown, compare } = resolved
  return {
    metric: id,
    fromDate: window.from,
    toDate: window.to,
    from: window.fromInstant,
    to: window.toInstant,
    timeZone: window.timeZone,
    interval: window.interval,
    cohort,
    filters,
    module,
    membership,
    breakdown,
    options,
    compare,
    minGroupSize,
    consistency: source === 'events' ? 'strong' : 'eventual'
  }
}

const moments: Readonly<Record<Membership, string>> = {
  at_window_start: "on the period's first day",
  at_event: 'on any day of the period',
  current: 'today'
}

function toWarnings(resolved: ResolvedMetricQuery, snapshot: Snapshot, cells: readonly CellSum[]): readonly Warning[] {
  return [
    ...derivationWarnings(snapshot),
    ...populationWarnings(resolved, snapshot, cells),
    ...leapDay(resolved),
    ...parkedWork(snapshot)
  ]
}

/** Said while events are being derived anew. */
export function derivationWarnings({ derivation }: Pick<Snapshot, 'derivation'>): readonly Warning[] {
  if (derivation === null) return []
  const { reason, requestedAt, percent } = derivation
  const causes = { mapping: 'a new event mapping', 'time-zone': 'a new time zone', rebuild: 'a rebuild' }
  const message = `Events are being derived anew for ${causes[reason]}, asked for at ${requestedAt}: ${percent} % is done, and the numbers are a mixture until the end.`
  return [{ code: 'derivation_running', message }]
}

function populationWarnings(
  { window, minGroupSize, membership, rosterMemory }: ResolvedMetricQuery,
  { unknown }: Snapshot,
  sums: readonly CellSum[]
): readonly Warning[] {
  // Nobody is in what is not known; the rest would only say so again.
  if (unknown.length > 0) return unknown.map(unknownWarning)
  const cells = sums.filter(({ period }) => period < window.periods.length)
  const warnings: Warning[] = []
  const empty = cells.filter(({ population }) => population === 0).length
  if (empty > 0) {
    const message = `In ${empty} of ${window.periods.length} periods the roster placed nobody in the target population ${moments[membership]}.`
    warnings.push({ code: 'empty_population', message })
  }
  const immature = cells.reduce((sum, cell) => sum + cell.immature, 0)
  if (immature > 0) {
    const howMany = howManyText(immature, { minGroupSize, rosterMemory })
    const message = `${howMany} active learners' brackets have not closed by asOf; they don't count yet.`
    warnings.push({ code: 'immature_brackets', message })
  }
  return warnings
}

/** The exact numbers of two groups could be subtracted, also where the groups are hidden. */
export function howManyText(
  howMany: number,
  { minGroupSize, rosterMemory }: Pick<ResolvedMetricQuery, 'minGroupSize' | 'rosterMemory'>
): string {
  if (rosterMemory !== null) return 'Some'
  return howMany < minGroupSize ? `Fewer than ${minGroupSize}` : `${howMany}`
}

function leapDay({ window, compare }: ResolvedMetricQuery): readonly Warning[] {
  if (compare !== 'year' || !hasLeapDay(window)) return []
  const message = 'The window has a 29 February; the year before has none, and its 28 February stands in for it.'
  return [{ code: 'leap_day', message }]
}

/** Said of what was asked for and no roster row names. */
export function unknownWarning({ attribute, value }: UnknownValue): Warning {
  const code = attribute === 'cohort' ? 'unknown_cohort' : 'unknown_value'
  return { code, message: `No roster entry of any time names the ${attribute} ${JSON.stringify(value)}.` }
}

/** Said of every answer, also of one that was counted from the events: the tenant's other answers may need it. */
export function parkedWork({ parkedRows }: Pick<Snapshot, 'parkedRows'>): readonly Warning[] {
  if (parkedRows === 0) return []
  const message = `${parkedRows} changes could not be brought into the rollups; answers from them are complete up to consistentThrough only. An operator finds them with \`momentum queue list\`.`
  return [{ code: 'parked_work', message }]
}
