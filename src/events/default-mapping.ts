import { learningEventKinds, type MappingRule } from './mapping-rule.js'
import { namespace } from './namespace.js'

const adl = 'http://adlnet.gov/expapi/verbs/'
const cmi5 = 'https://w3id.org/xapi/adl/verbs/'
const acrossx = 'https://w3id.org/xapi/acrossx/verbs/'
const activityStreams = 'http://activitystrea.ms/schema/1.0/'

/** What statements mean where a tenant has not said otherwise: our own `verbs/<kind>`, and the verbs of others. */
export const defaultRules: readonly MappingRule[] = [
  ...learningEventKinds.map(kind => ({ verb: `${namespace}verbs/${kind}`, kind })),
  { verb: `${adl}experienced`, kind: 'visited' },
  { verb: `${adl}launched`, kind: 'opened' },
  { verb: `${cmi5}launched`, kind: 'opened' },
  { verb: `${adl}initialized`, kind: 'started' },
  { verb: `${adl}attempted`, kind: 'started' },
  { verb: `${adl}terminated`, kind: 'terminated' },
  { verb: `${adl}exited`, kind: 'terminated' },
  { verb: `${cmi5}abandoned`, kind: 'terminated' },
  { verb: `${adl}completed`, kind: 'completed' },
  { verb: `${adl}passed`, kind: 'assessed' },
  { verb: `${adl}failed`, kind: 'assessed' },
  { verb: `${adl}answered`, kind: 'assessed' },
  { verb: `${adl}scored`, kind: 'assessed' },
  { verb: `${adl}commented`, kind: 'replied' },
  { verb: `${acrossx}posted`, kind: 'posted' },
  { verb: `${acrossx}replied`, kind: 'replied' },
  { verb: `${acrossx}liked`, kind: 'endorsed' },
  { verb: `${activityStreams}like`, kind: 'endorsed' },
  { verb: `${activityStreams}open`, kind: 'opened' }
]
