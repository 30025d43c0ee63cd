import type { LearningEventKind } from '../database/schema.js'
import { durationMs } from '../xapi/duration.js'
import { isStorable } from '../xapi/formats.js'
import { ifiOf } from '../xapi/ifi.js'
import type { PreparedStatement } from '../xapi/prepare.js'
import { type Actor, activitiesOf, isActivity, type Statement } from '../xapi/statement.js'
import { validateAgent } from '../xapi/validate.js'
import { kindOf } from './mapping.js'
import { namespace } from './namespace.js'

/** What a statement means to us; agents by their identifiers in the form of `ifiOf`, the module by its IRI. */
export interface LearningEvent {
  readonly kind: LearningEventKind
  /** Who did it and gets the credit; for what is done to a learner (`delivered`), that learner. */
  readonly agent: string
  /** Whom it was about, where that is somebody else: peer-feedback, manager-check, endorsed, replied. */
  readonly subject: string | null
  readonly module: string | null
  /** The object where it is an Activity, otherwise the module. */
  readonly activity: string | null
  /** `result.score.scaled`, −1 to 1. */
  readonly scoreScaled: number | null
  /** Null also for a duration of months or years, whose length depends on the calendar. */
  readonly durationMs: number | null
  readonly success: boolean | null
  readonly completion: boolean | null
  readonly outcomeTags: readonly string[] | null
}

/** Kinds in which a system acts upon a learner: a subject that is named is the learner. */
const doneToLearner: ReadonlySet<LearningEventKind> = new Set(['delivered', 'reward-offered'])

/**
 * The learning event that a statement stands for, or null: its verb is not mapped, it voids another, its actor is a
 * group, or it is about a SubStatement, which tells of something that has not happened.
 */
export function learningEventOf(prepared: PreparedStatement): LearningEvent | null {
  const { value: statement } = prepared
  const kind = kindOf(statement)
  const actor = statement.actor.objectType === 'Group' ? null : ifiOf(statement.actor)
  if (kind === null || actor === null || statement.object.objectType === 'SubStatement') return null
  const subject = subjectOf(prepared)
  const { result, object } = statement
  const module = moduleOf(statement)
  return {
    kind,
    ...(subject !== null && doneToLearner.has(kind) ? { agent: subject, subject: null } : { agent: actor, subject }),
    module,
    activity: isActivity(object) ? object.id : module,
    scoreScaled: result?.score?.scaled ?? null,
    durationMs: result?.duration === undefined ? null : durationMs(result.duration),
    success: result?.success ?? null,
    completion: result?.completion ?? null,
    outcomeTags: outcomeTagsOf(result?.extensions)
  }
}

/** The object where it is an Agent; with an Activity as object, an Agent in the extension `subject`. */
function subjectOf({ value }: PreparedStatement): string | null {
  if (value.object.objectType === 'Agent') return ifiOf(value.object)
  const named = value.context?.extensions?.[`${namespace}extensions/subject`]
  // An extension may hold anything, so an Agent in one was not validated with the statement.
  return validateAgent(named, '1.0.3') === null ? ifiOf(named as Actor) : null
}

/** `contextActivities.parent[0]` where there is one, otherwise the object where it is an Activity. */
function moduleOf({ context, object }: Statement): string | null {
  const [parent] = activitiesOf(context?.contextActivities?.parent)
  if (parent !== undefined) return parent.id
  return isActivity(object) ? object.id : null
}

function outcomeTagsOf(extensions: Readonly<Record<string, unknown>> | undefined): readonly string[] | null {
  const tags = extensions?.[`${namespace}extensions/outcome-tags`]
  if (!Array.isArray(tags)) return null
  return tags.filter(tag => typeof tag === 'string' && isStorable(tag))
}
