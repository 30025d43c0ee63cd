import type { LearningEventKind } from '../database/schema.js'
import { activitiesOf, isActivity, type Statement } from '../xapi/statement.js'
import { defaultRules } from './default-mapping.js'
import type { MappingRule } from './mapping-rule.js'

const rulesOfVerb = new Map<string, readonly MappingRule[]>()
for (const rule of defaultRules) rulesOfVerb.set(rule.verb, [...(rulesOfVerb.get(rule.verb) ?? []), rule])

/**
 * The kind of learning event that a statement stands for, or null where it stands for none: that of the rule with the
 * most conditions of those that it meets.
 */
export function kindOf({ verb, object, context }: Statement): LearningEventKind | null {
  const type = isActivity(object) ? object.definition?.type : undefined
  const categories = activitiesOf(context?.contextActivities?.category).map(({ id }) => id)
  const rules = (rulesOfVerb.get(verb.id) ?? []).filter(
    ({ activityType, category }) =>
      (activityType === undefined || activityType === type) && (category === undefined || categories.includes(category))
  )
  return rules.toSorted((one, other) => conditionsOf(other) - conditionsOf(one))[0]?.kind ?? null
}

function conditionsOf({ activityType, category }: MappingRule): number {
  return Number(activityType !== undefined) + Number(category !== undefined)
}
