import type { Learner } from './learner-metrics.js'
import type { ScoredLearner, ScoreRequest } from './score.js'

/** What a score says of a learner, without who it is. */
export type Judgement = Pick<ScoredLearner, 'value' | 'nullReason' | 'components' | 'coverage' | 'details'>

/**
 * Judges each group of learners by itself: those who share the first dimension, or all of them. In the order of groups,
 * those without one first, and as the learners are given.
 *
 * @param judge one judgement for each learner of a group, in their order
 */
export function scoreGroups<Compared extends Learner>(
  learners: readonly Compared[],
  { isGrouped }: Pick<ScoreRequest, 'isGrouped'>,
  judge: (group: readonly Compared[]) => readonly Judgement[]
): readonly ScoredLearner[] {
  const groups = new Map<string, Compared[]>()
  for (const learner of learners) {
    const name = (isGrouped ? learner.dimensions[0] : null) ?? ''
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [learner])
    else group.push(learner)
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, group]) => {
      const judgements = judge(group)
      return group.flatMap(({ personId, name: called, dimensions }, at) => {
        const judgement = judgements[at]
        return judgement === undefined ? [] : { personId, name: called, dimensions, group: name || null, ...judgement }
      })
    })
}
