import { checkExtensions, checkIri, checkLanguageMap, checkString } from './formats.js'
import type { VersionRules } from './version.js'
import {
  arrayOf,
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

/** Which lists of components each type of interaction has. @see xAPI 1.0.3 Data 2.4.4.1, Interaction Components */
const componentLists: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['true-false', []],
  ['choice', ['choices']],
  ['fill-in', []],
  ['long-fill-in', []],
  ['matching', ['source', 'target']],
  ['performance', ['steps']],
  ['sequencing', ['choices']],
  ['likert', ['scale']],
  ['numeric', []],
  ['other', []]
])

/** Every property that can hold interaction components. */
export const componentKeys = ['choices', 'scale', 'source', 'target', 'steps'] as const

const checkInteractionType: Check = (value, rules) => {
  if (componentLists.has(value)) return null
  const known = [...componentLists.keys()].join(', ')
  return broken(rules, 'activity', 'interaction-type', `Must be one of ${known}, not ${describe(value)}`)
}

const checkComponentArray = arrayOf(
  objectOf({
    topic: 'activity',
    called: 'An interaction component',
    properties: new Map([
      ['id', checkString],
      ['description', checkLanguageMap]
    ]),
    required: ['id']
  }),
  'activity',
  'A list of interaction components'
)

const checkComponents: Check = (value, rules) => {
  const violation = checkComponentArray(value, rules)
  if (violation !== null) return violation
  const ids = new Set<unknown>()
  for (const [index, component] of (value as readonly JsonObject[]).entries()) {
    const id = component.id
    if (ids.has(id)) {
      const repeated = broken(
        rules,
        'activity',
        'distinct-component-ids',
        `The id ${describe(id)} occurs twice in the list`
      )
      return under(index, under('id', repeated))
    }
    ids.add(id)
  }
  return null
}

const definitionShape: ObjectShape = {
  topic: 'activity',
  called: 'An Activity definition',
  properties: new Map<string, Check>([
    ['name', checkLanguageMap],
    ['description', checkLanguageMap],
    ['type', checkIri],
    ['moreInfo', checkIri],
    ['extensions', checkExtensions],
    ['interactionType', checkInteractionType],
    ['correctResponsesPattern', arrayOf(checkString, 'activity', 'correctResponsesPattern')],
    ...componentKeys.map(key => [key, checkComponents] as const)
  ]),
  required: []
}

function checkInteraction(definition: JsonObject, rules: VersionRules): Violation | null {
  const type = definition.interactionType
  const lists = componentLists.get(type) ?? []
  for (const key of componentKeys) {
    if (Object.hasOwn(definition, key) && !lists.includes(key)) {
      const why = type === undefined ? 'without an interactionType' : `with the interactionType ${describe(type)}`
      return under(key, broken(rules, 'activity', 'component-lists', `"${key}" cannot be used ${why}`))
    }
  }
  if (type === undefined && Object.hasOwn(definition, 'correctResponsesPattern')) {
    return broken(
      rules,
      'activity',
      'interaction-type',
      'A definition with correctResponsesPattern must have an interactionType'
    )
  }
  return null
}

/** Checks an Activity's definition. */
const checkDefinition: Check = (value, rules) => {
  const violation = checkObject(value, definitionShape, rules)
  return violation ?? checkInteraction(value as JsonObject, rules)
}

/** Checks an Activity. @see xAPI 1.0.3 Data 2.4.4.1 */
export const checkActivity: Check = objectOf({
  topic: 'activity',
  called: 'An Activity',
  properties: new Map([
    ['objectType', exactly('Activity', 'activity')],
    ['id', checkIri],
    ['definition', checkDefinition]
  ]),
  required: ['id']
})

const checkActivities = arrayOf(checkActivity, 'context-activities', 'A list of context activities')

const checkActivityOrList: Check = (value, rules) => {
  if (Array.isArray(value)) return checkActivities(value, rules)
  return isObject(value)
    ? checkActivity(value, rules)
    : broken(rules, 'context-activities', 'activities', 'Must be an Activity or an array of Activities')
}

/** Checks `contextActivities`; a single activity in the place of a list is still allowed. */
export const checkContextActivities = objectOf({
  topic: 'context-activities',
  called: 'contextActivities',
  properties: new Map(['parent', 'grouping', 'category', 'other'].map(key => [key, checkActivityOrList] as const)),
  required: []
})
