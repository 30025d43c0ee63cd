import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import type { Meta } from '../metrics/cell.js'
import type { Dimension } from '../metrics/dimension.js'
import { toMeta } from '../metrics/meta.js'
import { readCursor, writeCursor } from '../metrics/page.js'
import { type MetricAsker, type ResolvedMetricQuery, toRequest } from '../metrics/resolve-query.js'
import { onOneSnapshot } from '../store/on-one-snapshot.js'
import { findDefinition, type SavedDefinition } from './find-definition.js'
import { resolveScore, type ScoreQuery } from './resolve-score.js'
import type { LearnerScore, ScoredLearner, ScoreRequest, ScoresRead, ScoreWindow } from './score.js'

/** Whom a learner may be compared with: those who share it, or all. A learner of several cohorts has no one group. */
export type ComparedBy = Exclude<Dimension, 'cohort'> | 'none'

/** A query for the scores of learners. */
export interface LearnerScoreQuery extends Omit<ScoreQuery, 'breakdown'> {
  readonly by?: ComparedBy | undefined
}

/** Where a page of scores begins, and by which definition all of them are. */
interface Place {
  readonly skip: number
  readonly version: number
}

/** A page of learners with their scores. */
export interface ScoreAnswer {
  readonly score: string
  readonly period: ScoreWindow
  readonly by: ComparedBy
  readonly learners: readonly ScoredLearner[]
  readonly meta: Meta
}

/**
 * Answers a query for a score of learners: all of P, the highest value first, those without one last.
 *
 * @throws {LrsError} `invalid-parameter` as for a metric; `not-found` for a version of the definition that there is not
 */
export async function answerScore(
  db: Kysely<Database>,
  score: LearnerScore,
  { limit, cursor, ...query }: LearnerScoreQuery & { readonly limit: number; readonly cursor?: string | undefined },
  asker: MetricAsker
): Promise<ScoreAnswer> {
  const asked = [score.id, asker.tenantId, query]
  const start =
    cursor === undefined
      ? { asOf: asker.asOf, place: { skip: 0, version: query.definitionVersion } }
      : readCursor(cursor, asked, isPlace)
  const { asOf, place } = start
  const versioned = { ...query, definitionVersion: place.version }
  const { by, resolved, definition, windows, snapshot } = await readScores(
    db,
    score,
    { query: versioned, asker: { ...asker, asOf } },
    ({ window }) => [window]
  )
  const ranked = [...(windows[0] ?? [])].sort(highestFirst)
  const end = place.skip + limit
  const { version } = definition
  return {
    score: score.id,
    period: { from: resolved.window.from, to: resolved.window.to },
    by,
    learners: ranked.slice(place.skip, end),
    meta: {
      ...toMeta({ id: score.id, definitionVersion: version }, resolved, { snapshot, cells: [] }),
      nextCursor: end < ranked.length ? writeCursor({ asOf, place: { skip: end, version } }, asked) : null
    }
  }
}

/** Scores as they were read, with all that was decided about them. */
export interface ReadScores extends ScoresRead {
  readonly by: ComparedBy
  readonly resolved: ResolvedMetricQuery
  readonly definition: SavedDefinition
}

/** What is asked, and by whom. */
export interface ScoreAsking {
  readonly query: LearnerScoreQuery
  readonly asker: MetricAsker
  /** What learners are told apart by beside the group. */
  readonly alsoBy?: Dimension
  /** What narrows the learners down once the query is resolved. */
  readonly narrow?: (trx: Kysely<Database>, request: ScoreRequest) => Promise<ScoreRequest>
}

/** Reads the scores of some windows on one snapshot. */
export async function readScores(
  db: Kysely<Database>,
  score: LearnerScore,
  { query: { by = score.comparedBy, ...query }, asker, alsoBy, narrow = async (_trx, request) => request }: ScoreAsking,
  windowsOf: (resolved: ResolvedMetricQuery) => readonly ScoreWindow[]
): Promise<ReadScores> {
  return onOneSnapshot(db, async trx => {
    const names = [...(by === 'none' ? [] : [by]), ...(alsoBy === undefined || alsoBy === by ? [] : [alsoBy])]
    const breakdown = names.length === 0 ? {} : { breakdown: names.join(',') }
    const resolved = await resolveScore(trx, score, { ...query, ...breakdown }, asker)
    const definition = await findDefinition(trx, asker.tenantId, score, query.definitionVersion)
    const request = { ...toRequest(resolved), windows: windowsOf(resolved), isGrouped: by !== 'none' }
    const read = await score.read(trx, await narrow(trx, request), definition.definition)
    return { by, resolved, definition, ...read }
  })
}

/** True before false, and no value last; who ties goes by personId. */
function highestFirst(a: ScoredLearner, b: ScoredLearner): number {
  const order = (b.value === null ? -Infinity : Number(b.value)) - (a.value === null ? -Infinity : Number(a.value))
  return order || (a.personId < b.personId ? -1 : a.personId > b.personId ? 1 : 0)
}

function isPlace(place: unknown): place is Place {
  const { skip, version } = { ...(place as Place | null) }
  return Number.isSafeInteger(skip) && Number(skip) >= 0 && Number.isSafeInteger(version)
}
