import type { LearningEventKind } from '../database/schema.js'
import { defaultRules } from './default-mapping.js'

const kindOfVerb: ReadonlyMap<string, LearningEventKind | null> = new Map(
  defaultRules.map(({ verb, kind }) => [verb, kind])
)

/** The kind of learning event that a verb stands for, or null where it stands for none. */
export function kindOf(verb: string): LearningEventKind | null {
  return kindOfVerb.get(verb) ?? null
}
