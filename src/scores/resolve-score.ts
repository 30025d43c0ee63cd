import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { type MetricAsker, type MetricQuery, type ResolvedMetricQuery, resolveQuery } from '../metrics/resolve-query.js'
import { addDays, resolveWindow } from '../metrics/window.js'
import type { ScoreDescription } from './score.js'

/** A query for a score as it came; what is missing takes its default. */
export interface ScoreQuery extends Omit<MetricQuery, 'interval' | 'compare' | 'options' | 'limit' | 'cursor'> {
  /** The version of the definition; the one in force when nobody says. */
  readonly definitionVersion?: number | undefined
}

/**
 * Decides everything that a query for a score left open. The window ends before today and is as long as the score needs.
 *
 * @throws {LrsError} `invalid-parameter` as for a metric, and for a `from` where the score's window has its own length
 */
export async function resolveScore(
  db: Kysely<Database>,
  score: ScoreDescription,
  query: ScoreQuery,
  asker: MetricAsker
): Promise<ResolvedMetricQuery> {
  if (score.hasFixedWindow && query.from !== undefined) {
    throw new LrsError(
      'invalid-parameter',
      `The window of ${score.id} is always ${score.windowDays} days long: leave out from, and choose its end by to`,
      { pointer: '/from' }
    )
  }
  const { timeZone, asOf } = asker
  const { to } = resolveWindow({ to: query.to, tz: query.tz }, { timeZone, asOf, lagDays: 0 })
  const from = query.from ?? addDays(to, -score.windowDays)
  const metric = { id: score.id, options: {}, lagDays: () => 0 }
  return resolveQuery(db, metric, { ...query, from, to }, asker)
}
