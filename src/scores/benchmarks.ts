import type { Dimension } from '../metrics/dimension.js'
import type { Guard } from '../metrics/disclosure/guard.js'
import { keyOf } from '../metrics/disclosure/partition.js'
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
 * hidden, and where groups are parts of one whole so are the next smallest, until those that are hidden
 * stand for that many: otherwise one could be had by taking the others from the whole.
 *
 * @throws {LrsError} `invalid-parameter` for a percentile that is none
 */
export function benchmarksOf(learners: readonly LearnerValue[], request: BenchmarksRequest): readonly GroupBenchmark[] {
  const { percentiles } = request
  const groups = [...groupsOf(learners)]
    .map(([name, group]) => {
      const valued = group.map(({ personId: key, value }) => ({ key, value }))
      return { group: name || null, benchmark: benchmark(valued, percentiles) }
    })
    .sort((a, b) => ((a.group ?? '') < (b.group ?? '') ? -1 : 1))
  const hidden = hiddenAmong(groups, request)
  return groups.map(group => ({
    group: group.group,
    benchmark: hidden.has(group) ? null : group.benchmark,
    suppressed: hidden.has(group)
  }))
}

interface Group {
  readonly group: string | null
  readonly benchmark: Benchmark
}

function hiddenAmong(groups: readonly Group[], request: BenchmarksRequest): ReadonlySet<Group> {
  const { minGroupSize, by, guard } = request
  if (guard !== null) {
    const parts = groups.map(one => ({ one, n: one.benchmark.n, key: keyOf(by === 'none' ? [] : [one.group]) }))
    return new Set([...guard.hide(0, parts)].map(({ one }) => one))
  }
  const sizeOf = ({ benchmark }: Group) => benchmark.n
  const isSmall = (group: Group) => sizeOf(group) > 0 && sizeOf(group) < minGroupSize
  return by === 'cohort' ? new Set(groups.filter(isSmall)) : hiddenParts(groups, sizeOf, minGroupSize)
}

/** Which percentiles, and what is hidden. */
export interface BenchmarksRequest {
  readonly percentiles: readonly number[]
  readonly minGroupSize: number
  /** What the learners of a group have in common; `none` where all are one group. Cohorts overlap and are no parts. */
  readonly by: Dimension | 'none'
  /** Hides groups that differ by few people from others as well; null for who may see these people by name. */
  readonly guard: Guard | null
}
