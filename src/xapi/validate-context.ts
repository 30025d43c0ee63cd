import { checkExtensions, checkIri, checkLanguageTag, checkString, checkUuid } from './formats.js'
import { checkContextActivities } from './validate-activity.js'
import { checkActor, checkAgent, checkGroup } from './validate-actor.js'
import type { VersionRules } from './version.js'
import {
  arrayOf,
  broken,
  type Check,
  checkObject,
  exactly,
  type ObjectShape,
  objectOf,
  type Violation
} from './violation.js'

/** Checks a reference to another statement. @see xAPI 1.0.3 Data 2.4.4.3 */
export const checkStatementRef = objectOf({
  topic: 'statement-ref',
  called: 'A StatementRef',
  properties: new Map([
    ['objectType', exactly('StatementRef', 'statement-ref')],
    ['id', checkUuid]
  ]),
  required: ['objectType', 'id']
})

const checkTypes = arrayOf(checkIri, 'context-agents', 'relevantTypes')

const checkRelevantTypes: Check = (value, rules) => {
  if (Array.isArray(value) && value.length === 0) {
    return broken(rules, 'context-agents', 'relevant-types', 'relevantTypes must not be empty')
  }
  return checkTypes(value, rules)
}

function checkContextActors(key: 'agent' | 'group', check: Check): Check {
  const objectType = key === 'agent' ? 'contextAgent' : 'contextGroup'
  const element = objectOf({
    topic: 'context-agents',
    called: `A ${objectType}`,
    properties: new Map([
      ['objectType', exactly(objectType, 'context-agents')],
      [key, check],
      ['relevantTypes', checkRelevantTypes]
    ]),
    required: ['objectType', key]
  })
  return arrayOf(element, 'context-agents', `${objectType}s`)
}

const common: readonly (readonly [string, Check])[] = [
  ['registration', checkUuid],
  ['instructor', checkActor],
  ['team', checkGroup],
  ['contextActivities', checkContextActivities],
  ['revision', checkString],
  ['platform', checkString],
  ['language', checkLanguageTag],
  ['statement', checkStatementRef],
  ['extensions', checkExtensions]
]

const context: ObjectShape = { topic: 'context', called: 'A context', properties: new Map(common), required: [] }

const contextWithAgents: ObjectShape = {
  ...context,
  properties: new Map([
    ...common,
    ['contextAgents', checkContextActors('agent', checkAgent)],
    ['contextGroups', checkContextActors('group', checkGroup)]
  ])
}

/** Checks a context by itself; what depends on the statement's object is checked with the statement. */
export function checkContext(value: unknown, rules: VersionRules): Violation | null {
  return checkObject(value, rules.allowsContextAgents ? contextWithAgents : context, rules)
}
