import type { LearningEventKind } from '../database/schema.js'
import { durationMs, isCalendarDuration } from '../xapi/duration.js'
import { isStorable } from '../xapi/formats.js'
import { ifiOf } from '../xapi/ifi.js'
import {
  type Activity,
  type Actor,
  activitiesOf,
  type Context,
  type Group,
  isActivity,
  type Result,
  type Statement,
  VOIDED
} from '../xapi/statement.js'
import { validateAgent } from '../xapi/validate.js'
import { type EventMapping, kindOf } from './mapping.js'
import { namespace } from './namespace.js'
import { scoreRatio } from './score-ratio.js'

/** What a statement means to us; agents by their identifiers in the form of `ifiOf`, activities by their IRIs. */
export interface LearningEvent {
  readonly kind: LearningEventKind
  /** Who did it and gets the credit; for what is done to a learner (`delivered`), that learner. */
  readonly agent: string
  /** Whom it was about, where that is somebody else: peer-feedback, manager-check, endorsed, replied. */
  readonly subject: string | null
  readonly module: string | null
  /** The object where it is an Activity, otherwise the module. */
  readonly activity: string | null
  /** The type that the statement itself gives that activity. */
  readonly activityType: string | null
  /** `contextActivities.category`, each once; null for none. */
  readonly categories: readonly string[] | null
  /** Lower-case UUID. */
  readonly registration: string | null
  readonly platform: string | null
  /** As it was sent; whether the roster knows the cohort is another matter. */
  readonly cohortTag: string | null
  readonly role: string | null
  readonly team: string | null
  /** The person id of the learner's manager, as it was sent. */
  readonly managerId: string | null
  /** `context.instructor`, where it is an Agent. */
  readonly manager: string | null
  /** `result.score.scaled`, −1 to 1. */
  readonly scoreScaled: number | null
  /** (raw − min) ÷ (max − min) as decimal text. */
  readonly scoreRatio: string | null
  /** Null also for a duration of months or years, whose length depends on the calendar. */
  readonly durationMs: number | null
  readonly hasCalendarDuration: boolean
  readonly success: boolean | null
  readonly completion: boolean | null
  readonly outcomeTags: readonly string[] | null
}

/** Kinds in which a system acts upon a learner: a subject that is named is the learner. */
const doneToLearner: ReadonlySet<LearningEventKind> = new Set(['delivered', 'reward-offered'])

/**
 * The learning event that a statement stands for, or null: no rule of the mapping gives it a kind, it voids another,
 * its actor is a group, or it is about a SubStatement, which tells of something that has not happened.
 *
 * Takes a valid statement, as it was sent or as it is stored. An extension may hold anything: what is not of the form
 * that is documented for it counts as absent.
 */
export function learningEventOf(
  { value: statement }: { readonly value: Statement },
  mapping: EventMapping
): LearningEvent | null {
  const { actor, object, context } = statement
  const kind = kindOf(mapping, statement)
  const doer = actor.objectType === 'Group' ? null : ifiOf(actor)
  if (kind === null || doer === null || object.objectType === 'SubStatement' || statement.verb.id === VOIDED)
    return null
  const subject = subjectOf(statement)
  const [parent] = activitiesOf(context?.contextActivities?.parent)
  const activity = isActivity(object) ? object : parent
  return {
    kind,
    ...(subject !== null && doneToLearner.has(kind) ? { agent: subject, subject: null } : { agent: doer, subject }),
    // `contextActivities.parent[0]` where there is one, otherwise the object where it is an Activity.
    module: (parent ?? activity)?.id ?? null,
    activity: activity?.id ?? null,
    activityType: activity?.definition?.type ?? null,
    ...surroundingsOf(context),
    ...outcomeOf(statement.result)
  }
}

/** The object where it is an Agent; with an Activity as object, an Agent in the extension `subject`. */
function subjectOf({ object, context }: Statement): string | null {
  if (object.objectType === 'Agent') return ifiOf(object)
  const named = extension(context, 'subject')
  // An Agent in an extension was not validated with the statement.
  return validateAgent(named, '1.0.3') === null ? ifiOf(named as Actor) : null
}

function surroundingsOf(context: Context | undefined) {
  const instructor = context?.instructor
  return {
    categories: idsOf(activitiesOf(context?.contextActivities?.category)),
    registration: context?.registration?.toLowerCase() ?? null,
    platform: word(context?.platform),
    cohortTag: word(extension(context, 'cohort')),
    role: word(extension(context, 'role')),
    team: context?.team === undefined ? null : teamOf(context.team),
    managerId: word(extension(context, 'manager')),
    manager: instructor === undefined || instructor.objectType === 'Group' ? null : ifiOf(instructor)
  }
}

function outcomeOf(result: Result | undefined) {
  const duration = result?.duration ?? ''
  return {
    scoreScaled: result?.score?.scaled ?? null,
    scoreRatio: scoreRatio(result?.score),
    durationMs: durationMs(duration),
    hasCalendarDuration: isCalendarDuration(duration),
    success: result?.success ?? null,
    completion: result?.completion ?? null,
    outcomeTags: outcomeTagsOf(result)
  }
}

/** What a team is known by: the name of its account, another identifier of it, or the name for people to read. */
function teamOf({ account, mbox, openid, mbox_sha1sum: sha1, name }: Group): string | null {
  return word(account?.name ?? mbox ?? openid ?? sha1 ?? name)
}

function outcomeTagsOf(result: Result | undefined): readonly string[] | null {
  const tags = extension(result, 'outcome-tags')
  if (!Array.isArray(tags)) return null
  return tags.filter(tag => typeof tag === 'string' && isStorable(tag))
}

function extension(of: Pick<Context | Result, 'extensions'> | undefined, name: string): unknown {
  return of?.extensions?.[`${namespace}extensions/${name}`]
}

/** A text that says something and can be stored, or null. */
function word(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && isStorable(value) ? value : null
}

function idsOf(activities: readonly Activity[]): readonly string[] | null {
  return activities.length === 0 ? null : [...new Set(activities.map(({ id }) => id))]
}
