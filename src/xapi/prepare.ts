import { LrsError } from '../errors.js'
import { activitiesIn, agentsIn, authorityKey, type Mentions } from './mentions.js'
import type { ReceivedStatement } from './parse.js'
import { type MemberSpan, memberSpans } from './scan.js'
import { type Actor, type Statement, VOIDED } from './statement.js'
import { toUtc } from './timestamp.js'
import { ruleName, rulesOf, type XapiVersion } from './version.js'

/** What a statement takes on from its request. */
export interface PrepareContext {
  /** The id that the request gives as a parameter. */
  readonly id?: string
  /** Makes the id of a statement that has none. */
  readonly makeId: () => string
  /** The authority of the credential, as JSON text. */
  readonly authority: string
  /** Whether an authority that was sent stays. */
  readonly keepsAuthority?: boolean
  readonly version: XapiVersion
}

/** A statement ready to be stored, but for the moment of storing. */
export interface PreparedStatement {
  /** Lower-case UUID. */
  readonly id: string
  /** The text as it will be returned, but for `stored`. */
  readonly text: string
  /** UTC, with every digit sent; null if none was sent, when it will be the same as `stored`. */
  readonly timestamp: string | null
  /** IRI. */
  readonly verb: string
  /** The agents that it names, by their keys of identity. */
  readonly agents: Mentions
  /** The activities that it names, by their IRIs. */
  readonly activities: Mentions
  /** The authority's key of identity. */
  readonly authority: string
  /** Lower-case UUID. */
  readonly registration: string | null
  /** The id, in lower case, of the statement that its object is a reference to. */
  readonly refersTo: string | null
  /** The same, for a statement that voids. */
  readonly voids: string | null
  /** What was sent: what the store sets is only in the text. */
  readonly value: Statement
}

interface Edit {
  readonly start: number
  readonly end: number
  readonly replacement: string
}

function applyEdits(text: string, edits: Edit[]): string {
  let result = ''
  let at = 0
  for (const edit of edits.sort((a, b) => a.start - b.start)) {
    result += text.slice(at, edit.start) + edit.replacement
    at = edit.end
  }
  return result + text.slice(at)
}

function replaceTimestamp(member: MemberSpan, value: Pick<Statement, 'timestamp'>, edits: Edit[]): void {
  const utc = toUtc(value.timestamp ?? '')
  if (utc !== value.timestamp) edits.push({ start: member.start, end: member.end, replacement: `"${utc}"` })
}

/** Brackets around every context activity that was sent alone: the LRS returns lists only. */
function wrapActivities(text: string, contextAt: number, edits: Edit[]): void {
  const activities = memberSpans(text, contextAt).find(member => member.key === 'contextActivities')
  if (activities === undefined) return
  for (const { start, end } of memberSpans(text, activities.start)) {
    if (text[start] === '{') edits.push({ start, end, replacement: `[${text.slice(start, end)}]` })
  }
}

function editSubStatement(text: string, at: number, value: Pick<Statement, 'timestamp'>, edits: Edit[]): void {
  for (const member of memberSpans(text, at)) {
    if (member.key === 'timestamp') replaceTimestamp(member, value, edits)
    if (member.key === 'context') wrapActivities(text, member.start, edits)
  }
}

/** Takes a member out together with one comma: the one after it, or the one before if it is the last. */
function removeMember(members: readonly MemberSpan[], index: number, edits: Edit[]): void {
  const member = members[index]
  if (member === undefined) return
  const next = members[index + 1]
  const previous = members[index - 1]
  edits.push({
    start: next === undefined ? (previous?.end ?? member.keyStart) : member.keyStart,
    end: next?.keyStart ?? member.end,
    replacement: ''
  })
}

function editMembers(text: string, members: readonly MemberSpan[], value: Statement, known: Set<string>): Edit[] {
  const edits: Edit[] = []
  for (const [index, member] of members.entries()) {
    known.add(member.key)
    if (member.key === 'timestamp') replaceTimestamp(member, value, edits)
    else if (member.key === 'stored') removeMember(members, index, edits)
    else if (member.key === 'context') wrapActivities(text, member.start, edits)
    else if (member.key === 'object' && value.object.objectType === 'SubStatement') {
      editSubStatement(text, member.start, value.object, edits)
    }
  }
  return edits
}

