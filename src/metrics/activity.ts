import { type RawBuilder, sql } from 'kysely'
import type { LearnerDayCounts } from '../database/schema.js'

/**
 * What each column of a learner-day says of the learner: `deed`, the learner did it; `done_to`, it happened to them
 * while they were the statement's actor; `received`, somebody else was the actor; `excluded`, no metric counts it.
 */
const roles: Readonly<Record<keyof LearnerDayCounts, 'deed' | 'done_to' | 'received' | 'excluded'>> = {
  delivered: 'done_to',
  opened: 'deed',
  completed_task: 'deed',
  repeated_session: 'deed',
  peer_feedback: 'deed',
  peer_feedback_received: 'received',
  manager_check: 'deed',
  manager_check_received: 'received',
  assessed: 'deed',
  completed: 'deed',
  started: 'deed',
  terminated: 'deed',
  posted: 'deed',
  replied: 'deed',
  endorsed: 'deed',
  reward_offered: 'done_to',
  reward_claimed: 'deed',
  visited: 'deed',
  voided: 'excluded',
  future: 'excluded'
}

/**
 * Whether a learner-day is active (our definition): at least one event that the learner did themself. Being sent
 * something (*delivered*, *reward-offered*) and being the subject of someone else's deed don't make a day active.
 */
export const isActiveDay: RawBuilder<boolean> = sql<boolean>`(${sumOf('deed')} > 0)`

/** The events of a learner-day whose actor is the learner. */
export const actorEvents: RawBuilder<number> = sql<number>`(${sumOf('deed', 'done_to')})`

function sumOf(...wanted: readonly string[]): RawBuilder<number> {
  const columns = Object.entries(roles).filter(([, role]) => wanted.includes(role))
  return sql<number>`${sql.join(
    columns.map(([column]) => sql.ref(column)),
    sql` + `
  )}`
}
