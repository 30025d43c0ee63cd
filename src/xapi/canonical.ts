import { elementSpans, memberSpans } from './scan.js'
import { componentKeys } from './validate-activity.js'

/** Merges two values as JSON text, so that numbers keep their digits; the second is the newer one. */
export type Merge = (existing: string, newer: string) => string

/** What only has a meaning together with `interactionType`. */
const interactionKeys = ['correctResponsesPattern', ...componentKeys]

const newest: Merge = (_existing, newer) => newer

/**
 * Merges two language maps: a language takes the newer text, and those that only one map has are kept.
 *
 * Tags are compared without case, as RFC 5646 section 2.1.1 has it, and written as the newer map writes them.
 */
export const mergeLanguageMaps: Merge = (existing, newer) => {
  const merged = new Map<string, readonly [string, string]>()
  for (const [tag, text] of [...membersOf(existing), ...membersOf(newer)]) merged.set(tag.toLowerCase(), [tag, text])
  return writeMembers(merged.values())
}

const mergeComponent: Merge = (existing, newer) =>
  mergeMembers(membersOf(existing), newer, new Map([['description', mergeLanguageMaps]]))

/** The newer list says which components there are and in which order; their descriptions are merged. */
const mergeComponents: Merge = (existing, newer) => {
  const known = new Map(elementsOf(existing).map(component => [idOf(component), component]))
  return `[${elementsOf(newer)
    .map(component => mergeComponent(known.get(idOf(component)) ?? '{}', component))
    .join(',')}]`
}

const definitionRules: ReadonlyMap<string, Merge> = new Map([
  ['name', mergeLanguageMaps],
  ['description', mergeLanguageMaps],
  ...componentKeys.map(key => [key, mergeComponents] as const)
])

/**
 * Merges an activity's definition with a newer one, into the canonical form that later merges leave alone.
 *
 * Language maps keep every language, those of interaction components too; any other property takes its newest value,
 * and one that the newer definition lacks stays. Another `interactionType` takes the old one's correct responses and
 * components away, which would not be valid with it.
 *
 * @param existing JSON text of a valid definition; `{}` where there is none yet
 * @param newer likewise
 * @see xAPI 1.0.3 Data 2.4.4.1, LRS Requirements
 */
export const mergeDefinitions: Merge = (existing, newer) => {
  const members = membersOf(existing)
  const given = membersOf(newer).get('interactionType')
  const known = members.get('interactionType')
  if (given !== undefined && known !== undefined && JSON.parse(given) !== JSON.parse(known)) {
    for (const key of interactionKeys) members.delete(key)
  }
  return mergeMembers(members, newer, definitionRules)
}

function mergeMembers(members: Map<string, string>, newer: string, rules: ReadonlyMap<string, Merge>): string {
  for (const [key, value] of membersOf(newer)) {
    // Also the first value goes through its rule, so that to merge it once more changes nothing.
    const rule = rules.get(key) ?? newest
    members.set(key, rule(members.get(key) ?? (value.startsWith('[') ? '[]' : '{}'), value))
  }
  return writeMembers(members)
}

function membersOf(text: string): Map<string, string> {
  return new Map(memberSpans(text).map(({ key, start, end }) => [key, text.slice(start, end)]))
}

function elementsOf(text: string): readonly string[] {
  return elementSpans(text).map(({ start, end }) => text.slice(start, end))
}

function idOf(component: string): unknown {
  return JSON.parse(membersOf(component).get('id') ?? 'null')
}

function writeMembers(members: Iterable<readonly [string, string]>): string {
  return `{${[...members].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`
}
