import type { LearningEventKind } from '../database/schema.js'
import { learningEventKinds, type MappingRule } from './mapping-rule.js'
import { namespace } from './namespace.js'

const adlTypes = 'http://adlnet.gov/expapi/activities/'
const acrossxTypes = 'https://w3id.org/xapi/acrossx/activities/'
const registryTypes = 'http://id.tincanapi.com/activitytype/'
const tla = 'https://w3id.org/xapi/tla/verbs/'
const tlaTypes = 'https://w3id.org/xapi/tla/activity-types/'
const edlm = 'https://xapi.edlm/profiles/edlm-lms/concepts/'
const edlmTypes = `${edlm}activity-types/`

/** The verbs that ADL published first; cmi5, SCORM and the video profile use them too. */
const adl: Readonly<Record<string, LearningEventKind | null>> = {
  launched: 'opened',
  initialized: 'started',
  attempted: 'started',
  resumed: 'started',
  // A session that is suspended has ended: the SCORM profile sends this in place of terminated.
  suspended: 'terminated',
  terminated: 'terminated',
  exited: 'terminated',
  completed: 'completed',
  passed: 'assessed',
  failed: 'assessed',
  scored: 'assessed',
  answered: 'assessed',
  mastered: 'assessed',
  // To an interaction it is an answer (a rule of its own); to anything else it may be any reaction.
  responded: null,
  experienced: 'visited',
  interacted: 'visited',
  progressed: 'visited',
  attended: 'visited',
  asked: 'posted',
  commented: 'replied',
  shared: 'endorsed',
  // Being enrolled is no deed of learning; the other two are of settings and files.
  registered: null,
  preferred: null,
  imported: null
}

/** Those of ADL's verbs that the TLA's Master Object Model writes with https, which is another IRI. */
const adlByHttps = ['launched', 'initialized', 'terminated', 'completed', 'passed', 'failed']

/** ADL's later namespace, in which cmi5 has the three verbs that it added. */
const w3idAdl: Readonly<Record<string, LearningEventKind | null>> = {
  // In no vocabulary, but sent: the verb of cmi5 under the namespace of its three.
  launched: 'opened',
  abandoned: 'terminated',
  // The LMS says it of a block or a course whose criteria are met.
  satisfied: 'completed',
  // The requirement is met without the activity: nothing was learnt or practised here.
  waived: null,
  'logged-in': 'visited',
  // Mostly the end of a session that timed out.
  'logged-out': null
}

const acrossx: Readonly<Record<string, LearningEventKind | null>> = {
  'was-assigned': 'delivered',
  watched: 'opened',
  searched: 'visited',
  annotated: 'visited',
  posted: 'posted',
  // In no version of the profile, but sent beside its posted.
  replied: 'replied',
  liked: 'endorsed',
  disliked: null,
  // An opinion of a thing or of a person: which of the two, the verb does not say.
  evaluated: null,
  edited: null,
  designed: null,
  reported: null,
  revealed: null
}

const registry: Readonly<Record<string, LearningEventKind | null>> = {
  viewed: 'visited',
  previewed: 'visited',
  downloaded: 'visited',
  bookmarked: 'visited',
  paused: 'visited',
  'performed-offline': 'completed-task',
  replied: 'replied',
  tweeted: 'posted',
  'replied-to-tweet': 'replied',
  retweeted: 'endorsed',
  applauded: 'endorsed',
  'voted-up': 'endorsed',
  'voted-down': null,
  // May be the worst rating as well as the best.
  rated: null,
  earned: 'reward-claimed',
  expired: null,
  // Whether the actor is the other's manager, peer or teacher, the verbs do not say.
  mentored: null,
  reviewed: null,
  'talked-with': null,
  interviewed: null,
  skipped: null,
  unregistered: null
}

