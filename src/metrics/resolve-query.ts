import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { bothOf, type CohortFilter } from '../people/cohort-filter.js'
import type { AnswerMemory } from './answer-memory.js'
import type { Comparison } from './cell.js'
import { type CohortQuery, type ResolvedCohort, resolveCohort } from './cohort-query.js'
import { type Consistency, chooseSource, type Source } from './consistency.js'
import { type DeedDimension, type Dimension, parseBreakdown } from './dimension.js'
import { refuseLists } from './disclosure/refuse-lists.js'
import type { RosterMemory } from './disclosure/roster-memory.js'
import type { MeasureRequest, Metric, MetricOptions } from './metric.js'
import { resolveMinGroupSize } from './suppression.js'
import {
  type Period,
  previousPeriods,
  resolveWindow,
  type Window,
  type WindowRequest,
  yearEarlierPeriods
} from './window.js'

/** A query as it came; what is missing takes its default. */
export interface MetricQuery extends WindowRequest, CohortQuery {
  /** Only learners for whom this holds too. */
  readonly filter?: CohortFilter | undefined
  /** IRI of the only module whose events count. */
  readonly module?: string | undefined
  /** What the learners are told apart by: one or two dimensions with a comma between them. */
  readonly breakdown?: string | undefined
  /** Also the value of the period before each, or of a year earlier. */
  readonly compare?: Comparison | undefined
  /** Hides groups smaller than this; may raise the configured size, never lower it. */
  readonly minGroupSize?: number | undefined
  /** `strong` counts the events themselves, so that everything acknowledged is in the answer. */
  readonly consistency?: Consistency | undefined
  /** The metric's own options. */
  readonly options?: MetricOptions | undefined
  /** Cells on a page. */
  readonly limit?: number | undefined
  /** Where the page begins, as the page before said. */
  readonly cursor?: string | undefined
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
  /** Where what was counted is remembered; nowhere when it is left out. */
  readonly memory?: AnswerMemory | undefined
  /**
   * Where rosters are remembered, to hide groups that differ by few people from others that can be asked for. Null or
   * absent for whoever may see these people by name.
   */
  readonly rosterMemory?: RosterMemory | null
}

/** A query with everything decided. */
export interface ResolvedMetricQuery extends ResolvedCohort {
  readonly tenantId: number
  readonly asOf: Date
  /** Whether the answer may not speak of everyone. */
  readonly isConfined: boolean
  /** Where rosters are remembered, to hide groups that differ by few people from others; null where none is hidden. */
  readonly rosterMemory: RosterMemory | null
  readonly window: Window
  readonly options: MetricOptions
  readonly minGroupSize: number
  readonly source: Source
  readonly module: string | null
  readonly breakdown: readonly (Dimension | DeedDimension)[]
  readonly compare: Comparison | null
  readonly previous: readonly Period[]
  readonly memory?: AnswerMemory | undefined
}

/**
 * Decides everything that a query left open, and looks up the cohorts that it names among the saved filters.
 *
 * @throws LrsError `invalid-parameter` for a wrong date, zone, option, attribute, breakdown or group size, or too many
 * periods; `forbidden` for several values of an attribute, asked for by who may not see names
 */
export async function resolveQuery(
  db: Kysely<Database>,
  metric: Pick<Metric, 'id' | 'options' | 'lagDays' | 'deedDimensions'>,
  query: MetricQuery,
  asker: MetricAsker
): Promise<ResolvedMetricQuery> {
  const options = resolveOptions(metric, query.options ?? {})
  const lagDays = metric.lagDays(options)
  const window = resolveWindow(query, { timeZone: asker.timeZone, asOf: asker.asOf, lagDays })
  const module = query.module ?? null
  const compare = query.compare ?? null
  const breakdown = parseBreakdown(query.breakdown, metric.deedDimensions)
  const minGroupSize = resolveMinGroupSize(asker.minGroupSize, query.minGroupSize)
  const cohort = await resolveCohort(db, asker.tenantId, query, asker.within)
  if (asker.rosterMemory) refuseLists(cohort)
  return {
    ...cohort,
    filter: bothOf(cohort.filter, query.filter ?? null),
    tenantId: asker.tenantId,
    asOf: asker.asOf,
    memory: asker.memory,
    isConfined: asker.within !== null,
    rosterMemory: asker.rosterMemory ?? null,
    window,
    options,
    minGroupSize,
    source: chooseSource({
      consistency: query.consistency ?? 'eventual',
      timeZone: window.timeZone,
      tenantTimeZone: asker.timeZone,
      module
    }),
    module,
    breakdown,
    compare,
    previous: compare === null ? [] : compare === 'year' ? yearEarlierPeriods(window) : previousPeriods(window)
  }
}

/** What the database is asked for a resolved query: the window's periods, and after them those to compare with. */
export function toRequest(resolved: ResolvedMetricQuery): MeasureRequest {
  const { window, previous } = resolved
  return {
    ...resolved,
    timeZone: window.timeZone,
    periods: [...window.periods, ...previous],
    today: window.today
  }
}

function resolveOptions(metric: Pick<Metric, 'id' | 'options'>, given: MetricOptions): MetricOptions {
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
