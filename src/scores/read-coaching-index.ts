import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import type { Snapshot } from '../metrics/measurement.js'
import {
  type CompoundSignal,
  coachingIndex,
  compoundSignal,
  defaultCoachingDefinition,
  parseCoachingDefinition
} from './coaching-index.js'
import type { Component, Coverage } from './composite.js'
import { type Kpi, kpis } from './kpi-thresholds.js'
import type { ScoreDescription } from './score.js'
import { type KpiGroup, type KpisRequest, readWeeklyKpis, type WeeklyKpi } from './weekly-kpis.js'

/** The coaching index of a group. */
export const coachingScore: ScoreDescription = {
  id: 'coaching-index',
  name: 'Coaching index',
  question: 'How far has coaching come towards success?',
  definition:
    'The weighted mean of five measures of coaching, each as its part of success and no more than all of it, times 100.',
  unit: '0 to 100; 100 means that all five measures have reached success',
  components: kpis,
  windowDays: 28,
  hasFixedWindow: false,
  standard: defaultCoachingDefinition,
  parse: parseCoachingDefinition
}

/** The coaching index of one group of learners, with everything that it is made of. */
export interface GroupScore {
  /** The values of the breakdown; null where the roster has none. */
  readonly dimensions: readonly (string | null)[]
  readonly value: number | null
  readonly nullReason: 'low_coverage' | 'small_group' | null
  readonly components: readonly GroupComponent[]
  readonly coverage: Coverage
  readonly compoundSignal: CompoundSignal
  /** How many learners belonged to P in any of the weeks; null when hidden. */
  readonly n: number | null
  readonly suppressed: boolean
}

type GroupComponent = Component<Kpi> & Omit<WeeklyKpi, 'value'>

/**
 * Reads the coaching index of each group over the weeks of a request. What is hidden of a group counts as missing, so
 * that the index doesn't tell it.
 *
 * @param db on one snapshot
 * @param given as `parseCoachingDefinition` takes it
 */
export async function readCoachingIndex(
  db: Kysely<Database>,
  request: KpisRequest,
  given: unknown
): Promise<{ readonly groups: readonly GroupScore[]; readonly snapshot: Snapshot }> {
  const definition = parseCoachingDefinition(given)
  const { groups, snapshot } = await readWeeklyKpis(db, request)
  return {
    groups: groups.map(group => {
      const values = Object.fromEntries(kpis.map(id => [id, group.kpis[id].value])) as Record<Kpi, number | null>
      const { value, nullReason, components, coverage } = coachingIndex(values, definition)
      return {
        dimensions: group.dimensions,
        value,
        nullReason: group.suppressed ? 'small_group' : nullReason,
        components: components.map(component => withSource(component, group)),
        coverage,
        compoundSignal: compoundSignal(values, definition),
        n: group.suppressed ? null : group.population,
        suppressed: group.suppressed
      }
    }),
    snapshot
  }
}

function withSource(component: Component<Kpi>, { kpis }: KpiGroup): GroupComponent {
  const { ci, n, suppressed } = kpis[component.id]
  return { ...component, ci, n, suppressed }
}
