import type { LearningEventKind } from '../database/schema.js'
import { activitiesOf, isActivity, type Statement } from '../xapi/statement.js'
import { defaultRules } from './default-mapping.js'
import type { MappingRule } from './mapping-rule.js'

/** A mapping from statements to kinds of learning events. */
export interface EventMapping {
  /** 0 is the program's own; a tenant's first is 1. */
  readonly version: number
  /** The tenant's rules, as they were written. */
  readonly tenantRules: readonly MappingRule[]
  /** What is in force: the tenant's rules, and behind them the defaults that none of them replaces. */
  readonly rules: readonly MappingRule[]
  /** The rules of each verb, the most specific first. */
  readonly byVerb: ReadonlyMap<string, readonly MappingRule[]>
}

/**
 * Puts a tenant's rules upon the defaults. A rule with the verb, activity type and category of a default stands in its
 * place; with the kind null it switches it off.
 */
export function makeMapping(version: number, tenantRules: readonly MappingRule[]): EventMapping {
  const written = new Set(tenantRules.map(conditionOf))
  const rules = [...tenantRules, ...defaultRules.filter(rule => !written.has(conditionOf(rule)))]
  const byVerb = new Map<string, MappingRule[]>()
  for (const rule of rules) {
    const ofVerb = byVerb.get(rule.verb)
    if (ofVerb === undefined) byVerb.set(rule.verb, [rule])
    else ofVerb.push(rule)
  }
  // Sorting is stable: of two that are equally specific, the earlier rule stays in front.
  for (const ofVerb of byVerb.values()) ofVerb.sort((a, b) => specificity(b) - specificity(a))
  return { version, tenantRules, rules, byVerb }
}

/**
 * The kind of learning event that a statement stands for, or null: by the most specific rule that it meets.
 *
 * A rule with activity type and category goes before one with an activity type, that before one with a category, and
 * that before one with the verb alone; of two that are equally specific (a statement may have several categories) the
 * earlier one wins. Only what the statement itself says counts, so that it means the same whenever it is looked at.
 */
export function kindOf({ byVerb }: EventMapping, { verb, object, context }: Statement): LearningEventKind | null {
  const rules = byVerb.get(verb.id)
  if (rules === undefined) return null
  const type = isActivity(object) ? object.definition?.type : undefined
  const categories = activitiesOf(context?.contextActivities?.category)
  const met = rules.find(
    rule =>
      (rule.activityType === undefined || rule.activityType === type) &&
      (rule.category === undefined || categories.some(({ id }) => id === rule.category))
  )
  return met?.kind ?? null
}

/** The verbs whose rules in force are not the same, and so all that statements can change their kind with. */
export function changedVerbs(before: EventMapping, after: EventMapping): readonly string[] {
  const text = ({ byVerb }: EventMapping, verb: string) => JSON.stringify(byVerb.get(verb)?.map(meaningOf) ?? [])
  const verbs = new Set([...before.byVerb.keys(), ...after.byVerb.keys()])
  return [...verbs].filter(verb => text(before, verb) !== text(after, verb))
}

/** What a rule asks of a statement, as one text. */
export function conditionOf({ verb, activityType, category }: MappingRule): string {
  return JSON.stringify([verb, activityType ?? null, category ?? null])
}

function meaningOf(rule: MappingRule) {
  return [conditionOf(rule), rule.kind]
}

function specificity({ activityType, category }: MappingRule): number {
  return (activityType === undefined ? 0 : 2) + (category === undefined ? 0 : 1)
}