/** The registry lists these verbs as `…/schema/1.0/open`, the published profile as `…/open`; both are sent. */
const activityStreams: Readonly<Record<string, LearningEventKind | null>> = {
  receive: 'delivered',
  open: 'opened',
  read: 'opened',
  watch: 'opened',
  listen: 'opened',
  start: 'started',
  play: 'started',
  terminate: 'terminated',
  complete: 'completed',
  satisfy: 'completed',
  submit: 'completed-task',
  access: 'visited',
  attend: 'visited',
  consume: 'visited',
  experience: 'visited',
  interact: 'visited',
  search: 'visited',
  use: 'visited',
  post: 'posted',
  like: 'endorsed',
  favorite: 'endorsed',
  agree: 'endorsed',
  share: 'endorsed',
  // What is made decides: a course is made by a teacher, a discussion by those who learn.
  create: null,
  // Of a group it is membership, of a meeting it is presence.
  join: null,
  leave: null,
  // The actor is who assigns, delivers or invites, not the learner.
  assign: null,
  deliver: null,
  invite: null,
  send: null,
  update: null,
  delete: null
}

const video: Readonly<Record<string, LearningEventKind | null>> = {
  played: 'started',
  paused: 'visited',
  seeked: 'visited'
}

/** The TLA's Master Object Model, with the verbs that others write in its namespace. */
const tlaVerbs: Readonly<Record<string, LearningEventKind | null>> = {
  explored: 'visited',
  experienced: 'visited',
  attended: 'visited',
  resumed: 'started',
  suspended: 'terminated',
  scored: 'assessed',
  mastered: 'assessed',
  // Of an earlier version of the model.
  assessed: 'assessed',
  qualified: 'reward-offered',
  certified: 'reward-claimed',
  // Of a career or a goal it is advice, of something to learn it is a delivery (rules of their own).
  recommended: null,
  // In no version of the model; Moodle's plug-in says it of badges and certificates (rules of their own).
  achieved: null,
  forfeited: null,
  // The actor is the authority that confers; the learner stands in an extension of the model.
  conferred: null,
  // What an authority holds to be known, or a plan, and not a deed of the learner.
  asserted: null,
  inferred: null,
  validated: null,
  verified: null,
  located: null,
  registered: null,
  deselected: null,
  organized: null,
  planned: null,
  prioritized: null,
  scheduled: null,
  directed: null,
  approved: null
}

/** ADL's actionable data books: reading. */
const adb: Readonly<Record<string, LearningEventKind | null>> = {
  read: 'opened',
  watched: 'opened',
  attended: 'visited',
  annotated: 'visited',
  bookmarked: 'visited',
  highlighted: 'visited',
  noted: 'visited',
  referenced: 'visited',
  described: 'assessed',
  // Help among equals or from above: the verb does not say.
  coached: null,
  requested: null
}

/** Moodle's log store plug-in, in the namespace of the EDLM's profile for learning management systems. */
const moodle: Readonly<Record<string, LearningEventKind | null>> = {
  login: 'visited',
  logout: null,
  restarted: 'started',
  // Takes back that a module was completed; to void the statement is what a record store understands.
  uncompleted: null,
  enrolled: null,
  exceeded: null,
  locked: null,
  unlocked: null,
  subscribed: null,
  unsubscribed: null,
  toured: null
}

/** What somebody opens in order to learn, as against lists, reports and the places where people talk. */
const contentTypes = [
  `${adlTypes}assessment`,
  `${adlTypes}course`,
  `${adlTypes}lesson`,
  `${adlTypes}link`,
  `${adlTypes}media`,
  `${adlTypes}module`,
  `${adlTypes}simulation`,
  `${acrossxTypes}e-book`,
  `${acrossxTypes}page`,
  `${acrossxTypes}video`,
  `${registryTypes}book`,
  `${registryTypes}document`,
  `${registryTypes}resource`,
  `${registryTypes}school-assignment`,
  `${registryTypes}slide-deck`,
  `${registryTypes}survey`,
  'http://activitystrea.ms/collection',
  `${edlmTypes}assignment`,
  `${edlmTypes}workshop`
]

const threadTypes = [
  `${registryTypes}discussion`,
  `${registryTypes}forum-topic`,
  `${registryTypes}status-update`,
  `${acrossxTypes}online-discussion`
]

/**
 * What statements mean where a tenant has not said otherwise: our own `verbs/<kind>`, and the verbs of others.
 *
 * A verb that stands in no rule stands for nothing. Each rule for an activity type comes before the rule for its verb
 * alone, and every verb has one of those.
 *
 * @see docs/reference/default-verbs.md, which has the same rules with their sources
 */
