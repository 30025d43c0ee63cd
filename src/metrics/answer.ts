import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import type { Answer } from './cell.js'
import { toCells } from './cells.js'
import { measure } from './measure.js'
import { toMeta } from './meta.js'
import type { Metric } from './metric.js'
import { defaultPageCells, isSkip, readCursor, writeCursor } from './page.js'
import { type MetricAsker, type MetricQuery, resolveQuery, toRequest } from './resolve-query.js'

/**
 * Answers a query for one metric: one cell per period and breakdown, in one round trip, from one snapshot. Where a
 * cohort is asked for, it is looked up before, among the saved filters.
 *
 * @throws LrsError `invalid-parameter` for a wrong date, zone, option, attribute, breakdown, cursor or group size, or
 * too many periods
 */
export async function answerMetric(
  db: Kysely<Database>,
  metric: Metric,
  { limit = defaultPageCells, cursor, ...query }: MetricQuery,
  asker: MetricAsker
): Promise<Answer> {
  const asked = [metric.id, asker.tenantId, query]
  const start = cursor === undefined ? { asOf: asker.asOf, place: 0 } : readCursor(cursor, asked, isSkip)
  const { asOf, place: skip } = start
  const resolved = await resolveQuery(db, metric, query, { ...asker, asOf })
  const measurement = await measure(db, metric, toRequest(resolved))
  const cells = toCells({ metric, ...resolved }, measurement.cells)
  const end = skip + limit
  return {
    metric: metric.id,
    results: cells.slice(skip, end),
    meta: {
      ...toMeta(metric, resolved, { snapshot: measurement, cells: measurement.cells }),
      nextCursor: end < cells.length ? writeCursor({ asOf, place: end }, asked) : null
    }
  }
}
