import type { Kpi } from './kpi-thresholds.js'
import type { JudgedKpi, PilotDecision, PilotDefinition, PilotState } from './pilot.js'

const names: Readonly<Record<Kpi, string>> = {
  'active-users': 'active users',
  'repeat-rate': 'repeat rate',
  'practice-tasks': 'practice tasks',
  'peer-feedback-rate': 'peer feedback',
  'manager-check-rate': 'manager checks'
}

/** The sentence that explains a decision to someone who knows the five measures and no statistics. */
export function explainDecision(
  decision: PilotDecision['decision'],
  pilot: PilotState,
  judged: readonly JudgedKpi[],
  definition: PilotDefinition
): string {
  if (decision === 'insufficient_data') return explainInsufficient(pilot, definition)
  if (decision === 'scale') {
    return 'Scale: all five measures have reached success, and none is likely to lie below its minimum.'
  }
  const told = judged.filter(({ state }) => (decision === 'halt' ? state === 'failing' : state !== 'success'))
  const counted = `${told.length} of 5 measures`
  const reasons = told.map(kpi => `${names[kpi.id]} ${reasonOf(kpi)}`).join('; ')
  if (decision === 'halt') return `Halt: ${counted} are almost certainly below their minimum: ${reasons}.`
  return `Iterate: ${counted} ${told.length === 1 ? 'holds' : 'hold'} it back: ${reasons}.`
}

/** Says of how many learners there are only that they are too few: the number itself could tell of people. */
function explainInsufficient(
  { weeks, n, isHidden = false }: PilotState,
  { minimumWeeks, minimumLearners }: PilotDefinition
): string {
  const reasons = [
    weeks < minimumWeeks ? [`it has run for ${Math.floor(weeks)} of at least ${minimumWeeks} weeks`] : [],
    n < minimumLearners ? [`it has fewer than ${minimumLearners} learners`] : [],
    isHidden && n >= minimumLearners ? ['its numbers would tell of the few by whom it differs from another group'] : []
  ]
  return `Not enough is known to decide on the pilot: ${reasons.flat().join(', and ')}.`
}

function reasonOf(kpi: JudgedKpi): string {
  const { id, value, minimum, success, state } = kpi
  if (value === null || state === 'unknown') return '(not known)'
  const told = toText(id, value)
  if (state === 'failing' || state === 'below_minimum') return `(${told}, below the minimum of ${toText(id, minimum)})`
  if (state === 'below_success') return `(${told}, short of the ${toText(id, success)} of success)`
  return `(${told}, but it could still lie below the minimum of ${toText(id, minimum)})`
}

/**
 * A measure as people say it, cut to one decimal and not rounded: 69.96 % that is short of 70 % must not read as 70 %.
 */
function toText(id: Kpi, value: number): string {
  const cut = (number: number) => Math.floor(number * 10 + 1e-9) / 10
  return id === 'practice-tasks' ? `${cut(value)} per learner and week` : `${cut(value * 100)} %`
}
