/** The versions of the standard that are spoken here, as the `X-Experience-API-Version` header answers them. */
export type XapiVersion = '1.0.3' | '2.0.0'

/** The topics of the data rules; each version has its own section for each. */
export type Topic =
  | 'formatting'
  | 'voiding'
  | 'statement'
  | 'id'
  | 'agent'
  | 'group'
  | 'ifi'
  | 'account'
  | 'verb'
  | 'object'
  | 'activity'
  | 'statement-ref'
  | 'sub-statement'
  | 'result'
  | 'score'
  | 'context'
  | 'context-activities'
  | 'context-agents'
  | 'timestamp'
  | 'stored'
  | 'authority'
  | 'version'
  | 'attachment'
  | 'signature'
  | 'extensions'
  | 'language-map'
  | 'iri'
  | 'uuid'
  | 'time'
  | 'duration'

/** Everything in which the data rules of the two versions differ, as data. */
export interface VersionRules {
  readonly version: XapiVersion
  /** The version that a statement gets which was sent without one. */
  readonly defaultStatementVersion: '1.0.0' | '2.0.0'
  /** What a statement's `version` may be. */
  readonly statementVersion: RegExp
  /** Whether a context may have `contextAgents` and `contextGroups`. */
  readonly allowsContextAgents: boolean
  /** Whether a timestamp must be RFC 3339 (extended format, seconds, zone); otherwise ISO 8601 date and time. */
  readonly requiresRfc3339: boolean
  /** Whether a State document may be replaced by a PUT without If-Match; otherwise that is a conflict. */
  readonly stateMayBeOverwritten: boolean
  /** Whether even a new profile may only be PUT with If-None-Match. */
  readonly profileNeedsPrecondition: boolean
  /** Whether a POST with `?method=` stands for a request of that method. */
  readonly allowsAlternateSyntax: boolean
  /** What a section is called in front of a rule's name. */
  readonly sectionPrefix: string
  readonly sections: Readonly<Record<Topic, string>>
}

const rules103: VersionRules = {
  version: '1.0.3',
  defaultStatementVersion: '1.0.0',
  statementVersion: /^1\.0(?:\.(?:0|[1-9]\d{0,5}))?$/,
  allowsContextAgents: false,
  requiresRfc3339: false,
  stateMayBeOverwritten: true,
  profileNeedsPrecondition: true,
  allowsAlternateSyntax: true,
  sectionPrefix: 'xAPI 1.0.3 Data',
  sections: {
    formatting: '2.2',
    voiding: '2.3.2',
    statement: '2.4',
    id: '2.4.1',
    agent: '2.4.2.1',
    group: '2.4.2.2',
    ifi: '2.4.2.3',
    account: '2.4.2.4',
    verb: '2.4.3',
    object: '2.4.4',
    activity: '2.4.4.1',
    'statement-ref': '2.4.4.3',
    'sub-statement': '2.4.4.3',
    result: '2.4.5',
    score: '2.4.5.1',
    context: '2.4.6',
    'context-activities': '2.4.6.2',
    'context-agents': '2.4.6',
    timestamp: '2.4.7',
    stored: '2.4.8',
    authority: '2.4.9',
    version: '2.4.10',
    attachment: '2.4.11',
    signature: '2.6',
    extensions: '4.1',
    'language-map': '4.2',
    iri: '4.3',
    uuid: '4.4',
    time: '4.5',
    duration: '4.6'
  }
}

const rules200: VersionRules = {
  version: '2.0.0',
  defaultStatementVersion: '2.0.0',
  // A 2.0 store still takes the statements of 1.0.x, which keep the version that they came with.
  statementVersion: /^(?:1\.0|2\.0)(?:\.(?:0|[1-9]\d{0,5}))?$/,
  allowsContextAgents: true,
  requiresRfc3339: true,
  stateMayBeOverwritten: false,
  profileNeedsPrecondition: false,
  allowsAlternateSyntax: false,
  sectionPrefix: 'xAPI 2.0',
  sections: {
    formatting: '4.2',
    voiding: '4.2.5',
    statement: '4.2.2',
    id: '4.2.4.2',
    agent: '4.2.2.1',
    group: '4.2.2.1',
    ifi: '4.2.2.1',
    account: '4.2.2.1',
    verb: '4.2.2.2',
    object: '4.2.2.3',
    activity: '4.2.2.3',
    'statement-ref': '4.2.2.3',
    'sub-statement': '4.2.2.3',
    result: '4.2.2.4',
    score: '4.2.2.4',
    context: '4.2.2.5',
    'context-activities': '4.2.2.5',
    'context-agents': '4.2.2.5',
    timestamp: '4.2.4.2',
    stored: '4.2.4.2',
    authority: '4.2.4.2',
    version: '4.2.4.3',
    attachment: '4.2.2.6',
    signature: '4.2.2.6',
    extensions: '4.2.7',
    'language-map': '4.2.7',
    iri: '4.2.7',
    uuid: '4.2.7',
    time: '4.2.7',
    duration: '4.2.7'
  }
}

/** The data rules of one version. */
export function rulesOf(version: XapiVersion): VersionRules {
  return version === '1.0.3' ? rules103 : rules200
}

/** The name of a rule as errors report it, e.g. `xAPI 1.0.3 Data 2.4.2.3 one-ifi`. */
export function ruleName(rules: VersionRules, topic: Topic, name: string): string {
  return `${rules.sectionPrefix} ${rules.sections[topic]} ${name}`
}

const header = /^([12])\.0(?:\.(?:0|[1-9]\d{0,5}))?$/

/**
 * Chooses the version that a request speaks from its `X-Experience-API-Version` header.
 *
 * `1.0` and `1.0.x` are 1.0.3, `2.0` and `2.0.x` are 2.0.0; null for everything else.
 *
 * @see xAPI 1.0.3 Communication 3.3
 */
export function negotiateVersion(value: string): XapiVersion | null {
  const major = header.exec(value)?.[1]
  if (major === undefined) return null
  return major === '1' ? '1.0.3' : '2.0.0'
}
