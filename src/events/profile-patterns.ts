import { namespace } from './namespace.js'
import { type LanguageMap, profileVersion } from './profile-concepts.js'
import { type TemplateKind, templateOf } from './profile-templates.js'

/** What comes after what; exactly one of the last three says how. @see xAPI Profiles 1.0 Structure 9.0 */
export interface StatementPattern {
  readonly id: string
  readonly type: 'Pattern'
  readonly primary?: boolean
  readonly inScheme: string
  readonly prefLabel?: LanguageMap
  readonly definition?: LanguageMap
  readonly sequence?: readonly string[]
  readonly alternates?: readonly string[]
  readonly zeroOrMore?: string
}

const patternOf = (name: string) => `${namespace}patterns/${name}`

/** What may come in between, any of it any number of times: until the named step, which is never one of it. */
function between(name: string, kinds: readonly TemplateKind[], definition: string): readonly StatementPattern[] {
  const step = patternOf(`${name}-step`)
  const frame = { type: 'Pattern', inScheme: profileVersion } as const
  return [
    { id: patternOf(name), ...frame, definition: { en: definition }, zeroOrMore: step },
    { id: step, ...frame, alternates: kinds.map(templateOf) }
  ]
}

/**
 * The practice loop of one learner with one module. Patterns match greedily and never go back, so what may come in
 * between never holds the step that follows it.
 */
export const profilePatterns: readonly StatementPattern[] = [
  {
    id: patternOf('practice-loop'),
    type: 'Pattern',
    primary: true,
    inScheme: profileVersion,
    prefLabel: { en: 'practice loop' },
    definition: {
      en: 'What one learner does with one module, and what others do for them: it is delivered, opened, its task is done, once or again in later sessions, the learner gives a peer feedback, and the manager looks in. All statements have the same registration. A loop that was not finished is a part of the pattern from its beginning.'
    },
    sequence: [
      templateOf('delivered'),
      templateOf('opened'),
      patternOf('return'),
      templateOf('completed-task'),
      patternOf('practice'),
      templateOf('peer-feedback'),
      patternOf('follow-up'),
      templateOf('manager-check')
    ]
  },
  ...between('return', ['opened', 'repeated-session'], 'Further visits before the task is done.'),
  ...between('practice', ['opened', 'repeated-session', 'completed-task'], 'Sessions before the first feedback.'),
  ...between(
    'follow-up',
    ['opened', 'repeated-session', 'completed-task', 'peer-feedback'],
    'Sessions and further feedback before the manager looks in.'
  )
]
