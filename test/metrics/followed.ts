import type { LearningEventKind } from '../../src/database/schema.js'
import type { NaiveLearner, NaiveMoment, NaiveShare } from './agreement.js'
import { type Deed, deedsOf, type EventWorld } from './event-world.js'
import type { Person } from './world.js'

const learner: Person = { known: true, roster: [{ from: null, to: null, cohorts: [] }], days: [] }

/** A world for the worked examples: a learner in three modules, one in a fourth, one who only goes on, and one who doesn't. */
export function followedWorld(base: LearningEventKind, next: LearningEventKind): EventWorld {
  const deed = (kind: LearningEventKind, by: number, module: number, day: number, minute = 0): Deed => ({
    ...{ kind, by, module, activity: 7, day, minute }
  })
  return {
    people: [learner, learner, learner, learner],
    deeds: [
      ...[deed(base, 0, 0, 0, 600), deed(next, 0, 0, 0, 600), deed(base, 0, 1, 1, 600), deed(base, 0, 1, 3)],
      ...[deed(next, 0, 1, 2), deed(next, 0, 2, 4, 599), deed(base, 0, 2, 4, 600), deed(base, 1, 3, 6)],
      ...[deed(next, 1, 3, 7), deed(next, 2, 0, 1), deed(base, 2, 4, -1), deed(next, 2, 4, 0)]
    ]
  }
}

/** Counts the modules that a learner came to by one kind of event, and those in which they went on to another. */
export function followedShare([base, next]: readonly [LearningEventKind, LearningEventKind]) {
  return ({ at, countedDays }: NaiveLearner, moment: NaiveMoment, _options: object, world: EventWorld): NaiveShare => {
    const deeds = deedsOf(world, at, moment).filter(({ module }) => typeof module === 'number')
    const instantOf = ({ day, minute = 0 }: Deed) => day * 1440 + minute
    const begun = deeds.filter(({ kind, day }) => kind === base && countedDays.includes(day))
    const gone = begun.filter(first =>
      deeds.some(
        deed =>
          deed.kind === next &&
          deed.module === first.module &&
          deed.day < moment.to &&
          instantOf(deed) >= instantOf(first)
      )
    )
    const distinct = (all: readonly Deed[]) => new Set(all.map(({ module }) => module)).size
    return { x: distinct(gone), y: distinct(begun) }
  }
}
