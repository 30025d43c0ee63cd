import type { LearningEventKind } from '../database/schema.js'

/** Every kind of learning event, in the order of the taxonomy. */
export const learningEventKinds = [
  'delivered',
  'opened',
  'completed-task',
  'repeated-session',
  'peer-feedback',
  'manager-check',
  'assessed',
  'completed',
  'started',
  'terminated',
  'posted',
  'replied',
  'endorsed',
  'reward-offered',
  'reward-claimed',
  'visited'
] as const satisfies readonly LearningEventKind[]

/** One rule of an event mapping: which statements it meets, and the kind of learning event that they stand for. */
export interface MappingRule {
  /** The statement's verb, an IRI. */
  readonly verb: string
  /** Only where the object's definition has this type, an IRI. */
  readonly activityType?: string
  /** Only where one of `contextActivities.category` has this id, an IRI. */
  readonly category?: string
  /** Null: these statements stand for no learning event. */
  readonly kind: LearningEventKind | null
}
