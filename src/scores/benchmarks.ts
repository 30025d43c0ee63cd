import type { LearnerValue } from '../metrics/learner-values.js'
import { hiddenParts } from '../metrics/suppression.js'
import { type Benchmark, benchmark } from './benchmark.js'
import { groupsOf } from './rank-learners.js'

/** What the values of a group of learners are like, or that it is too small to tell. */
export interface GroupBenchmark {
  /** What the learners have in common; null where the roster has none, or nothing was asked for. */
  readonly group: string | null
  readonly benchmark: Benchmark | null
  readonly suppressed: boolean
}

/**
 * What the values of each group of learners are like. A group of which fewer than `minGroupSize` have a value is
 * hidden, and where groups are parts of one whole (`isPartition`) so are the next smallest, until those that are hidden
 * stand for that many: otherwise one could be had by taking the others from the whole.
 *
 * @throws {LrsError} `invalid-parameter` for a percentile that is none
 */
export function benchmarksOf(
  learners: readonly LearnerValue[],
  { percentiles, minGroupSize, isPartition }: BenchmarksRequest
): readonly GroupBenchmark[] {
  const groups = [...groupsOf(learners)]
    .map(([name, group]) => {
      const valued = group.map(({ personId: key, value }) => ({ key, value }))
      return { group: name || null, benchmark: benchmark(valued, percentiles) }
    })
    .sort((a, b) => ((a.group ?? '') < (b.group ?? '') ? -1 : 1))
  const sizeOf = ({ benchmark }: (typeof groups)[number]) => benchmark.n
  const isSmall = (group: (typeof groups)[number]) => sizeOf(group) > 0 && sizeOf(group) < minGroupSize
  const hidden = isPartition ? hiddenParts(groups, sizeOf, minGroupSize) : new Set(groups.filter(isSmall))
  return groups.map(group => ({
    group: group.group,
    benchmark: hidden.has(group) ? null : group.benchmark,
    suppressed: hidden.has(group)
  }))
}

/** Which percentiles, and what is hidden. */
export interface BenchmarksRequest {
  readonly percentiles: readonly number[]
  readonly minGroupSize: number
  readonly isPartition: boolean
}
