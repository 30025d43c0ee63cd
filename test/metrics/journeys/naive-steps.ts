import type { CohortFilter } from '../../../src/people/cohort-filter.js'
import { isMember } from '../naive-members.js'
import type { World } from '../world.js'
import { type Deed, dayOf } from './events.js'

/** What is asked of a journey, in whole days. */
export interface NaiveJourney {
  readonly from: number
  readonly to: number
  readonly today: number
  readonly timeZone: string
  readonly filter: CohortFilter | null
  readonly membership: string
}

interface NaiveSteps extends NaiveJourney {
  readonly steps: readonly string[]
  readonly mode: string
  readonly windowDays: number
  readonly module: string | null
}

interface Touch {
  readonly at: number
  readonly day: number
}

/** Follows one learner after another, event by event. */
export function naiveSteps(world: World, deeds: readonly Deed[], asked: NaiveSteps) {
  const ways: number[][] = []
  let population = 0
  let immature = 0
  for (const at of world.people.keys()) {
    const days = countedDays(world, at, asked)
    if (days.length === 0) continue
    population += 1
    const touches = asked.steps.map(step => touchesOf(deeds, at, { ...asked, step }))
    const entry = touches[0]?.find(({ day }) => days.includes(day))
    if (entry === undefined) continue
    if (entry.day + asked.windowDays >= asked.today) immature += 1
    else ways.push(follow(entry, touches, asked))
  }
  return { eligible: population - immature, immature, steps: asked.steps.map((_, at) => countOf(ways, at)) }
}

/** The days of the window on which what the learner does counts; none for who is not in P. */
export function countedDays(world: World, at: number, { from, to, today, filter, membership }: NaiveJourney): number[] {
  const days = Array.from({ length: to - from }, (_, nth) => from + nth)
  const belongsOn = (day: number) => isMember(world, { at, day, tenureAt: to }, filter)
  if (membership === 'at_event') return days.filter(belongsOn)
  return belongsOn(membership === 'current' ? today : from) ? days : []
}

function touchesOf(
  deeds: readonly Deed[],
  at: number,
  { step, module, timeZone }: Pick<NaiveSteps, 'module' | 'timeZone'> & { readonly step: string }
): readonly Touch[] {
  const isReceived = step.endsWith('-received')
  const kind = step.replace('-received', '')
  return deeds
    .filter(deed => !deed.voided && deed.kind === kind && (module === null || deed.module === module))
    .filter(deed => (isReceived ? deed.about === at : deed.by === at))
    .map(deed => ({ at: deed.at, day: dayOf(deed.at, timeZone) }))
    .sort((a, b) => a.at - b.at)
}

/** The instants at which the steps were reached, as far as the learner came. */
function follow(entry: Touch, touches: readonly (readonly Touch[])[], asked: NaiveSteps): number[] {
  const { steps, mode, windowDays, from } = asked
  const way = [entry.at]
  for (let step = 1; step < steps.length; step++) {
    const previous = way[step - 1] ?? 0
    const inBracket = (touches[step] ?? []).filter(({ day }) => day <= entry.day + windowDays)
    if (mode === 'unordered') {
      const first = inBracket.find(({ day }) => day >= Math.max(from, entry.day - windowDays))
      if (first === undefined) break
      way.push(Math.max(previous, first.at))
      continue
    }
    const later = inBracket.filter(({ at }) => at >= previous)
    const next = steps[step] === steps[step - 1] ? later[1] : later[0]
    if (next === undefined) break
    const others = touches.filter((_, other) => other !== step && other !== step - 1).flat()
    if (mode === 'strict' && others.some(({ at }) => at > previous && at < next.at)) break
    way.push(next.at)
  }
  return way
}

function countOf(ways: readonly number[][], at: number) {
  const reached = ways.filter(way => way.length > at)
  const seconds = (since: (way: readonly number[]) => number) =>
    reached.map(way => ((way[at] ?? 0) - since(way)) / 1000).sort((a, b) => a - b)
  const fromFirst = seconds(way => way[0] ?? 0)
  const fromPrevious = seconds(way => way[Math.max(0, at - 1)] ?? 0)
  return {
    position: at + 1,
    n: reached.length,
    medianFromFirst: quantile(fromFirst, 0.5),
    p90FromFirst: quantile(fromFirst, 0.9),
    medianFromPrevious: quantile(fromPrevious, 0.5),
    p90FromPrevious: quantile(fromPrevious, 0.9)
  }
}

/** Between the two nearest, in proportion. */
function quantile(sorted: readonly number[], share: number): number | null {
  if (sorted.length === 0) return null
  const place = share * (sorted.length - 1)
  const [low, high] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0]
  return Math.round((low + (high - low) * (place % 1)) * 1000) / 1000
}
