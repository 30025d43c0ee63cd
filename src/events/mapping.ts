import type { LearningEventKind } from '../database/schema.js'

/** The namespace of Momentum's own verbs and extensions. */
export const namespace = 'https://w3id.org/momentum-lrs/'

const adl = 'http://adlnet.gov/expapi/verbs/'
const cmi5 = 'https://w3id.org/xapi/adl/verbs/'
const acrossx = 'https://w3id.org/xapi/acrossx/verbs/'
const activityStreams = 'http://activitystrea.ms/schema/1.0/'

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

/** What each verb IRI means: our own `verbs/<kind>`, and verbs of ADL, cmi5, acrossX and Activity Streams. */
const kindOfVerb: ReadonlyMap<string, LearningEventKind> = new Map([
  ...learningEventKinds.map(kind => [`${namespace}verbs/${kind}`, kind] as const),
  [`${adl}experienced`, 'visited'],
  [`${adl}launched`, 'opened'],
  [`${cmi5}launched`, 'opened'],
  [`${adl}initialized`, 'started'],
  [`${adl}attempted`, 'started'],
  [`${adl}terminated`, 'terminated'],
  [`${adl}exited`, 'terminated'],
  [`${cmi5}abandoned`, 'terminated'],
  [`${adl}completed`, 'completed'],
  [`${adl}passed`, 'assessed'],
  [`${adl}failed`, 'assessed'],
  [`${adl}answered`, 'assessed'],
  [`${adl}scored`, 'assessed'],
  [`${adl}commented`, 'replied'],
  [`${acrossx}posted`, 'posted'],
  [`${acrossx}replied`, 'replied'],
  [`${acrossx}liked`, 'endorsed'],
  [`${activityStreams}like`, 'endorsed'],
  [`${activityStreams}open`, 'opened']
])

/** The kind of learning event that a verb stands for, or null where it stands for none. */
export function kindOf(verb: string): LearningEventKind | null {
  return kindOfVerb.get(verb) ?? null
}
