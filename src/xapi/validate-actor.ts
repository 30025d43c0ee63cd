import { checkAccountName, checkIri, checkMailto, checkSha1, checkString, checkUri } from './formats.js'
import { rulesOf, type VersionRules, type XapiVersion } from './version.js'
import {
  arrayOf,
  broken,
  type Check,
  checkObject,
  exactly,
  isObject,
  type JsonObject,
  type ObjectShape,
  objectOf,
  under,
  type Violation
} from './violation.js'

const checkAccount = objectOf({
  topic: 'account',
  called: 'An account',
  properties: new Map([
    ['homePage', checkIri],
    ['name', checkAccountName]
  ]),
  required: ['homePage', 'name']
})

const identifiers: readonly (readonly [string, Check])[] = [
  ['mbox', checkMailto],
  ['mbox_sha1sum', checkSha1],
  ['openid', checkUri],
  ['account', checkAccount]
]

const agentShape: ObjectShape = {
  topic: 'agent',
  called: 'An Agent',
  properties: new Map([['objectType', exactly('Agent', 'agent')], ['name', checkString], ...identifiers]),
  required: []
}

function countIdentifiers(actor: JsonObject): number {
  let count = 0
  for (const [key] of identifiers) if (Object.hasOwn(actor, key)) count++
  return count
}

function manyIdentifiers(rules: VersionRules, called: string, count: number): Violation {
  return broken(
    rules,
    'ifi',
    'one-ifi',
    `${called} must have exactly one of mbox, mbox_sha1sum, openid and account, not ${count}`
  )
}

/** Checks an Agent; one in the place of a statement's object has to say so, which is not asked here. */
export const checkAgent: Check = (value, rules) => {
  const violation = checkObject(value, agentShape, rules)
  if (violation !== null) return violation
  const count = countIdentifiers(value as JsonObject)
  return count === 1 ? null : manyIdentifiers(rules, 'An Agent', count)
}

const groupShape: ObjectShape = {
  topic: 'group',
  called: 'A Group',
  properties: new Map([
    ['objectType', exactly('Group', 'group')],
    ['name', checkString],
    // Agents only: a Group as a member fails at its objectType.
    ['member', arrayOf(checkAgent, 'group', 'The members of a Group')],
    ...identifiers
  ]),
  required: ['objectType']
}

/** Checks a Group: identified by one IFI, or anonymous with its members. */
export const checkGroup: Check = (value, rules) => {
  const violation = checkObject(value, groupShape, rules)
  if (violation !== null) return violation
  const group = value as JsonObject
  const count = countIdentifiers(group)
  if (count > 1) return manyIdentifiers(rules, 'A Group', count)
  if (count === 1 || Object.hasOwn(group, 'member')) return null
  return broken(rules, 'group', 'member-required', 'A Group without an IFI is anonymous and must have "member"')
}

/** Checks an actor: an Agent unless it says that it is a Group. */
export const checkActor: Check = (value, rules) => {
  if (!isObject(value)) return checkAgent(value, rules)
  const { objectType } = value
  if (objectType === 'Group') return checkGroup(value, rules)
  if (objectType === undefined || objectType === 'Agent') return checkAgent(value, rules)
  return under(
    'objectType',
    broken(rules, 'agent', 'enumerated', 'The objectType of an actor must be "Agent" or "Group"')
  )
}

/**
 * Checks an Agent or an identified Group, as the parameters of requests carry them; null when it is valid.
 *
 * The rules of actors are the same in all versions; the version only names the section of a broken one.
 */
export function validateAgent(value: unknown, version: XapiVersion = '1.0.3'): Violation | null {
  const rules = rulesOf(version)
  const violation = checkActor(value, rules)
  if (violation !== null) return violation
  if (countIdentifiers(value as JsonObject) === 1) return null
  return broken(rules, 'ifi', 'one-ifi', 'An anonymous Group has no IFI by which it could be found')
}

/**
 * Checks an authority: an Agent, or the pair of an OAuth consumer and its user as an anonymous Group of two.
 *
 * The consumer is the member with an account; either may come first.
 *
 * @see xAPI 1.0.3 Data 2.4.9
 */
export const checkAuthority: Check = (value, rules) => {
  const violation = checkActor(value, rules)
  if (violation !== null) return violation
  const authority = value as JsonObject
  if (authority.objectType !== 'Group') return null
  const member = authority.member
  if (countIdentifiers(authority) > 0 || !Array.isArray(member) || member.length !== 2) {
    return broken(
      rules,
      'authority',
      'two-members',
      'An authority that is a Group must be anonymous and have exactly two members'
    )
  }
  return member.some(agent => Object.hasOwn(agent as JsonObject, 'account'))
    ? null
    : broken(
        rules,
        'authority',
        'oauth-consumer',
        'One member of an authority must be the OAuth consumer, identified by account'
      )
}
