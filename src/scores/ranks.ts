import { isPresent, type Normalised, sortedValues, type Valued } from './values.js'

/** A learner's place among the cohort's, the highest value first. */
export interface Ranked<Key = string> extends Valued<Key> {
  /** From 1; after two that share place 2 comes 4. Null where there is no value. */
  readonly rank: number | null
  /** Somebody else has the same value. */
  readonly isTied: boolean
}

/**
 * The share of the cohort that lies below each learner's value, 0 to 100: 100 (L + 0.5 E) ÷ N.
 *
 * L learners lie below, E have the same value, the learner included (mid-rank), N have a value at all. The mean over a
 * cohort is 50; one alone, or all equal, are at 50. Those without a value are no part of N and come back with null
 * (`missing`). Same order as given.
 *
 * @example Two share the middle
 * percentileRanks([1, 2, 2, 5].map((value, key) => ({ key, value }))).map(({ normalised }) => normalised)
 * // [12.5, 50, 50, 87.5]
 */
export function percentileRanks<Key>(values: readonly Valued<Key>[]): readonly Normalised<Key>[] {
  const places = placesOf(values)
  const n = [...places.values()].reduce((sum, { equal }) => sum + equal, 0)
  return values.map(({ key, value }) => {
    const place = isPresent(value) ? places.get(value) : undefined
    if (place === undefined) return { key, value: null, normalised: null, nullReason: 'missing' }
    return { key, value, normalised: (100 * (place.below + 0.5 * place.equal)) / n, nullReason: null }
  })
}

/**
 * Each learner's place, the highest value first: 1, 2, 2, 4 (competition ranking), with ties flagged.
 *
 * Those without a value have no rank and are nobody's rival. Same order as given.
 */
export function ranks<Key>(values: readonly Valued<Key>[]): readonly Ranked<Key>[] {
  const places = placesOf(values)
  const n = [...places.values()].reduce((sum, { equal }) => sum + equal, 0)
  return values.map(({ key, value }) => {
    const place = isPresent(value) ? places.get(value) : undefined
    if (place === undefined) return { key, value: null, rank: null, isTied: false }
    return { key, value, rank: n - place.below - place.equal + 1, isTied: place.equal > 1 }
  })
}

/** How many learners lie below each value and how many have it. */
function placesOf(values: readonly Valued<unknown>[]): ReadonlyMap<number, { below: number; equal: number }> {
  const places = new Map<number, { below: number; equal: number }>()
  for (const [below, value] of sortedValues(values).entries()) {
    const place = places.get(value)
    if (place === undefined) places.set(value, { below, equal: 1 })
    else place.equal += 1
  }
  return places
}
