import type { Kysely } from 'kysely'
import type { Database } from '../../database/schema.js'
import type { Meta, ResolvedQuery, Warning } from '../cell.js'
import { type CohortQuery, type ResolvedCohort, resolveCohort } from '../cohort-query.js'
import { type Consistency, chooseSource, consistentThrough, type Source } from '../consistency.js'
import { refuseLists } from '../disclosure/refuse-lists.js'
import type { RosterMemory } from '../disclosure/roster-memory.js'
import type { Snapshot } from '../measurement.js'
import { confine, derivationWarnings, howManyText, parkedWork, unknownWarning } from '../meta.js'
import type { MetricAsker } from '../resolve-query.js'
import { resolveMinGroupSize } from '../suppression.js'
import type { Window, WindowRequest } from '../window.js'

/** What every question about journeys may say; what is missing takes its default. */
export interface JourneyQuery extends Omit<WindowRequest, 'interval'>, CohortQuery {
  /** Hides groups smaller than this; may raise the configured size, never lower it. */
  readonly minGroupSize?: number | undefined
  /** `strong` counts the events themselves, so that everything acknowledged is in the answer. */
  readonly consistency?: Consistency | undefined
}

/** A question about journeys with everything decided. */
export interface JourneyRequest extends ResolvedCohort {
  readonly tenantId: number
  readonly asOf: Date
  /** Whether the answer may not speak of everyone. */
  readonly isConfined: boolean
  /** Where rosters are remembered, to hide groups that differ by few people from others; null where none is hidden. */
  readonly rosterMemory: RosterMemory | null
  readonly window: Window
  readonly source: Source
  readonly minGroupSize: number
}

/** What the database said beside the numbers, of the same snapshot. */
export interface JourneyState extends Snapshot {
  /** How many periods the roster placed nobody in. */
  readonly emptyPeriods: number
}

/** A question with everything decided, which waits to be counted. */
export interface PreparedJourney<Answer> {
  readonly request: JourneyRequest
  /** Counts in one round trip; the version tells the data that were counted, null where none does. */
  readonly complete: () => Promise<{ readonly answer: Answer; readonly version: number | null }>
}

/** The query as it was understood, defaults filled in. */
export interface ResolvedJourney
  extends Omit<ResolvedQuery, 'metric' | 'compare' | 'interval' | 'options' | 'module' | 'breakdown'> {
  readonly options: Readonly<Record<string, string | number | null | readonly string[]>>
}

export interface JourneyMeta extends Omit<Meta, 'query' | 'nextCursor'> {
  readonly query: ResolvedJourney
}

/**
 * Decides what a question about journeys leaves open, but for its window.
 *
 * @throws LrsError `invalid-parameter` for a wrong attribute or group size; `forbidden` for several values of an
 * attribute, asked for by who may not see names
 */
export async function resolveJourney(
  db: Kysely<Database>,
  query: JourneyQuery,
  window: Window,
  asker: MetricAsker
): Promise<JourneyRequest> {
  const minGroupSize = resolveMinGroupSize(asker.minGroupSize, query.minGroupSize)
  const cohort = await resolveCohort(db, asker.tenantId, query, asker.within)
  if (asker.rosterMemory) refuseLists(cohort)
  return {
    ...cohort,
    tenantId: asker.tenantId,
    asOf: asker.asOf,
    isConfined: asker.within !== null,
    rosterMemory: asker.rosterMemory ?? null,
    window,
    source: chooseSource({
      consistency: query.consistency ?? 'eventual',
      timeZone: window.timeZone,
      tenantTimeZone: asker.timeZone,
      module: null
    }),
    minGroupSize
  }
}

/** What an answer is about, and how sure it is. */
export function journeyMeta(
  request: JourneyRequest,
  state: JourneyState,
  about: {
    readonly options: ResolvedJourney['options']
    readonly definitionVersion: number
    /** Learners of whom it can't be known yet how far they come. */
    readonly immature: number
  }
): JourneyMeta {
  const { window, source, asOf, cohort, filters, membership, minGroupSize } = request
  const said = request.isConfined ? confine(state) : state
  return {
    query: {
      fromDate: window.from,
      toDate: window.to,
      from: window.fromInstant,
      to: window.toInstant,
      timeZone: window.timeZone,
      cohort,
      filters,
      membership,
      options: about.options,
      minGroupSize,
      consistency: source === 'events' ? 'strong' : 'eventual'
    },
    definitionVersion: about.definitionVersion,
    asOf: asOf.toISOString(),
    consistentThrough: consistentThrough(source, asOf, state),
    warnings: [
      ...derivationWarnings(said),
      ...populationWarnings(said),
      ...immatureWarnings(about.immature, request),
      ...parkedWork(said)
    ],
    excluded: said.excluded
  }
}

function populationWarnings({ unknown, emptyPeriods }: JourneyState): readonly Warning[] {
  // Nobody is in what is not known; the rest would only say so again.
  if (unknown.length > 0) return unknown.map(unknownWarning)
  if (emptyPeriods === 0) return []
  const message = `In ${emptyPeriods} of the periods the roster placed nobody in the target population.`
  return [{ code: 'empty_population', message }]
}

function immatureWarnings(
  immature: number,
  request: Pick<JourneyRequest, 'minGroupSize' | 'rosterMemory'>
): readonly Warning[] {
  if (immature === 0) return []
  const howMany = howManyText(immature, request)
  return [
    {
      code: 'immature_brackets',
      message: `${howMany} learners' brackets have not closed by asOf; they don't count yet.`
    }
  ]
}
