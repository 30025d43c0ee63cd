import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import type { Meta } from '../metrics/cell.js'
import { toMeta } from '../metrics/meta.js'
import type { MetricAsker } from '../metrics/resolve-query.js'
import { addDays, daysBetween } from '../metrics/window.js'
import { bothOf } from '../people/cohort-filter.js'
import { type ComparedBy, type LearnerScoreQuery, readScores } from './answer-score.js'
import { findGroups, groupFilter } from './find-groups.js'
import type { LearnerScore, ScoredLearner, ScoreRequest, ScoreWindow } from './score.js'

const weeks = 12

/** A learner's score as of the end of one window. */
export interface PastScore extends Pick<ScoredLearner, 'group' | 'value'> {
  readonly period: ScoreWindow
  /** Why `value` is null; `not_in_population` where P did not have the learner. */
  readonly nullReason: string | null
}

/** One learner's score now and in the weeks before. */
export interface PersonScoreAnswer {
  readonly score: string
  readonly personId: string
  readonly by: ComparedBy
  /** Null where P does not have the learner. */
  readonly current: ScoredLearner | null
  /** As of the ends of the last 12 weeks, the oldest first; the last is `current`. */
  readonly history: readonly PastScore[]
  readonly meta: Meta
}

/**
 * Answers a query for one learner's score: as of the window's end, and of the end of each of the 11 weeks before it, each
 * over a window of the same length and among those who were compared then.
 *
 * @throws {LrsError} `invalid-parameter` as for a metric; `not-found` for a version of the definition that there is not
 */
export async function answerPersonScore(
  db: Kysely<Database>,
  score: LearnerScore,
  { personId, ...query }: LearnerScoreQuery & { readonly personId: string },
  asker: MetricAsker
): Promise<PersonScoreAnswer> {
  const asking = {
    query,
    asker,
    narrow: (trx: Kysely<Database>, request: ScoreRequest) => narrowTo(trx, request, personId)
  }
  const { by, resolved, definition, windows, snapshot } = await readScores(db, score, asking, ({ window }) =>
    windowsBefore(window)
  )
  const found = windows.map(learners => learners.find(learner => learner.personId === personId) ?? null)
  return {
    score: score.id,
    personId,
    by,
    current: found.at(-1) ?? null,
    history: windowsBefore(resolved.window).map((period, at) => toPast(period, found[at] ?? null)),
    meta: {
      ...toMeta({ id: score.id, definitionVersion: definition.version }, resolved, { snapshot, cells: [] }),
      nextCursor: null
    }
  }
}

/** Only those whom the person is compared with need be read. */
async function narrowTo(trx: Kysely<Database>, request: ScoreRequest, personId: string): Promise<ScoreRequest> {
  const { isThere, groups } = await findGroups(trx, request, personId)
  const [by = ''] = request.breakdown
  const filter = isThere ? groupFilter(by, groups) : { person: [personId] }
  return { ...request, filter: bothOf(request.filter, filter) }
}

function windowsBefore({ from, to }: ScoreWindow): readonly ScoreWindow[] {
  const length = daysBetween(from, to)
  return Array.from({ length: weeks }, (_, at) => {
    const end = addDays(to, -7 * (weeks - 1 - at))
    return { from: addDays(end, -length), to: end }
  })
}

function toPast(period: ScoreWindow, learner: ScoredLearner | null): PastScore {
  if (learner === null) return { period, group: null, value: null, nullReason: 'not_in_population' }
  const { group, value, nullReason } = learner
  return { period, group, value, nullReason }
}
