import type { Kysely } from 'kysely'
import type { Database } from '../../database/schema.js'
import { LrsError } from '../../errors.js'
import { guardFor, leastShownOf } from '../disclosure/guard.js'
import type { MetricAsker } from '../resolve-query.js'
import { resolveWindow } from '../window.js'
import { type FoldMode, type FoldRequest, foldSteps } from './fold.js'
import {
  type JourneyMeta,
  type JourneyQuery,
  type JourneyRequest,
  journeyMeta,
  type PreparedJourney,
  resolveJourney
} from './journey.js'
import { type StepResult, shownEligible, toSteps } from './step-answer.js'
import { findStep, isDaily, stepNames } from './steps.js'

/** Raised whenever the same data would give another number. */
const definitionVersion = 1

export const defaultSteps = ['delivered', 'opened', 'completed-task', 'peer-feedback'] as const
export const defaultConversionDays = 14
export const mostSteps = 10

export interface FunnelQuery extends JourneyQuery {
  /** The steps in their order, with commas between them. */
  readonly steps?: string | undefined
  readonly mode?: FoldMode | undefined
  /** The conversion window, in local days after the day of the first step. */
  readonly windowDays?: number | undefined
  /** The IRI of the only module that counts. */
  readonly module?: string | undefined
}

export interface FunnelAnswer {
  readonly funnel: 'funnel'
  /** Learners of the target population whose way is known: all but those whose bracket is open. Null when hidden. */
  readonly eligible: number | null
  readonly results: readonly StepResult[]
  readonly meta: JourneyMeta
}

/**
 * How many learners of the target population came how far from step to step.
 *
 * A learner enters with the first touch of the first step in the window, whose bracket is that local day and the
 * `windowDays` after it. Numerator: learners who reached the step within a closed bracket. Denominators: those who
 * reached the step before (`stepConversion`; at the first step |P| without open brackets), and those who entered
 * (`totalConversion`). Null: `empty_denominator` when nobody came so far, `small_group` when it is hidden.
 *
 * @throws LrsError `invalid-parameter` for steps that are none, twice the same, fewer than 2 or more than 10; and as
 *   `resolveWindow` and `resolveCohort` do
 */
export async function prepareFunnel(
  db: Kysely<Database>,
  query: FunnelQuery,
  asker: MetricAsker
): Promise<PreparedJourney<FunnelAnswer>> {
  const { mode = 'ordered', windowDays = defaultConversionDays, module = null } = query
  const steps = query.steps === undefined ? defaultSteps : parseSteps(query.steps)
  const window = resolveWindow({ ...query, interval: undefined }, { ...asker, lagDays: windowDays })
  const resolved = await resolveJourney(db, query, window, asker)
  // The rollup has neither modules nor the instants of other kinds.
  const source = module === null && steps.every(isDaily) ? resolved.source : 'events'
  const request = { ...resolved, source, steps, mode, windowDays, module }
  return { request, complete: () => completeFunnel(db, request) }
}

async function completeFunnel(db: Kysely<Database>, request: JourneyRequest & FoldRequest) {
  const { steps, mode, windowDays, module, minGroupSize } = request
  const folded = await foldSteps(db, request)
  const least = leastShownOf(await guardFor(db, request), minGroupSize)(0)
  const answer: FunnelAnswer = {
    funnel: 'funnel',
    eligible: shownEligible(folded, least),
    results: toSteps(steps, folded, least),
    meta: journeyMeta(request, folded.state, {
      options: { steps, mode, windowDays, module },
      definitionVersion,
      immature: folded.immature
    })
  }
  return { answer, version: folded.state.version }
}

function parseSteps(text: string): readonly string[] {
  const steps = text.split(',')
  const unknown = steps.find(step => findStep(step) === undefined)
  if (unknown !== undefined) {
    throw new LrsError(
      'invalid-parameter',
      `steps has ${JSON.stringify(unknown)}, which is none of ${stepNames.join(', ')}`,
      { pointer: '/steps' }
    )
  }
  const isWrong = steps.length < 2 || steps.length > mostSteps || new Set(steps).size < steps.length
  if (!isWrong) return steps
  throw new LrsError('invalid-parameter', `steps (${text}) must be 2 to ${mostSteps} steps, none of them twice`, {
    pointer: '/steps'
  })
}
