import type { LearningEventKind } from '../database/schema.js'
import { namespace } from './namespace.js'

/** Texts by language tag. */
export interface LanguageMap {
  readonly en: string
}

/** A verb or activity type. @see xAPI Profiles 1.0 Structure 7.1 */
interface TermConcept {
  readonly id: string
  readonly type: 'Verb' | 'ActivityType'
  readonly inScheme: string
  readonly prefLabel: LanguageMap
  readonly definition: LanguageMap
  readonly broadMatch?: readonly string[]
  readonly relatedMatch?: readonly string[]
}

/** An extension, with a JSON Schema of its values as text. @see xAPI Profiles 1.0 Structure 7.2 */
interface ExtensionConcept {
  readonly id: string
  readonly type: 'ContextExtension' | 'ResultExtension'
  readonly inScheme: string
  readonly prefLabel: LanguageMap
  readonly definition: LanguageMap
  readonly recommendedVerbs?: readonly string[]
  readonly inlineSchema: string
}

export type ProfileConcept = TermConcept | ExtensionConcept

/** The version that the document describes; a change of it that alters what conforms gets a new one. */
export const profileVersion = `${namespace}profile/v1`

/** The IRI of a kind's own verb. */
export function verbOf(kind: LearningEventKind): string {
  return `${namespace}verbs/${kind}`
}

/** What each kind's verb says, and the verbs of others that say about the same. */
const verbs: Readonly<Record<LearningEventKind, { definition: string } & Pick<TermConcept, 'relatedMatch'>>> = {
  delivered: {
    definition:
      'The actor, a learner, was sent the object: a module or a task. What was sent need not have been opened. A platform that is the actor names the learner in the extension subject.',
    relatedMatch: ['https://w3id.org/xapi/acrossx/verbs/was-assigned']
  },
  opened: {
    definition: 'The actor opened the object, a module or a task.',
    relatedMatch: ['http://adlnet.gov/expapi/verbs/launched', 'http://activitystrea.ms/open']
  },
  'completed-task': {
    definition: 'The actor did the object, a task, or the task of the object, a module.',
    relatedMatch: ['http://adlnet.gov/expapi/verbs/completed', 'http://activitystrea.ms/submit']
  },
  'repeated-session': {
    definition:
      'The actor came back to the object for another session. It is a claim of the sender: how often learners come back is counted from their days of activity.'
  },
  'peer-feedback': {
    definition:
      'The actor gave feedback to a peer, who is the object, on the practice of a module, which is the first parent.'
  },
  'manager-check': {
    definition:
      'The actor looked in on one of their reports, who is the object, about the practice of a module, which is the first parent.'
  },
  assessed: {
    definition: 'The actor answered or attempted the object, and result tells how well, where it was scored.',
    relatedMatch: ['http://adlnet.gov/expapi/verbs/answered', 'http://adlnet.gov/expapi/verbs/scored']
  },
  completed: {
    definition: 'The actor finished the object: a course, a module or anything else that has an end.',
    relatedMatch: ['http://adlnet.gov/expapi/verbs/completed']
  },
  started: {
    definition: 'The actor began to work with the object, or took it up again.',
    relatedMatch: ['http://adlnet.gov/expapi/verbs/initialized']
  },
  terminated: {
    definition: 'The actor ended a session with the object; result.duration is that of the session.',
    relatedMatch: ['http://adlnet.gov/expapi/verbs/terminated']
  },
  posted: {
    definition: 'The actor wrote something for others to read, such as a topic of a forum; it is the object.',
    relatedMatch: ['https://w3id.org/xapi/acrossx/verbs/posted']
  },
  replied: {
    definition:
      'The actor wrote an answer or a comment to what another had written. Whom it answers may stand in the extension subject.',
    relatedMatch: ['http://id.tincanapi.com/verb/replied', 'http://adlnet.gov/expapi/verbs/commented']
  },
  endorsed: {
    definition:
      'The actor approved of the object, as by a like. Whose contribution it is may stand in the extension subject.',
    relatedMatch: ['https://w3id.org/xapi/acrossx/verbs/liked']
  },
  'reward-offered': {
    definition:
      'The actor, a learner, was offered the object, a reward. A platform that is the actor names the learner in the extension subject.'
  },
  'reward-claimed': {
    definition: 'The actor took the object, a reward such as a badge.',
    relatedMatch: ['http://id.tincanapi.com/verb/earned']
  },
  visited: {
    definition: 'The actor was there: looked at the object, took part in it or used it, and no other verb says more.',
    relatedMatch: ['http://adlnet.gov/expapi/verbs/experienced', 'http://id.tincanapi.com/verb/viewed']
  }
}

