import type { Activity, Statement } from '@xapi/xapi'
import { type Deed, daysOf, deedsOf, type Pilot } from './deeds.js'
import { agentOf, type Learner } from './learners.js'
import { randomFrom, shuffled, uuidFrom } from './random.js'

/** A statement that has its id and its time already. */
export type DemoStatement = Statement & { readonly id: string; readonly timestamp: string }

/** Everything that is sent, in the order in which the three parts go out. */
export interface PilotStatements {
  /** By timestamp. */
  readonly punctual: readonly DemoStatement[]
  /** In no order, after everything punctual: devices that were offline for days. */
  readonly late: readonly DemoStatement[]
  /** Each takes back a statement of the other two parts. */
  readonly voids: readonly DemoStatement[]
}

/** Namespace of the verbs and extensions that need no mapping. */
export const vocabulary = 'https://w3id.org/momentum-lrs/'
export const voidedVerb = 'http://adlnet.gov/expapi/verbs/voided'

const lateShare = 0.03
const voidedShare = 0.015
const topics = [
  'Feedback',
  'Delegation',
  'Listening',
  'One-to-ones',
  'Priorities',
  'Conflict',
  'Coaching questions',
  'Recognition'
]

/**
 * Writes the whole pilot as statements: the same seed, last day and zone give the same statements with the same ids,
 * so that sending them twice changes nothing.
 */
export function makeStatements(pilot: Pilot, learners: readonly Learner[]): PilotStatements {
  const random = randomFrom(pilot.seed, 'sending')
  const days = daysOf(pilot)
  const deeds = learners.flatMap(learner =>
    deedsOf(
      pilot,
      days,
      learner,
      learners.filter(other => other.manager.personId === learner.manager.personId)
    )
  )
  const statements = deeds.map((deed, index) => statementOf(pilot, deed, index))
  const punctual: DemoStatement[] = []
  const late: DemoStatement[] = []
  const voids: DemoStatement[] = []
  for (const statement of statements) {
    const isLate = random() < lateShare && !statement.verb.id.endsWith('/delivered')
    ;(isLate ? late : punctual).push(statement)
    if (random() < voidedShare) voids.push(voiding(pilot, statement))
  }
  punctual.sort((one, other) => Date.parse(one.timestamp) - Date.parse(other.timestamp))
  return { punctual, late: shuffled(random, late), voids: shuffled(random, voids) }
}

function statementOf(pilot: Pilot, deed: Deed, index: number): DemoStatement {
  const module = moduleActivity(deed.module)
  return {
    id: uuidFrom(pilot.seed, pilot.lastDay, pilot.zone, 'statement', index),
    actor: agentOf(deed.actor),
    verb: { id: `${vocabulary}verbs/${deed.kind}`, display: { 'en-US': deed.kind.replace('-', ' ') } },
    object: deed.subject === null ? module : agentOf(deed.subject),
    ...resultOf(deed),
    context: {
      // One practice loop, of a learner with a module, is one registration, and what the LMS says of it another.
      registration: uuidFrom(pilot.seed, pilot.lastDay, pilot.zone, seriesOf(deed), deed.learner.personId, deed.module),
      // A platform may only be named where the object is an Activity (xAPI 1.0.3, Data 2.4.6).
      ...(deed.subject === null ? { platform: 'Demo Coach' } : {}),
      contextActivities: {
        ...(deed.subject === null ? {} : { parent: [module] }),
        category: [topicActivity(deed.module)]
      },
      extensions: { [`${vocabulary}extensions/cohort`]: deed.learner.habit.cohort }
    },
    timestamp: instant(deed.at.toISO())
  }
}

function seriesOf({ kind }: Deed): 'registration' | 'attempt' {
  return ['started', 'assessed', 'completed', 'posted'].includes(kind) ? 'attempt' : 'registration'
}

function resultOf(deed: Deed): Pick<Statement, 'result'> {
  if (deed.score !== null) return { result: { score: { scaled: deed.score }, success: deed.score >= 0.7 } }
  if (deed.outcomeTags.length === 0) return {}
  return {
    result: {
      ...(deed.minutes === null ? {} : { completion: true, duration: `PT${deed.minutes}M` }),
      extensions: { [`${vocabulary}extensions/outcome-tags`]: deed.outcomeTags }
    }
  }
}

function voiding(pilot: Pilot, target: DemoStatement): DemoStatement {
  return {
    id: uuidFrom(pilot.seed, pilot.lastDay, pilot.zone, 'void', target.id),
    actor: agentOf({ personId: 'demo-pilot-office', name: 'Pilot Office' }),
    verb: { id: voidedVerb, display: { 'en-US': 'voided' } },
    object: { objectType: 'StatementRef', id: target.id },
    timestamp: new Date(Date.parse(target.timestamp) + 60_000).toISOString()
  }
}

/** What a module is about: the category by which learning is told apart. */
function topicActivity(module: number): Activity {
  const topic = topicOf(module)
  return {
    objectType: 'Activity',
    id: `https://demo.example/topics/${topic.toLowerCase().replace(' ', '-')}`,
    definition: { name: { 'en-US': topic } }
  }
}

function topicOf(module: number): string {
  return topics[module % topics.length] ?? 'Coaching'
}

function moduleActivity(module: number): Activity {
  const topic = topicOf(module)
  const part = Math.floor(module / topics.length) + 1
  return {
    objectType: 'Activity',
    id: `https://demo.example/modules/${topic.toLowerCase().replace(' ', '-')}-${part}`,
    definition: {
      name: { 'en-US': `${topic} ${part}` },
      type: `${vocabulary}activity-types/module`
    }
  }
}

function instant(text: string | null): string {
  if (text === null) throw new RangeError('A deed has no valid time; is the last day a date, and the zone known?')
  return text
}
