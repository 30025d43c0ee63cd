import { type ComponentValue, type Composite, composite } from './composite.js'
import { parseFields, parseWeighting, type Weighting } from './definition.js'
import { defaultThresholds, type Kpi, kpis, parseThresholds, type Thresholds } from './kpi-thresholds.js'
import { isPresent } from './values.js'

export interface CoachingDefinition extends Weighting<Kpi> {
  readonly thresholds: Thresholds
}

/** Practice and manager checks weigh more than opens: they are closer to what coaching is for. */
export const defaultCoachingDefinition: CoachingDefinition = {
  version: 1,
  weights: {
    'active-users': 1,
    'repeat-rate': 2,
    'practice-tasks': 3,
    'peer-feedback-rate': 3,
    'manager-check-rate': 4
  },
  needs: 3,
  thresholds: defaultThresholds
}

/** How many of the measures that are known reach their minimum. */
export interface CompoundSignal {
  /** Null when none is known. */
  readonly reached: number | null
  /** How many are known. */
  readonly of: number
  readonly metrics: readonly Kpi[]
}

/**
 * How far a group has come towards success in coaching, 0 to 100: 100 · Σ w · min(1, metric ÷ success) ÷ Σ w.
 *
 * A measure adds no more than its weight however far beyond success it is, so that none makes up for another. 100
 * means that all five have reached success. Null (`low_coverage`) when fewer than `needs` measures are known.
 *
 * @param values the five measures of one group and one window
 */
export function coachingIndex(
  values: Readonly<Record<Kpi, number | null>>,
  definition: CoachingDefinition = defaultCoachingDefinition
): Composite<Kpi> {
  const components = kpis.map((id): ComponentValue<Kpi> => {
    const raw = values[id]
    if (!isPresent(raw)) return { id, raw: null, normalised: null, nullReason: 'missing' }
    return { id, raw, normalised: Math.min(1, raw / definition.thresholds[id].success), nullReason: null }
  })
  return composite(components, definition, 100)
}

/** How many of the five measures reach their minimum, and which: signs that agree say more than one that is strong. */
export function compoundSignal(
  values: Readonly<Record<Kpi, number | null>>,
  { thresholds }: Pick<CoachingDefinition, 'thresholds'> = defaultCoachingDefinition
): CompoundSignal {
  const known = kpis.filter(id => isPresent(values[id]))
  const metrics = known.filter(id => (values[id] ?? 0) >= thresholds[id].minimum)
  return { reached: known.length === 0 ? null : metrics.length, of: known.length, metrics }
}

/**
 * A definition from JSON; what is missing takes its default.
 *
 * @throws LrsError `invalid-parameter` with a pointer to what can't be meant
 */
export function parseCoachingDefinition(input: unknown): CoachingDefinition {
  const fields = parseFields(input, ['version', 'weights', 'needs', 'thresholds'])
  return {
    ...parseWeighting(fields, defaultCoachingDefinition),
    thresholds: parseThresholds({ thresholds: {}, ...fields }.thresholds)
  }
}