const activityTypes: readonly (Pick<TermConcept, 'broadMatch'> & { name: string; definition: string })[] = [
  {
    name: 'module',
    definition: 'A short piece of learning that is delivered at once, such as a micro-lesson with its tasks.',
    broadMatch: ['http://adlnet.gov/expapi/activities/module']
  },
  { name: 'task', definition: 'Something to be practised at work; its module is the first parent.' }
]

const aboutPeople = [verbOf('peer-feedback'), verbOf('manager-check')]

const extensions: readonly (Pick<ExtensionConcept, 'type' | 'recommendedVerbs'> & {
  name: string
  definition: string
  schema: object
})[] = [
  {
    name: 'cohort',
    type: 'ContextExtension',
    definition: 'The name of the cohort that the learner was in, as the sender knows it.',
    schema: { type: 'string', minLength: 1 }
  },
  {
    name: 'role',
    type: 'ContextExtension',
    definition: 'The role that the learner had, as the sender knows it.',
    schema: { type: 'string', minLength: 1 }
  },
  {
    name: 'manager',
    type: 'ContextExtension',
    definition: 'The manager of the learner: a person id of the roster. Otherwise context.instructor is the manager.',
    schema: { type: 'string', minLength: 1 }
  },
  {
    name: 'subject',
    type: 'ContextExtension',
    definition:
      'Whom the statement is about, an Agent, where the object is an Activity: who got the feedback, the check or the answer, or to whom something was delivered by a platform.',
    recommendedVerbs: [
      ...aboutPeople,
      verbOf('delivered'),
      verbOf('reward-offered'),
      verbOf('replied'),
      verbOf('endorsed')
    ],
    schema: {
      type: 'object',
      properties: { objectType: { const: 'Agent' } },
      oneOf: ['mbox', 'mbox_sha1sum', 'openid', 'account'].map(key => ({ required: [key] }))
    }
  },
  {
    name: 'outcome-tags',
    type: 'ResultExtension',
    definition: 'How it went in a word or a few, such as confident or needs-practice.',
    recommendedVerbs: [verbOf('completed-task'), ...aboutPeople],
    schema: { type: 'array', items: { type: 'string' } }
  }
]

/** The profile's verbs, activity types and extensions. */
export const profileConcepts: readonly ProfileConcept[] = [
  ...Object.entries(verbs).map(([kind, { definition, ...matches }]) => ({
    id: verbOf(kind as LearningEventKind),
    type: 'Verb' as const,
    inScheme: profileVersion,
    prefLabel: { en: kind.replaceAll('-', ' ') },
    definition: { en: definition },
    ...matches
  })),
  ...activityTypes.map(({ name, definition, ...matches }) => ({
    id: `${namespace}activity-types/${name}`,
    type: 'ActivityType' as const,
    inScheme: profileVersion,
    prefLabel: { en: name },
    definition: { en: definition },
    ...matches
  })),
  ...extensions.map(({ name, type, definition, schema, ...verbs }) => ({
    id: `${namespace}extensions/${name}`,
    type,
    inScheme: profileVersion,
    prefLabel: { en: name.replaceAll('-', ' ') },
    definition: { en: definition },
    ...verbs,
    inlineSchema: JSON.stringify(schema)
  }))
]
