import type { Folded, StepCount } from './fold.js'
import { isSmall, noShare, type Share, shareOf } from './share.js'

/** How long it took, in seconds; null for the first step, for nobody, and where it is hidden. */
export interface ConvertTime {
  readonly medianSeconds: number | null
  readonly p90Seconds: number | null
}

/** A step of a journey: how many learners came so far. */
export interface StepResult {
  /** From 1. */
  readonly position: number
  readonly step: string
  /** Learners who reached the step. */
  readonly n: number | null
  /** Of those who reached the step before; at the first step, of the target population. */
  readonly stepConversion: Share
  /** Of those who reached the first step. */
  readonly totalConversion: Share
  /** How many of them did not reach the next step; null at the last one. */
  readonly dropOff: number | null
  readonly timeFromFirst: ConvertTime
  readonly timeFromPrevious: ConvertTime
  readonly suppressed: boolean
}

const noTime: ConvertTime = { medianSeconds: null, p90Seconds: null }

/**
 * Makes the answer of each step, and hides what would speak of too few people.
 *
 * The learners who reach a step are the group that the next step is a share of. Where that group is 1 to
 * `minGroupSize - 1`, the step is hidden, and so is every later one, even where nobody reached it: it would say of the
 * few what became of them. The drop-off to a hidden step is hidden, too, because it would give the group away by
 * subtraction. A small drop-off between two steps that are shown is a numerator and stays.
 */
export function toSteps(names: readonly string[], folded: Folded, minGroupSize: number): readonly StepResult[] {
  const { steps, eligible } = folded
  const groups = [eligible, ...steps.map(({ n }) => n)]
  const small = groups.findIndex(size => isSmall(size, minGroupSize))
  const isHidden = (position: number) => small !== -1 && position >= small
  return steps.map((count, at) => {
    const step = names[at] ?? ''
    if (isHidden(count.position)) return hiddenStep(count.position, step)
    const next = steps[at + 1]
    return {
      position: count.position,
      step,
      n: count.n,
      stepConversion: shareOf(count.n, groups[at] ?? 0),
      totalConversion: shareOf(count.n, steps[0]?.n ?? 0),
      dropOff: next === undefined || isHidden(next.position) ? null : count.n - next.n,
      ...times(count),
      suppressed: false
    }
  })
}

/** How many learners of the target population are known to have come how far; null where they are too few. */
export function shownEligible({ eligible }: Folded, minGroupSize: number): number | null {
  return isSmall(eligible, minGroupSize) ? null : eligible
}

/** There is no time from the first step to itself, nor from one before it. */
function times(count: StepCount): Pick<StepResult, 'timeFromFirst' | 'timeFromPrevious'> {
  if (count.position === 1) return { timeFromFirst: noTime, timeFromPrevious: noTime }
  return {
    timeFromFirst: { medianSeconds: count.medianFromFirst, p90Seconds: count.p90FromFirst },
    timeFromPrevious: { medianSeconds: count.medianFromPrevious, p90Seconds: count.p90FromPrevious }
  }
}

function hiddenStep(position: number, step: string): StepResult {
  const hidden = noShare('small_group')
  return {
    position,
    step,
    n: null,
    stepConversion: hidden,
    totalConversion: hidden,
    dropOff: null,
    timeFromFirst: noTime,
    timeFromPrevious: noTime,
    suppressed: true
  }
}