/** The text as sent apart from what the standard has the LRS set; never serialised anew. */
function finalText(text: string, value: Statement, id: string, context: PrepareContext): string {
  const members = memberSpans(text)
  const known = new Set<string>()
  const edits = editMembers(text, members, value, known)
  for (const { key, start, end } of members) {
    if (key === 'id' && value.id !== id) edits.push({ start, end, replacement: `"${id}"` })
    if (key === 'authority' && context.keepsAuthority !== true)
      edits.push({ start, end, replacement: context.authority })
  }
  const first = members[0]?.keyStart ?? 1
  // In front of the other edits, one of which may take out the first member.
  if (!known.has('id')) edits.unshift({ start: first, end: first, replacement: `"id":"${id}",` })
  let added = ''
  if (!known.has('authority')) added += `,"authority":${context.authority}`
  if (!known.has('version')) added += `,"version":"${rulesOf(context.version).defaultStatementVersion}"`
  return append(applyEdits(text, edits), added)
}

/** Puts members, each with its comma in front, behind the last one of an object that has some. */
function append(text: string, members: string): string {
  return `${openText({ text })}${members}}`
}

/** The text up to where members can be put behind its last one: without the brace that closes it. */
export function openText({ text }: Pick<PreparedStatement, 'text'>): string {
  return text.slice(0, -1).trimEnd()
}

/** The authority that was sent, where the credential may assert one. */
function keptAuthority(value: Statement, context: PrepareContext): Actor | null {
  return context.keepsAuthority === true ? (value.authority ?? null) : null
}

function chooseId(value: Statement, context: PrepareContext): string {
  const sent = value.id?.toLowerCase()
  const wanted = context.id?.toLowerCase()
  if (sent !== undefined && wanted !== undefined && sent !== wanted) {
    throw new LrsError('invalid-statement', `The statement's id, ${sent}, is not the one of the request, ${wanted}`, {
      pointer: '/id',
      rule: ruleName(rulesOf(context.version), 'id', 'same-id')
    })
  }
  return sent ?? wanted ?? context.makeId().toLowerCase()
}

/**
 * Prepares a valid statement for storing: settles its id, edits its text and reads what is looked up by.
 *
 * The text stays as sent except for what the standard has the LRS set: `id` set or lower-cased, `authority` replaced,
 * `version` added if absent, `stored` removed, timestamps in UTC with all their digits, and context activities sent
 * alone put in a list (the last two in a SubStatement too).
 *
 * @throws LrsError `invalid-statement` if the statement's id is not the one of the request.
 * @see xAPI 1.0.3 Data 2.3.1 and 2.4
 */
export function prepareStatement(received: ReceivedStatement, context: PrepareContext): PreparedStatement {
  // The caller has validated it, which is what makes this a Statement.
  const value = received.value as Statement
  const id = chooseId(value, context)
  const { object, verb } = value
  const refersTo = object.objectType === 'StatementRef' ? object.id.toLowerCase() : null
  return {
    id,
    text: finalText(received.text, value, id, context),
    timestamp: value.timestamp === undefined ? null : toUtc(value.timestamp),
    verb: verb.id,
    agents: agentsIn(value),
    activities: activitiesIn(value),
    authority: authorityKey(keptAuthority(value, context) ?? (JSON.parse(context.authority) as Actor)),
    registration: value.context?.registration?.toLowerCase() ?? null,
    refersTo,
    voids: verb.id === VOIDED ? refersTo : null,
    value
  }
}

/**
 * The final text of a statement: with `stored`, and with `timestamp` the same if none was sent.
 *
 * @param stored UTC, as `2025-01-31T12:30:00.000Z`.
 * @see xAPI 1.0.3 Data 2.4.7 and 2.4.8
 */
export function stampStored(prepared: PreparedStatement, stored: string): string {
  const timestamp = prepared.timestamp === null ? `,"timestamp":"${stored}"` : ''
  return append(prepared.text, `,"stored":"${stored}"${timestamp}`)
}
