import { ifiOf } from './ifi.js'
import { decodeString, elementSpans, type MemberSpan, memberSpans } from './scan.js'
import { type Actor, type Context, isActor, type Statement, type SubStatement } from './statement.js'

/** What a statement says of something that outlives it: how an activity is defined, a verb displayed, an agent named. */
export interface Description {
  readonly of: 'activity' | 'verb' | 'agent'
  /** IRI of the activity or verb; identifier of the agent in the form of `ifiOf`. */
  readonly word: string
  /** JSON text: a definition, a language map or a name; slices of the statement as it was sent. */
  readonly text: string
}

/**
 * Finds what a valid statement says of activities, verbs and agents, wherever in it, its SubStatement included.
 *
 * Left out are the names of groups, for a group may share its identifier with an agent, the authority, and what is
 * empty.
 */
export function descriptionsOf(text: string, value: Statement): readonly Description[] {
  const found: Description[] = []
  readEvent(text, 0, found)
  readNames(value, found)
  if (value.object.objectType === 'SubStatement') readNames(value.object, found)
  return found
}

function readEvent(text: string, at: number, found: Description[]): void {
  for (const { key, start } of memberSpans(text, at)) {
    if (key === 'verb') readDescribed({ text, at: start, of: 'verb', property: 'display' }, found)
    else if (key === 'object') readObject(text, start, found)
    else if (key === 'context') readContext(text, start, found)
  }
}

function readObject(text: string, at: number, found: Description[]): void {
  const type = stringIn(text, memberSpans(text, at), 'objectType')
  if (type === 'SubStatement') readEvent(text, at, found)
  else if (type === undefined || type === 'Activity') readActivity(text, at, found)
}

function readContext(text: string, at: number, found: Description[]): void {
  const activities = memberSpans(text, at).find(({ key }) => key === 'contextActivities')
  if (activities === undefined) return
  for (const { start } of memberSpans(text, activities.start)) {
    const starts = text[start] === '[' ? elementSpans(text, start).map(element => element.start) : [start]
    for (const activity of starts) readActivity(text, activity, found)
  }
}

function readActivity(text: string, at: number, found: Description[]): void {
  readDescribed({ text, at, of: 'activity', property: 'definition' }, found)
}

interface Described {
  readonly text: string
  readonly at: number
  readonly of: 'activity' | 'verb'
  readonly property: string
}

function readDescribed({ text, at, of, property }: Described, found: Description[]): void {
  const members = memberSpans(text, at)
  const description = members.find(({ key }) => key === property)
  if (description === undefined || memberSpans(text, description.start).length === 0) return
  const word = stringIn(text, members, 'id')
  if (word !== undefined) found.push({ of, word, text: text.slice(description.start, description.end) })
}

function stringIn(text: string, members: readonly MemberSpan[], name: string): string | undefined {
  const member = members.find(({ key }) => key === name)
  return member === undefined ? undefined : decodeString(text, member.start, member.end)
}

function readNames({ actor, object, context }: Statement | SubStatement, found: Description[]): void {
  const actors = [actor, ...(isActor(object) ? [object] : []), ...actorsOf(context)]
  for (const agent of actors.flatMap(agentsOf)) {
    const word = ifiOf(agent)
    // As JSON, which writes U+0000 and lone surrogates as escapes: PostgreSQL's text holds neither.
    if (word !== null && agent.name) found.push({ of: 'agent', word, text: JSON.stringify(agent.name) })
  }
}

function actorsOf(context: Context | undefined): readonly Actor[] {
  if (context === undefined) return []
  const { instructor, team, contextAgents = [], contextGroups = [] } = context
  const named = [...contextAgents.map(({ agent }) => agent), ...contextGroups.map(({ group }) => group)]
  return [instructor, team, ...named].filter(actor => actor !== undefined)
}

function agentsOf(actor: Actor): readonly Actor[] {
  return actor.objectType === 'Group' ? (actor.member ?? []) : [actor]
}
