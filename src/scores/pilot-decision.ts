import { parseFields, parseNumber, parseVersion } from './definition.js'
import { defaultThresholds, kpis, parseThresholds, type Threshold } from './kpi-thresholds.js'
import type { JudgedKpi, KpiState, KpiValue, PilotDecision, PilotDefinition, PilotState } from './pilot.js'
import { explainDecision } from './pilot-sentence.js'
import { isPresent } from './values.js'

export const defaultPilotDefinition: PilotDefinition = {
  version: 1,
  thresholds: defaultThresholds,
  minimumWeeks: 4,
  minimumLearners: 20,
  failingForHalt: 3
}

/**
 * Whether a pilot is to be scaled, changed or ended.
 *
 * `insufficient_data`: before `minimumWeeks` (4), or with fewer than `minimumLearners` (20). `scale`: every value is at
 * least its success and every lower bound at least its minimum. `halt`: at least three upper bounds are below their
 * minimum. Otherwise `iterate`. They are tried in this order. A measure without a value keeps a pilot from scaling and
 * never halts it.
 */
export function decidePilot(pilot: PilotState, definition: PilotDefinition = defaultPilotDefinition): PilotDecision {
  const judged = kpis.map((id): JudgedKpi => {
    const measure = pilot.kpis[id]
    const threshold = definition.thresholds[id]
    return { id, ...measure, ...threshold, state: stateOf(measure, threshold) }
  })
  const decision = decide(pilot, judged, definition)
  return {
    decision,
    sentence: explainDecision(decision, pilot, judged, definition),
    kpis: judged,
    heldBackBy: judged.filter(({ state }) => state !== 'success').map(({ id }) => id),
    definitionVersion: definition.version
  }
}

function decide(
  { weeks, n, isHidden = false }: PilotState,
  judged: readonly JudgedKpi[],
  { minimumWeeks, minimumLearners, failingForHalt }: PilotDefinition
): PilotDecision['decision'] {
  if (isHidden || weeks < minimumWeeks || n < minimumLearners) return 'insufficient_data'
  if (judged.every(({ state }) => state === 'success')) return 'scale'
  return judged.filter(({ state }) => state === 'failing').length >= failingForHalt ? 'halt' : 'iterate'
}

function stateOf({ value, ci }: KpiValue, { minimum, success }: Threshold): KpiState {
  if (!isPresent(value)) return 'unknown'
  if (ci !== null && ci.high < minimum) return 'failing'
  if (value < minimum) return 'below_minimum'
  if (value < success) return 'below_success'
  return ci === null || ci.low < minimum ? 'uncertain' : 'success'
}

/**
 * A definition from JSON; what is missing takes its default.
 *
 * @throws LrsError `invalid-parameter` with a pointer to what can't be meant
 */
export function parsePilotDefinition(input: unknown): PilotDefinition {
  const given = parseFields(input, Object.keys(defaultPilotDefinition))
  const fields = { ...defaultPilotDefinition, ...given }
  return {
    version: parseVersion(given, defaultPilotDefinition),
    thresholds: parseThresholds({ thresholds: {}, ...given }.thresholds),
    minimumWeeks: parseNumber(fields.minimumWeeks, '/minimumWeeks', { least: 1, isInteger: true }),
    minimumLearners: parseNumber(fields.minimumLearners, '/minimumLearners', { least: 1, isInteger: true }),
    failingForHalt: parseNumber(fields.failingForHalt, '/failingForHalt', {
      least: 1,
      most: kpis.length,
      isInteger: true
    })
  }
}
