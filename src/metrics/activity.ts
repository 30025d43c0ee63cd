import { type RawBuilder, sql } from 'kysely'
import { deedKinds, doneToKinds } from '../events/deed-kinds.js'
import { columnOf } from '../rollup/learner-days.js'

/**
 * Whether a learner-day is active (our definition): at least one event that the learner did themself. Being sent
 * something (*delivered*, *reward-offered*) and being the subject of someone else's deed don't make a day active.
 */
export const isActiveDay: RawBuilder<boolean> = sql<boolean>`(${sumOf(deedKinds)} > 0)`

/** The events of a learner-day whose actor is the learner. */
export const actorEvents: RawBuilder<number> = sql<number>`(${sumOf([...deedKinds, ...doneToKinds])})`

function sumOf(kinds: readonly (typeof deedKinds)[number][]): RawBuilder<number> {
  return sql<number>`${sql.join(
    kinds.map(kind => sql.ref(columnOf(kind))),
    sql` + `
  )}`
}
