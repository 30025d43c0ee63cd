import { namespace } from './namespace.js'
import { type LanguageMap, profileVersion, verbOf } from './profile-concepts.js'

/** What a template asks of the values at some places of a statement. @see xAPI Profiles 1.0 Structure 8.1 */
export interface TemplateRule {
  /** JSONPath; several, joined by `|`, are the values of all. */
  readonly location: string
  readonly presence?: 'included' | 'excluded' | 'recommended'
  readonly any?: readonly unknown[]
  readonly all?: readonly unknown[]
  readonly none?: readonly unknown[]
  readonly scopeNote?: LanguageMap
}

/** How the statements of one verb look. @see xAPI Profiles 1.0 Structure 8.0 */
export interface StatementTemplate {
  readonly id: string
  readonly type: 'StatementTemplate'
  readonly inScheme: string
  readonly prefLabel: LanguageMap
  readonly definition: LanguageMap
  readonly verb: string
  readonly rules: readonly TemplateRule[]
}

/** The kinds whose canonical form has a template: the steps of the practice loop. */
export const templateKinds = [
  'delivered',
  'opened',
  'completed-task',
  'repeated-session',
  'peer-feedback',
  'manager-check'
] as const

/** A kind with a template. */
export type TemplateKind = (typeof templateKinds)[number]

/** The IRI of a kind's template. */
export function templateOf(kind: TemplateKind): string {
  return `${namespace}templates/${kind}`
}

const extension = (of: 'context' | 'result', name: string) => `$.${of}.extensions['${namespace}extensions/${name}']`

const everywhere: readonly TemplateRule[] = [
  {
    location: '$.actor.objectType',
    none: ['Group'],
    scopeNote: { en: 'One person: a deed of a group is nobody’s.' }
  },
  {
    location: '$.context.registration',
    presence: 'recommended',
    scopeNote: { en: 'One for each learner and module, so that the statements of a practice loop belong together.' }
  },
  { location: extension('context', 'cohort'), presence: 'recommended' },
  { location: extension('context', 'role'), presence: 'recommended' },
  {
    location: `${extension('context', 'manager')} | $.context.instructor`,
    presence: 'recommended',
    scopeNote: { en: 'The learner’s manager.' }
  }
]

const ofModule: readonly TemplateRule[] = [
  {
    location: '$.object.id',
    presence: 'included',
    scopeNote: { en: 'The module or the task, an Activity.' }
  },
  { location: '$.object.objectType', all: ['Activity'] },
  {
    location: '$.object.definition.type',
    presence: 'recommended',
    scopeNote: { en: `Such as ${namespace}activity-types/module.` }
  },
  {
    location: '$.context.contextActivities.parent[*].id',
    presence: 'recommended',
    scopeNote: { en: 'The first is the module; without one the object is.' }
  }
]

const outcome: TemplateRule = { location: extension('result', 'outcome-tags'), presence: 'recommended' }

const ofTask: readonly TemplateRule[] = [
  ...ofModule,
  { location: '$.result.completion', none: [false] },
  { location: '$.result.duration', presence: 'recommended' },
  outcome
]

const ofPerson: readonly TemplateRule[] = [
  {
    location: '$.object.objectType',
    none: ['Group', 'StatementRef', 'SubStatement'],
    scopeNote: { en: 'An Agent: the subject. Or an Activity, with the subject as an extension.' }
  },
  {
    location: [
      '$.object.mbox',
      '$.object.mbox_sha1sum',
      '$.object.openid',
      '$.object.account',
      extension('context', 'subject')
    ].join(' | '),
    presence: 'included',
    scopeNote: { en: 'Whom it is about.' }
  },
  {
    location: '$.context.contextActivities.parent[*].id | $.object.id',
    presence: 'included',
    scopeNote: { en: 'The module: the first parent, or the object where it is an Activity and has no parent.' }
  },
  outcome
]

const templates: Readonly<Record<TemplateKind, { definition: string; rules: readonly TemplateRule[] }>> = {
  delivered: { definition: 'A module or a task was sent to the actor, a learner.', rules: ofModule },
  opened: { definition: 'The actor, a learner, opened a module or a task.', rules: ofModule },
  'completed-task': { definition: 'The actor, a learner, did a task.', rules: ofTask },
  'repeated-session': { definition: 'The actor, a learner, came back to a module or a task.', rules: ofModule },
  'peer-feedback': { definition: 'The actor gave a peer feedback on a module.', rules: ofPerson },
  'manager-check': { definition: 'The actor, a manager, looked in on a report about a module.', rules: ofPerson }
}

/** The canonical form of the statements of the six kinds. */
export const profileTemplates: readonly StatementTemplate[] = templateKinds.map(kind => ({
  id: templateOf(kind),
  type: 'StatementTemplate',
  inScheme: profileVersion,
  prefLabel: { en: kind.replaceAll('-', ' ') },
  definition: { en: templates[kind].definition },
  verb: verbOf(kind),
  rules: [...templates[kind].rules, ...everywhere]
}))
