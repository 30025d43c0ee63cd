import type { Kysely } from 'kysely'
import type { Database } from '../../database/schema.js'
import { guardFor, leastShownOf } from '../disclosure/guard.js'
import type { MetricAsker } from '../resolve-query.js'
import { resolveWindow } from '../window.js'
import { foldSteps } from './fold.js'
import {
  type JourneyMeta,
  type JourneyQuery,
  type JourneyRequest,
  journeyMeta,
  type PreparedJourney,
  resolveJourney
} from './journey.js'
import { noShare, type Share, shareOf } from './share.js'
import { type StepResult, shownEligible, toSteps } from './step-answer.js'

/** Raised whenever the same data would give another number. */
const definitionVersion = 1

export const defaultSequenceDays = 28

const steps = ['opened', 'opened', 'completed-task', 'peer-feedback-received', 'manager-check-received'] as const

/** The names of the stages; the second is the same step again. */
const stageNames = ['opened', 'opened-again', ...steps.slice(2)] as const

export interface SequenceQuery extends JourneyQuery {
  /** How long it may take, in local days after the day of the first opening. */
  readonly windowDays?: number | undefined
}

export interface SequenceAnswer {
  readonly sequence: 'sequence'
  /** Learners of the target population whose way is known: all but those whose bracket is open. Null when hidden. */
  readonly eligible: number | null
  /** Of them, those who went the whole way. */
  readonly completed: Share
  readonly results: readonly StepResult[]
  readonly meta: JourneyMeta
}

/**
 * How many learners of the target population went the way that makes a habit: opened at least twice, practised, got
 * feedback from a peer, and then a manager's check, in this order.
 *
 * The bracket begins with the local day of the first opening in the window and has `windowDays` more. Numerator of a
 * stage: learners who reached it within a closed bracket. Denominators: as in a funnel; of `completed`, |P| without
 * open brackets. Null: as in a funnel.
 *
 * @throws LrsError `invalid-parameter` as `resolveWindow` and `resolveCohort` do
 */
export async function prepareSequence(
  db: Kysely<Database>,
  query: SequenceQuery,
  asker: MetricAsker
): Promise<PreparedJourney<SequenceAnswer>> {
  const { windowDays = defaultSequenceDays } = query
  const window = resolveWindow({ ...query, interval: undefined }, { ...asker, lagDays: windowDays })
  const request = await resolveJourney(db, query, window, asker)
  return { request, complete: () => completeSequence(db, request, windowDays) }
}

async function completeSequence(db: Kysely<Database>, request: JourneyRequest, windowDays: number) {
  const folded = await foldSteps(db, { ...request, steps, mode: 'ordered', windowDays, module: null })
  const least = leastShownOf(await guardFor(db, request), request.minGroupSize)(0)
  const results = toSteps(stageNames, folded, least)
  const last = results.at(-1)?.n ?? null
  const answer: SequenceAnswer = {
    sequence: 'sequence',
    eligible: shownEligible(folded, least),
    completed: last === null ? noShare('small_group') : shareOf(last, folded.eligible),
    results,
    meta: journeyMeta(request, folded.state, {
      options: { windowDays },
      definitionVersion,
      immature: folded.immature
    })
  }
  return { answer, version: folded.state.version }
}
