import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import type { ConfidenceInterval } from '../metrics/cell.js'
import type { Guard } from '../metrics/disclosure/guard.js'
import { keyOf } from '../metrics/disclosure/partition.js'
import { findMetric } from '../metrics/find-metric.js'
import type { Snapshot } from '../metrics/measurement.js'
import type { SharesRequest } from '../metrics/shares.js'
import { hiddenParts } from '../metrics/suppression.js'
import { type Kpi, kpis } from './kpi-thresholds.js'
import { pooledInterval } from './pooled-interval.js'
import { findPooledSums, type PooledSum } from './pooled-sums.js'

/** A measure of coaching, brought to 7 days. */
export interface WeeklyKpi {
  readonly value: number | null
  readonly ci: ConfidenceInterval | null
  /** How many learners it rests on; null when hidden. */
  readonly n: number | null
  readonly suppressed: boolean
}

/** The five measures of one group of learners. */
export interface KpiGroup {
  /** The values of the breakdown; null where the roster has none. */
  readonly dimensions: readonly (string | null)[]
  /** How many learners belonged to P in any of the weeks. Not to be shown when the group is hidden. */
  readonly population: number
  /** The group itself is hidden, and all its measures with it. */
  readonly suppressed: boolean
  readonly kpis: Readonly<Record<Kpi, WeeklyKpi>>
}

/** Whose measures are wanted; the periods are weeks of 7 local days. */
export interface KpisRequest extends SharesRequest {
  readonly minGroupSize: number
  /** Hides groups that differ by few people from others as well; null for who may see these people by name. */
  readonly guard: Guard | null
}

/**
 * Reads the five measures of coaching over several weeks, each as Σx ÷ Σy over learners and weeks: what the metric says
 * of a week, as the mean over the weeks, each weighted by its denominator. So a window of any length is compared with
 * thresholds that are meant for 7 days. In the order of groups.
 *
 * Small groups are hidden, of each measure by its own denominator, and, where groups are parts of one whole, others with
 * them. One round trip for each measure.
 *
 * @param db on one snapshot
 */
export async function readWeeklyKpis(
  db: Kysely<Database>,
  request: KpisRequest
): Promise<{ readonly groups: readonly KpiGroup[]; readonly snapshot: Snapshot }> {
  const columns = new Map<Kpi, ReadonlyMap<string, WeeklyKpi>>()
  const read = async (id: Kpi) => {
    const metric = findMetric(id)
    const found = await findPooledSums(db, metric, request)
    const hidden = hiddenSums(found.sums, ({ n }) => n, request)
    columns.set(
      id,
      new Map(found.sums.map(sum => [JSON.stringify(sum.dimensions), toKpi(sum, metric.calculation, hidden.has(sum))]))
    )
    return found
  }
  const { sums, snapshot } = await read('active-users')
  // One after another: a snapshot has one connection.
  for (const id of kpis.filter(id => id !== 'active-users')) await read(id)
  const hidden = hiddenSums(sums, ({ population }) => population, request)
  const groups = sums.map(sum => {
    const suppressed = hidden.has(sum)
    const found = kpis.map(id => [id, columns.get(id)?.get(JSON.stringify(sum.dimensions)) ?? nothing] as const)
    return {
      dimensions: sum.dimensions,
      population: sum.population,
      suppressed,
      kpis: Object.fromEntries(found.map(([id, kpi]) => [id, suppressed ? hiddenKpi : kpi])) as KpiGroup['kpis']
    }
  })
  return { groups, snapshot }
}

const nothing: WeeklyKpi = { value: null, ci: null, n: 0, suppressed: false }
const hiddenKpi: WeeklyKpi = { value: null, ci: null, n: null, suppressed: true }

/** The measures of nobody. */
export const noKpis = Object.fromEntries(kpis.map(id => [id, nothing])) as KpiGroup['kpis']

/** Cohorts overlap and make no whole. */
function hiddenSums(
  sums: readonly PooledSum[],
  sizeOf: (sum: PooledSum) => number,
  { breakdown, minGroupSize, guard }: KpisRequest
): ReadonlySet<PooledSum> {
  if (guard !== null) {
    const parts = sums.map(sum => ({ sum, n: sizeOf(sum), key: keyOf(sum.dimensions) }))
    return new Set([...guard.hideInAny(parts)].map(({ sum }) => sum))
  }
  const isSmall = (sum: PooledSum) => sizeOf(sum) > 0 && sizeOf(sum) < minGroupSize
  return breakdown.includes('cohort') ? new Set(sums.filter(isSmall)) : hiddenParts(sums, sizeOf, minGroupSize)
}

function toKpi(sum: PooledSum, calculation: Parameters<typeof pooledInterval>[0], isHidden: boolean): WeeklyKpi {
  if (isHidden) return hiddenKpi
  if (sum.sumY === 0) return nothing
  return { value: sum.sumX / sum.sumY, ci: pooledInterval(calculation, sum), n: sum.n, suppressed: false }
}
