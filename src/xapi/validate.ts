import { checkIri, checkLanguageMap, checkTimestamp, checkUuid } from './formats.js'
import { VOIDED } from './statement.js'
import { checkActivity } from './validate-activity.js'
import { checkActor, checkAgent, checkAuthority, checkGroup } from './validate-actor.js'
import { checkContext, checkStatementRef } from './validate-context.js'
import { checkAttachments, checkResult } from './validate-result.js'
import { rulesOf, type VersionRules, type XapiVersion } from './version.js'
import {
  broken,
  type Check,
  checkObject,
  describe,
  exactly,
  isObject,
  type JsonObject,
  type ObjectShape,
  objectOf,
  under,
  type Violation
} from './violation.js'

export { validateAgent } from './validate-actor.js'
export type { Violation } from './violation.js'

const checkVerb = objectOf({
  topic: 'verb',
  called: 'A verb',
  properties: new Map([
    ['id', checkIri],
    ['display', checkLanguageMap]
  ]),
  required: ['id']
})

const checkStatementVersion: Check = (value, rules) =>
  typeof value === 'string' && rules.statementVersion.test(value)
    ? null
    : broken(rules, 'version', 'version', `The version of a statement cannot be ${describe(value)} here`)

const checkPlainObject: Check = (value, rules) => checkObjectOf(value, rules, plainObjects)

const event: readonly (readonly [string, Check])[] = [
  ['actor', checkActor],
  ['verb', checkVerb],
  ['result', checkResult],
  ['context', checkContext],
  ['timestamp', checkTimestamp],
  ['attachments', checkAttachments]
]

const required = ['actor', 'verb', 'object']

const subStatementShape: ObjectShape = {
  topic: 'sub-statement',
  called: 'A SubStatement',
  properties: new Map([
    ['objectType', exactly('SubStatement', 'sub-statement')],
    ['object', checkPlainObject],
    ...event
  ]),
  required
}

const checkSubStatement: Check = (value, rules) => checkEvent(value, subStatementShape, rules)

const plainObjects: ReadonlyMap<unknown, Check> = new Map([
  [undefined, checkActivity],
  ['Activity', checkActivity],
  ['Agent', checkAgent],
  ['Group', checkGroup],
  ['StatementRef', checkStatementRef]
])

const objects: ReadonlyMap<unknown, Check> = new Map([...plainObjects, ['SubStatement', checkSubStatement]])

function checkObjectOf(value: unknown, rules: VersionRules, kinds: ReadonlyMap<unknown, Check>): Violation | null {
  if (!isObject(value)) return checkActivity(value, rules)
  const check = kinds.get(value.objectType)
  if (check !== undefined) return check(value, rules)
  const message =
    value.objectType === 'SubStatement'
      ? 'A SubStatement must not contain another SubStatement'
      : `There is no objectType ${describe(value.objectType)} for an object`
  return under('objectType', broken(rules, 'object', 'object-type', message))
}

const statementShape: ObjectShape = {
  topic: 'statement',
  called: 'A statement',
  properties: new Map([
    ['id', checkUuid],
    ['object', (value, rules) => checkObjectOf(value, rules, objects)],
    ['stored', checkTimestamp],
    ['authority', checkAuthority],
    ['version', checkStatementVersion],
    ...event
  ]),
  required
}

/** The rules that hold between the parts of a statement or SubStatement whose parts are each valid. */
function checkEvent(value: unknown, shape: ObjectShape, rules: VersionRules): Violation | null {
  const violation = checkObject(value, shape, rules)
  if (violation !== null) return violation
  const { verb, object, context } = value as Readonly<Record<'verb' | 'object' | 'context', JsonObject | undefined>>
  const objectType = object?.objectType
  if (verb?.id === VOIDED && objectType !== 'StatementRef') {
    return under(
      'object',
      broken(rules, 'voiding', 'statement-ref', 'A voiding statement must have a StatementRef as its object')
    )
  }
  if (context === undefined || objectType === undefined || objectType === 'Activity') return null
  for (const key of ['revision', 'platform']) {
    if (Object.hasOwn(context, key)) {
      const message = `"${key}" can only be used when the object is an Activity`
      return under('context', under(key, broken(rules, 'context', 'activity-only', message)))
    }
  }
  return null
}

/**
 * Checks a statement against every data rule of the version; null when it is valid.
 *
 * The value is what `JSON.parse` made of the statement. The first violation found is reported, with its place, its
 * rule and what is wrong.
 *
 * @see xAPI 1.0.3 Data 2.2 to 2.4 and 4
 */
export function validateStatement(value: unknown, version: XapiVersion): Violation | null {
  return checkEvent(value, statementShape, rulesOf(version))
}