export const defaultRules: readonly MappingRule[] = [
  ...learningEventKinds.map(kind => ({ verb: `${namespace}verbs/${kind}`, kind })),
  // An attempt carries the score; that the quiz or the lesson is completed, Moodle says in another statement.
  ...onTypes('http://adlnet.gov/expapi/verbs/completed', 'assessed', [
    `${adlTypes}attempt`,
    `${edlmTypes}lesson-session`
  ]),
  ...onTypes('http://adlnet.gov/expapi/verbs/responded', 'assessed', [`${adlTypes}cmi.interaction`]),
  ...verbsIn('http://adlnet.gov/expapi/verbs/', adl),
  ...verbsIn('https://adlnet.gov/expapi/verbs/', Object.fromEntries(adlByHttps.map(name => [name, adl[name] ?? null]))),
  ...verbsIn('https://w3id.org/xapi/adl/verbs/', w3idAdl),
  ...verbsIn('https://w3id.org/xapi/acrossx/verbs/', acrossx),
  ...onTypes('http://id.tincanapi.com/verb/viewed', 'opened', contentTypes),
  ...verbsIn('http://id.tincanapi.com/verb/', registry),
  ...['http://activitystrea.ms/schema/1.0/', 'http://activitystrea.ms/'].flatMap(activityStreamsRules),
  ...verbsIn('https://w3id.org/xapi/video/verbs/', video),
  ...onTypes(`${tla}recommended`, 'delivered', [
    `${tlaTypes}activity`,
    `${tlaTypes}assessment`,
    `${tlaTypes}content_set`
  ]),
  ...onTypes(`${tla}achieved`, 'reward-claimed', [`${edlmTypes}badge`, `${edlmTypes}certificate`]),
  // Moodle says so of somebody's enrolment in a course.
  ...onTypes(`${tla}resumed`, null, ['https://w3id.org/xapi/cmi5/activitytype/course']),
  ...onTypes(`${tla}suspended`, null, ['https://w3id.org/xapi/cmi5/activitytype/course']),
  ...verbsIn(tla, tlaVerbs),
  ...verbsIn('https://w3id.org/xapi/adb/verbs/', adb),
  // The specification has the verb with the file's ending, most senders leave it out.
  { verb: 'http://specification.openbadges.org/xapi/verbs/earned.json', kind: 'reward-claimed' },
  { verb: 'http://specification.openbadges.org/xapi/verbs/earned', kind: 'reward-claimed' },
  ...verbsIn(`${edlm}verbs/`, moodle)
]

function verbsIn(base: string, kinds: Readonly<Record<string, LearningEventKind | null>>): readonly MappingRule[] {
  return Object.entries(kinds).map(([name, kind]) => ({ verb: base + name, kind }))
}

function onTypes(verb: string, kind: LearningEventKind | null, types: readonly string[]): readonly MappingRule[] {
  return types.map(activityType => ({ verb, activityType, kind }))
}

function activityStreamsRules(base: string): readonly MappingRule[] {
  const types = { badge: 'http://activitystrea.ms/badge', comment: 'http://activitystrea.ms/comment' }
  return [
    ...onTypes(`${base}receive`, 'reward-claimed', [types.badge, `${registryTypes}reward`]),
    // A review of an attempt: the learner reads what a teacher wrote.
    ...onTypes(`${base}receive`, 'visited', ['http://activitystrea.ms/schema/1.0/review']),
    // A questionnaire is answered, not practised.
    ...onTypes(`${base}submit`, 'completed', [`${registryTypes}survey`, `${edlmTypes}feedback`]),
    ...onTypes(`${base}create`, 'posted', threadTypes),
    ...onTypes(`${base}create`, 'replied', [types.comment, `${registryTypes}forum-reply`]),
    ...onTypes(`${base}join`, 'visited', [`${adlTypes}meeting`]),
    ...onTypes(`${base}leave`, 'terminated', [`${adlTypes}meeting`]),
    ...verbsIn(base, activityStreams)
  ]
}
