import { idsOf, type Weighting } from './definition.js'
import { isPresent, type Normalised, type NormaliseNullReason, sumOf, type Valued } from './values.js'

/** Beyond this many standard deviations a z-score adds no more to a composite. */
const zLimit = 3

/** What a score is made of, before it is weighed. */
export interface ComponentValue<Id extends string> {
  readonly id: Id
  /** In the metric's own unit. */
  readonly raw: number | null
  /** On the score's common scale; null when missing. */
  readonly normalised: number | null
  /** Why `normalised` is null. */
  readonly nullReason: NormaliseNullReason | null
}

/** A part of a score, so that everyone can check what it adds. */
export interface Component<Id extends string> extends ComponentValue<Id> {
  /** As the definition has it. */
  readonly weight: number
  /** The weight's part of all weights that are present, 0 to 1; 0 when missing. */
  readonly share: number
  /** `share · normalised`, in the score's unit; null when missing, or when there is no score. */
  readonly contribution: number | null
  readonly isMissing: boolean
}

/** How many of the components that have a weight are there, and how many must be. */
export interface Coverage {
  readonly present: number
  readonly of: number
  readonly needs: number
}

/** A weighted score with everything that it is made of. */
export interface Composite<Id extends string> {
  /** The sum of the contributions; null below the coverage that is needed. */
  readonly value: number | null
  readonly nullReason: 'low_coverage' | null
  readonly components: readonly Component<Id>[]
  readonly coverage: Coverage
  readonly definitionVersion: number
}

/** A learner of a cohort with a value for each component; null where there is none. */
export interface LearnerValues<Id extends string, Key = string> {
  readonly key: Key
  readonly values: Readonly<Record<Id, number | null>>
}

/** A learner's score. */
export type LearnerComposite<Id extends string, Key = string> = Composite<Id> & { readonly key: Key }

/** How the values of one component are brought to the scale that all components share. */
type Normalise = <Key>(values: readonly Valued<Key>[]) => readonly Normalised<Key>[]

/**
 * The weighted mean of what is present: Σ w·x ÷ Σ w, times `scale`.
 *
 * A missing component is left out and its weight with it: it counts neither as 0 nor as average. Null
 * (`low_coverage`) when fewer components are there than the definition needs; those with weight 0 don't count.
 *
 * @param values one for each component of the definition, in its order
 * @param scale what a score is worth whose components all are 1
 */
export function composite<Id extends string>(
  values: readonly ComponentValue<Id>[],
  { weights, needs, version }: Weighting<Id>,
  scale = 1
): Composite<Id> {
  const weighing = values.filter(({ id }) => weights[id] > 0)
  const present = weighing.filter(({ normalised }) => isPresent(normalised))
  const total = sumOf(present.map(({ id }) => weights[id]))
  const hasScore = present.length >= needs && total > 0
  // Every property by its name: to spread them took 3 of the 4 µs of a component, and 20,000 learners have 120,000.
  const components = values.map(({ id, raw, normalised, nullReason }): Component<Id> => {
    const weight = weights[id]
    if (!isPresent(normalised)) {
      return { id, raw, normalised: null, nullReason, weight, share: 0, contribution: null, isMissing: true }
    }
    const share = total > 0 ? weight / total : 0
    const contribution = hasScore ? share * normalised * scale : null
    return { id, raw, normalised, nullReason, weight, share, contribution, isMissing: false }
  })
  return {
    value: hasScore ? sumOf(components.map(({ contribution }) => contribution ?? 0)) : null,
    nullReason: hasScore ? null : 'low_coverage',
    components,
    coverage: { present: present.length, of: weighing.length, needs },
    definitionVersion: version
  }
}

/** The composites of a whole cohort, each component normalised among its learners. Same order as given. */
export function compositesOf<Id extends string, Key>(
  learners: readonly LearnerValues<Id, Key>[],
  weighting: Weighting<Id>,
  normalise: Normalise
): readonly LearnerComposite<Id, Key>[] {
  const columns = idsOf(weighting.weights).map(id => ({
    id,
    normalised: normalise(learners.map(({ key, values }) => ({ key, value: values[id] })))
  }))
  return learners.map(({ key }, position) => {
    const values: ComponentValue<Id>[] = []
    for (const { id, normalised: column } of columns) {
      const found = column[position]
      if (found) values.push({ id, raw: found.value, normalised: found.normalised, nullReason: found.nullReason })
    }
    const { value, nullReason, components, coverage, definitionVersion } = composite(values, weighting)
    return { key, value, nullReason, components, coverage, definitionVersion }
  })
}

/**
 * A z-score within ±3.
 *
 * Only for composites: one extraordinary value shall not make up for everything else. Null stays null.
 */
export function clipZ(z: number | null): number | null {
  return z === null ? null : Math.min(zLimit, Math.max(-zLimit, z))
}
