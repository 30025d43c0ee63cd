import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import type { Meta } from '../metrics/cell.js'
import { guardFor } from '../metrics/disclosure/guard.js'
import { toMeta } from '../metrics/meta.js'
import { type MetricAsker, type ResolvedMetricQuery, resolveQuery, toRequest } from '../metrics/resolve-query.js'
import { addDays, daysBetween, parseDay, resolveWindow } from '../metrics/window.js'
import { onOneSnapshot } from '../store/on-one-snapshot.js'
import type { JudgedKpi, PilotDecision } from './pilot.js'
import { decidePilot } from './pilot-decision.js'
import type { Pilot } from './pilots.js'
import type { ScoreWindow } from './score.js'
import { type KpiGroup, noKpis, readWeeklyKpis, type WeeklyKpi } from './weekly-kpis.js'
import { weeksFrom } from './weeks.js'

/** The decision on a pilot, with all that it rests on. */
export interface PilotAnswer extends Omit<PilotDecision, 'kpis'> {
  readonly pilot: string
  /** The local day as of which it was decided. */
  readonly asOf: string
  /** The complete weeks of the pilot before that day; null before the first is over. */
  readonly period: ScoreWindow | null
  readonly weeks: number
  readonly lengthWeeks: number
  /** How many learners belonged to the cohort in any of the weeks; null when hidden. */
  readonly n: number | null
  readonly kpis: readonly (JudgedKpi & WeeklyKpi)[]
  readonly meta: Meta
}

/**
 * Decides on a pilot as of the beginning of a local day, by default today: from its first day on, the complete weeks of
 * it that were over by then. What is known later of those weeks, such as a late statement, is in the answer.
 *
 * @throws {LrsError} `invalid-parameter` for a day that is none, or that has not come
 */
export async function decideOnPilot(
  db: Kysely<Database>,
  pilot: Pilot,
  asOf: string | undefined,
  asker: MetricAsker
): Promise<PilotAnswer> {
  const { today } = resolveWindow({}, { ...asker, lagDays: 0 })
  const day = asOf === undefined ? today : parseDay('asOf', asOf)
  if (day > today) {
    throw new LrsError('invalid-parameter', `asOf (${day}) has not come: today is ${today}`, { pointer: '/asOf' })
  }
  const { startsOn, lengthWeeks, definition } = pilot
  const weeks = Math.min(lengthWeeks, Math.max(0, Math.floor(daysBetween(startsOn, day) / 7)))
  const { group, resolved, meta } = await read(db, { pilot, weeks: Math.max(1, weeks), day }, asker)
  const isShown = group !== null && !group.suppressed
  const values = weeks === 0 || !isShown ? noKpis : group.kpis
  const learners = Math.max(definition.minimumLearners, resolved.minGroupSize)
  const decided = decidePilot(
    { weeks, n: group?.population ?? 0, kpis: values, isHidden: !isShown && group !== null },
    { ...definition, minimumLearners: learners }
  )
  return {
    pilot: pilot.id,
    asOf: day,
    period: weeks === 0 ? null : { from: startsOn, to: addDays(startsOn, 7 * weeks) },
    weeks,
    lengthWeeks,
    n: group === null ? 0 : isShown ? group.population : null,
    ...decided,
    kpis: decided.kpis.map(kpi => ({ ...kpi, ...(isShown || group === null ? values[kpi.id] : hiddenKpi) })),
    meta
  }
}

const hiddenKpi: WeeklyKpi = { value: null, ci: null, n: null, suppressed: true }

/** What the decision is asked about. Before the first week is over, it is read for who takes part. */
interface Asked {
  readonly pilot: Pilot
  readonly weeks: number
  readonly day: string
}

interface Read {
  /** Null where the cohort has nobody. */
  readonly group: KpiGroup | null
  readonly resolved: ResolvedMetricQuery
  readonly meta: Meta
}

async function read(db: Kysely<Database>, { pilot, weeks, day }: Asked, asker: MetricAsker): Promise<Read> {
  const { startsOn, cohort, definition } = pilot
  return onOneSnapshot(db, async trx => {
    const query = { from: startsOn, to: addDays(startsOn, 7 * weeks), cohort }
    const resolved = await resolveQuery(trx, { id: 'pilot', options: {}, lagDays: () => 0 }, query, asker)
    const periods = weeksFrom(startsOn, weeks)
    const { groups, snapshot } = await readWeeklyKpis(trx, {
      ...toRequest(resolved),
      today: day,
      periods,
      minGroupSize: resolved.minGroupSize,
      guard: await guardFor(trx, { ...resolved, window: { today: day, periods } })
    })
    const described = { id: 'pilot', definitionVersion: definition.version }
    const meta = { ...toMeta(described, resolved, { snapshot, cells: [] }), nextCursor: null }
    return { group: groups[0] ?? null, resolved, meta }
  })
}
