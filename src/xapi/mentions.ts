import { ifiOf } from './ifi.js'
import {
  type Activity,
  type Actor,
  activitiesOf,
  type Context,
  isActivity,
  isActor,
  type Statement,
  type StatementObject,
  type SubStatement
} from './statement.js'

/** The words by which a statement is found: those of the plain filters, and those of the broad ones besides. */
export interface Mentions {
  readonly direct: ReadonlySet<string>
  /** Only with related_agents or related_activities; none that is direct too. */
  readonly related: ReadonlySet<string>
}

/**
 * The agents that a statement names, as the identifiers that `ifiOf` gives.
 *
 * Direct are actor and object; related are instructor, team, contextAgents and contextGroups, and all of these in a
 * SubStatement. A group stands for itself and for its members. The authority is not among them: it is the same for
 * all statements of a credential, and has a column of its own.
 *
 * @see xAPI 1.0.3 Communication 2.1.3, parameters agent and related_agents
 */
export function agentsIn({ actor, object, context }: Statement): Mentions {
  const direct = new Set([actor, ...actorsIn(object)].flatMap(identifiersOf))
  const related = [...actorsInContext(context), ...actorsInSubStatement(object)].flatMap(identifiersOf)
  return { direct, related: without(related, direct) }
}

/**
 * The IRIs of the activities that a statement names: direct is its object, related are those of its context, and both
 * in a SubStatement.
 *
 * @see xAPI 1.0.3 Communication 2.1.3, parameters activity and related_activities
 */
export function activitiesIn({ object, context }: Statement): Mentions {
  const direct = new Set(activityIn(object).map(({ id }) => id))
  const nested = isSubStatement(object) ? [...activityIn(object.object), ...activitiesInContext(object.context)] : []
  const related = [...activitiesInContext(context), ...nested].map(({ id }) => id)
  return { direct, related: without(related, direct) }
}

/**
 * The identity of an authority: `ifiOf` for an Agent, and for the pair of an OAuth consumer and its user both members'.
 *
 * @see xAPI 1.0.3 Data 2.4.9
 */
export function authorityKey(authority: Actor): string {
  return ifiOf(authority) ?? JSON.stringify(['group', ...identifiersOf(authority).sort()])
}

function identifiersOf(actor: Actor): string[] {
  const members = actor.objectType === 'Group' ? (actor.member ?? []) : []
  return [actor, ...members].flatMap(named => ifiOf(named) ?? [])
}

function actorsIn(object: StatementObject): readonly Actor[] {
  return isActor(object) ? [object] : []
}

function actorsInContext(context: Context | undefined): readonly Actor[] {
  if (context === undefined) return []
  const { instructor, team, contextAgents = [], contextGroups = [] } = context
  return [
    instructor,
    team,
    ...contextAgents.map(({ agent }) => agent),
    ...contextGroups.map(({ group }) => group)
  ].filter(actor => actor !== undefined)
}

function actorsInSubStatement(object: StatementObject): readonly Actor[] {
  if (!isSubStatement(object)) return []
  return [object.actor, ...actorsIn(object.object), ...actorsInContext(object.context)]
}

function activityIn(object: StatementObject): readonly Activity[] {
  return isActivity(object) ? [object] : []
}

function activitiesInContext(context: Context | undefined): readonly Activity[] {
  const { parent, grouping, category, other } = context?.contextActivities ?? {}
  return [parent, grouping, category, other].flatMap(activitiesOf)
}

function isSubStatement(object: StatementObject): object is SubStatement {
  return object.objectType === 'SubStatement'
}

function without(words: readonly string[], taken: ReadonlySet<string>): ReadonlySet<string> {
  return new Set(words.filter(word => !taken.has(word)))
}
