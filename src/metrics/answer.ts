import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import type { Answer } from './cell.js'
import { toCells } from './cells.js'
import { guardFor } from './disclosure/guard.js'
import { measure } from './measure.js'
import { toMeta } from './meta.js'
import type { Metric } from './metric.js'
import { defaultPageCells, isSkip, readCursor, writeCursor } from './page.js'
import {
  type MetricAsker,
  type MetricQuery,
  type ResolvedMetricQuery,
  resolveQuery,
  toRequest
} from './resolve-query.js'

/** A query with everything decided, which waits to be counted. */
export interface PreparedAnswer {
  readonly metric: Metric
  readonly resolved: ResolvedMetricQuery
  /** Cells before the page, and on it. */
  readonly skip: number
  readonly limit: number
  /** What the pages of the answer have in common. */
  readonly asked: unknown
}

/**
 * Decides everything that a query left open. Where a cohort is asked for, it is looked up among the saved filters.
 *
 * @throws LrsError `invalid-parameter` for a wrong date, zone, option, attribute, breakdown, cursor or group size, or
 * too many periods; `forbidden` for several values of an attribute, asked for by who may not see names
 */
export async function prepareAnswer(
  db: Kysely<Database>,
  metric: Metric,
  { limit = defaultPageCells, cursor, ...query }: MetricQuery,
  asker: MetricAsker
): Promise<PreparedAnswer> {
  const asked = [metric.id, asker.tenantId, query]
  const start = cursor === undefined ? { asOf: asker.asOf, place: 0 } : readCursor(cursor, asked, isSkip)
  const resolved = await resolveQuery(db, metric, query, { ...asker, asOf: start.asOf })
  return { metric, resolved, skip: start.place, limit, asked }
}

/**
 * Counts what was prepared: one cell per period and breakdown, in one round trip, from one snapshot.
 *
 * @returns the answer, and the version that tells the data it was made from; null where none does.
 */
export async function completeAnswer(
  db: Kysely<Database>,
  { metric, resolved, skip, limit, asked }: PreparedAnswer
): Promise<{ readonly answer: Answer; readonly version: number | null }> {
  const measurement = await measure(db, metric, toRequest(resolved))
  const guard = await guardFor(db, resolved)
  const cells = toCells({ metric, ...resolved, guard }, measurement.cells)
  const end = skip + limit
  const answer = {
    metric: metric.id,
    results: cells.slice(skip, end),
    meta: {
      ...toMeta(metric, resolved, { snapshot: measurement, cells: measurement.cells }),
      nextCursor: end < cells.length ? writeCursor({ asOf: resolved.asOf, place: end }, asked) : null
    }
  }
  return { answer, version: measurement.version }
}

/** Answers a query for one metric: prepares it and completes it. */
export async function answerMetric(
  db: Kysely<Database>,
  metric: Metric,
  query: MetricQuery,
  asker: MetricAsker
): Promise<Answer> {
  return (await completeAnswer(db, await prepareAnswer(db, metric, query, asker))).answer
}
