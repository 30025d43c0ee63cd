import { idsOf, parseFields, parseNumber, refuse } from './definition.js'

/** The five measures of a coaching pilot, by their ids in the catalogue. */
export type Kpi = 'active-users' | 'repeat-rate' | 'practice-tasks' | 'peer-feedback-rate' | 'manager-check-rate'

/** What a measure must reach per 7 days: the least that is worth going on with, and what counts as success. */
export interface Threshold {
  readonly minimum: number
  readonly success: number
}

export type Thresholds = Readonly<Record<Kpi, Threshold>>

/** Rates from 0 to 1; practice tasks per learner and week. */
export const defaultThresholds: Thresholds = {
  'active-users': { minimum: 0.4, success: 0.7 },
  'repeat-rate': { minimum: 0.2, success: 0.45 },
  'practice-tasks': { minimum: 1, success: 3 },
  'peer-feedback-rate': { minimum: 0.05, success: 0.2 },
  'manager-check-rate': { minimum: 0.1, success: 0.5 }
}

/** The measures in the order in which they are told. */
export const kpis = idsOf(defaultThresholds)

/**
 * Thresholds, with defaults for the measures that are not named.
 *
 * @throws LrsError `invalid-parameter` for an unknown measure, a negative minimum, a success that is 0 or below the
 * minimum, or a rate above 1
 */
export function parseThresholds(value: unknown): Thresholds {
  const given = parseFields(value, kpis, '/thresholds')
  const thresholds = kpis.map(id => {
    if (given[id] === undefined) return [id, defaultThresholds[id]] as const
    return [id, parseThreshold(given[id], id)] as const
  })
  return Object.fromEntries(thresholds) as Record<Kpi, Threshold>
}

function parseThreshold(value: unknown, id: Kpi): Threshold {
  const pointer = `/thresholds/${id}`
  const fields = parseFields(value, ['minimum', 'success'], pointer)
  const most = id === 'practice-tasks' ? {} : { most: 1 }
  const minimum = parseNumber(fields.minimum, `${pointer}/minimum`, { least: 0, ...most })
  const success = parseNumber(fields.success, `${pointer}/success`, { above: 0, ...most })
  if (success < minimum) refuse(`${pointer}/success`, `(${success}) must not be below the minimum (${minimum})`)
  return { minimum, success }
}
