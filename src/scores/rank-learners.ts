import type { LearnerValue } from '../metrics/learner-values.js'
import { percentileRanks, ranks } from './ranks.js'
import type { NormaliseNullReason } from './values.js'
import { robustZ, zScores } from './z-scores.js'

/** A learner's value, and where it stands among the learners who are compared with each other. */
export interface RankedLearner extends Omit<LearnerValue, 'person' | 'period' | 'dimensions'> {
  /** What the learners compared have in common, such as the role; null where the roster has none, or nothing was asked for. */
  readonly group: string | null
  /** How many learners of the group have a value. */
  readonly n: number
  /** Standard deviations from the group's mean. */
  readonly z: number | null
  /** The same by median and median absolute deviation. */
  readonly robustZ: number | null
  /** 0 to 100. */
  readonly percentileRank: number | null
  /** From 1, the highest value first; those who tie share it. */
  readonly rank: number | null
  readonly isTied: boolean
  /** Why `z` is null. */
  readonly nullReason: NormaliseNullReason | null
}

/**
 * Places learners of one period among those of their group: the value of the first dimension that they were told apart
 * by, or all of them. In the order of groups, those without one first, then of ranks, those without one last, then of
 * personIds.
 */
export function rankLearners(learners: readonly LearnerValue[]): readonly RankedLearner[] {
  return [...groupsOf(learners)].sort(([a], [b]) => compareTexts(a, b)).flatMap(([, group]) => rankGroup(group))
}

/** Learners by the value of the first dimension; an empty text stands for those without one. */
export function groupsOf(learners: readonly LearnerValue[]): ReadonlyMap<string, readonly LearnerValue[]> {
  const groups = new Map<string, LearnerValue[]>()
  for (const learner of learners) {
    const name = learner.dimensions[0] ?? ''
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [learner])
    else group.push(learner)
  }
  return groups
}

function rankGroup(group: readonly LearnerValue[]): readonly RankedLearner[] {
  const valued = group.map(({ personId, value }) => ({ key: personId, value }))
  const n = valued.filter(({ value }) => value !== null).length
  const columns = {
    z: zScores(valued),
    robustZ: robustZ(valued),
    percentile: percentileRanks(valued),
    rank: ranks(valued)
  }
  // Every property by its name: to spread them took as long as to count the metric.
  return group
    .map(({ personId, name, x, y, value, dimensions }, at) => ({
      personId,
      name,
      x,
      y,
      value,
      group: dimensions[0] ?? null,
      n,
      z: columns.z[at]?.normalised ?? null,
      robustZ: columns.robustZ[at]?.normalised ?? null,
      percentileRank: columns.percentile[at]?.normalised ?? null,
      rank: columns.rank[at]?.rank ?? null,
      isTied: columns.rank[at]?.isTied ?? false,
      nullReason: columns.z[at]?.nullReason ?? null
    }))
    .sort((a, b) => (a.rank ?? Infinity) - (b.rank ?? Infinity) || compareTexts(a.personId, b.personId))
}

/** As code units go, in which every machine agrees. */
function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
