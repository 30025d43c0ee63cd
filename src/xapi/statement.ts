/** The verb of a statement that voids another. @see xAPI 1.0.3 Data 2.3.2 */
export const VOIDED = 'http://adlnet.gov/expapi/verbs/voided'

/** The usage type of an attachment that signs its statement. @see xAPI 1.0.3 Data 2.6 */
export const SIGNATURE = 'http://adlnet.gov/expapi/attachments/signature'

/** Texts by RFC 5646 language tag. */
export type LanguageMap = Readonly<Record<string, string>>

/** Values of any shape by IRI. */
export type Extensions = Readonly<Record<string, unknown>>

/** An account on some system: only both parts together identify. */
export interface Account {
  readonly homePage: string
  readonly name: string
}

interface Identified {
  readonly name?: string
  readonly mbox?: string
  readonly mbox_sha1sum?: string
  readonly openid?: string
  readonly account?: Account
}

/** A person or system, identified by exactly one inverse functional identifier (IFI). */
export interface Agent extends Identified {
  readonly objectType?: 'Agent'
}

/** A group: identified by one IFI, or anonymous with its members listed. */
export interface Group extends Identified {
  readonly objectType: 'Group'
  readonly member?: readonly Agent[]
}

export type Actor = Agent | Group

export interface Verb {
  readonly id: string
  readonly display?: LanguageMap
}

export interface InteractionComponent {
  readonly id: string
  readonly description?: LanguageMap
}

export type InteractionType =
  | 'true-false'
  | 'choice'
  | 'fill-in'
  | 'long-fill-in'
  | 'matching'
  | 'performance'
  | 'sequencing'
  | 'likert'
  | 'numeric'
  | 'other'

export interface ActivityDefinition {
  readonly name?: LanguageMap
  readonly description?: LanguageMap
  readonly type?: string
  readonly moreInfo?: string
  readonly extensions?: Extensions
  readonly interactionType?: InteractionType
  readonly correctResponsesPattern?: readonly string[]
  readonly choices?: readonly InteractionComponent[]
  readonly scale?: readonly InteractionComponent[]
  readonly source?: readonly InteractionComponent[]
  readonly target?: readonly InteractionComponent[]
  readonly steps?: readonly InteractionComponent[]
}

export interface Activity {
  readonly objectType?: 'Activity'
  readonly id: string
  readonly definition?: ActivityDefinition
}

/** A pointer to another statement, which need not be stored here. */
export interface StatementRef {
  readonly objectType: 'StatementRef'
  readonly id: string
}

export interface Score {
  readonly scaled?: number
  readonly raw?: number
  readonly min?: number
  readonly max?: number
}

export interface Result {
  readonly score?: Score
  readonly success?: boolean
  readonly completion?: boolean
  readonly response?: string
  /** ISO 8601 duration, as sent. */
  readonly duration?: string
  readonly extensions?: Extensions
}

/** As sent: a single activity is allowed where a list is meant. */
export interface ContextActivities {
  readonly parent?: Activity | readonly Activity[]
  readonly grouping?: Activity | readonly Activity[]
  readonly category?: Activity | readonly Activity[]
  readonly other?: Activity | readonly Activity[]
}

/** xAPI 2.0 only. */
export interface ContextAgent {
  readonly objectType: 'contextAgent'
  readonly agent: Agent
  readonly relevantTypes?: readonly string[]
}

/** xAPI 2.0 only. */
export interface ContextGroup {
  readonly objectType: 'contextGroup'
  readonly group: Group
  readonly relevantTypes?: readonly string[]
}

export interface Context {
  readonly registration?: string
  readonly instructor?: Actor
  readonly team?: Group
  readonly contextActivities?: ContextActivities
  readonly contextAgents?: readonly ContextAgent[]
  readonly contextGroups?: readonly ContextGroup[]
  readonly revision?: string
  readonly platform?: string
  readonly language?: string
  readonly statement?: StatementRef
  readonly extensions?: Extensions
}

export interface Attachment {
  readonly usageType: string
  readonly display: LanguageMap
  readonly description?: LanguageMap
  readonly contentType: string
  /** Octets. */
  readonly length: number
  /** Hexadecimal. */
  readonly sha2: string
  readonly fileUrl?: string
}

interface Event {
  readonly actor: Actor
  readonly verb: Verb
  readonly result?: Result
  readonly context?: Context
  readonly timestamp?: string
  readonly attachments?: readonly Attachment[]
}

/** A statement inside a statement, which does not say that it happened. */
export interface SubStatement extends Event {
  readonly objectType: 'SubStatement'
  readonly object: Activity | Actor | StatementRef
}

export type StatementObject = Activity | Actor | StatementRef | SubStatement

/** A statement as it was sent; what the store sets (id, authority, stored, version, timestamp) may be missing. */
export interface Statement extends Event {
  readonly id?: string
  readonly object: StatementObject
  readonly stored?: string
  readonly authority?: Actor
  readonly version?: string
}

/** Whether the object is an activity, which is what an object without `objectType` is. */
export function isActivity(object: StatementObject): object is Activity {
  return object.objectType === undefined || object.objectType === 'Activity'
}

/** Whether the object is an agent or a group; as an object, an agent has to say so. */
export function isActor(object: StatementObject): object is Actor {
  return object.objectType === 'Agent' || object.objectType === 'Group'
}

/** The activities of one kind of context, as a list however they were sent. */
export function activitiesOf(value: Activity | readonly Activity[] | undefined): readonly Activity[] {
  if (value === undefined) return []
  return 'id' in value ? [value] : value
}
