import { memberSpans } from './scan.js'
import { type Actor, VOIDED } from './statement.js'

/** Stands where an erased person stood: one for all of them, so that nobody can be told apart by it. */
export const erasedAgent = {
  objectType: 'Agent',
  account: { homePage: 'https://w3id.org/momentum-lrs/erased', name: 'erased' }
} as const satisfies Actor

const erasedText = JSON.stringify(erasedAgent)

/** Says whether an identifier, in the form of `ifiOf`, is the erased agent's or a credential's, and so no person's. */
export function isOwnIdentifier(identifier: string): boolean {
  return identifier.startsWith('["account","https://w3id.org/momentum-lrs/')
}

/** A statement's text with the erased agent for its authority, and otherwise as it was. @see xAPI 1.0.3 Data 2.4.9 */
export function withoutAuthority(text: string): string {
  const authority = memberSpans(text).find(({ key }) => key === 'authority')
  return authority === undefined ? text : text.slice(0, authority.start) + erasedText + text.slice(authority.end)
}

/** What a voiding statement keeps when its person is erased, besides actor and verb. */
const keptOfVoid = new Set(['id', 'object', 'authority', 'version', 'stored', 'timestamp'])

/** A voiding statement's text with nothing left but that it voids what it voids: no result, context or attachment. */
export function bareVoid(text: string): string {
  const kept = memberSpans(text).filter(({ key }) => keptOfVoid.has(key))
  const members = kept.map(({ key, start, end }) => `"${key}":${text.slice(start, end)}`)
  return `{"actor":${erasedText},"verb":{"id":"${VOIDED}"},${members.join(',')}}`
}
