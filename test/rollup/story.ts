import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { learningEventKinds, type MappingRule } from '../../src/events/mapping-rule.js'
import { deals, ifiOf, mboxOf, puts } from '../people/deals.js'
import { everyAgent } from '../people/naive-persons.js'
import { voiding } from '../support/statements.js'
import type { Deed } from './naive.js'
import { questions } from './question.js'

const n = 'https://w3id.org/momentum-lrs/'
const agentCount = everyAgent.length
const feedback = 'https://example.org/modules/feedback'

/** Either side of the changes of the clock in Berlin, New York and Lord Howe, and one that is still to come. */
const instants = ['2024-03-30T22:00', '2024-10-26T21:00', '2024-03-10T03:00', '2024-04-06T13:00', '2999-01-01T00:00']

const kinds = [...learningEventKinds, 'sneezed'] as const
const cmi5 = 'https://w3id.org/xapi/cmi5/context/categories/cmi5'
const talking = 'https://example.org/categories/talking'
const asking = 'https://example.org/categories/asking'
const activities = [feedback, 'https://example.org/tasks/ask', 'https://example.org/modules/listening'] as const

const deeds = fc
  .record({
    kind: fc.constantFrom(...kinds, 'peer-feedback', 'manager-check', 'assessed', 'opened'),
    actor: fc.nat(agentCount - 1),
    shape: fc.constantFrom('activity', 'activity', 'agent', 'extension', 'group-actor', 'sub-statement'),
    subject: fc.nat(agentCount - 1),
    instant: fc.constantFrom(...instants),
    // Some so near each other that they are of one session.
    after: fc.oneof(
      fc.nat(2 * 24 * 60),
      fc.nat(24).map(tens => tens * 10)
    ),
    activity: fc.constantFrom(activities[0], activities[1]),
    module: fc.constantFrom(null, activities[0], activities[2]),
    score: fc.constantFrom(null, 0, 0.25, 0.5, 1, -0.75),
    points: fc.constantFrom(null, null, 0, 5, 10),
    minutes: fc.constantFrom(null, 0, 1, 90),
    tags: fc.constantFrom(null, [], ['confident'], ['needs-practice', 'confident']),
    categories: fc.constantFrom<readonly string[]>([], [talking], [talking, asking], [cmi5], [cmi5, asking])
  })
  .map(({ instant, after, ...parts }): Deed => {
    const timestamp = new Date(Date.parse(`${instant}Z`) + after * 60_000).toISOString()
    return { ...parts, id: randomUUID(), timestamp } as Deed
  })

const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'] as const

/** What a tenant may say that verbs mean, on top of what the program says. */
const mappings: readonly (readonly MappingRule[])[] = [
  [],
  [{ verb: `${n}verbs/opened`, kind: 'visited' }],
  [{ verb: `${n}verbs/sneezed`, kind: 'opened' }],
  [
    { verb: `${n}verbs/opened`, kind: null },
    { verb: `${n}verbs/delivered`, kind: 'peer-feedback' },
    { verb: `${n}verbs/assessed`, kind: 'completed' }
  ]
]

/** What a kind of deed means by a tenant's rules. */
export function meaningOf(kind: string, rules: readonly MappingRule[]): string {
  const rule = rules.find(({ verb }) => verb === `${n}verbs/${kind}`)
  return rule === undefined ? kind : (rule.kind ?? 'nothing')
}

function seldom<Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary })
}

/**
 * One step: statements that are sent, something that is done to persons, a new mapping or time zone, and work on the
 * queue and on derivations, by so many at once; and whether everybody's connections are lost meanwhile.
 */
const steps = fc.record({
  take: fc.integer({ min: 1, max: 7 }),
  deal: fc.option(deals),
  rules: seldom(fc.constantFrom(...mappings)),
  timeZone: seldom(fc.constantFrom(...zones)),
  work: fc.option(fc.record({ batchSize: fc.integer({ min: 1, max: 9 }), workers: fc.integer({ min: 1, max: 2 }) })),
  derivations: fc.oneof(
    { weight: 2, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) }
  ),
  isCrash: fc.nat(15).map(chance => chance === 0),
  atOnce: fc.boolean()
})

/** All that will happen in one tenant, and in which order. */
export const stories = fc
  .record({
    timeZone: fc.constantFrom(...zones),
    deeds: fc.array(deeds, { minLength: 1, maxLength: 25 }),
    voids: fc.array(fc.nat(27), { maxLength: 8 }),
    repeats: fc.array(fc.nat(40), { maxLength: 6 }),
    order: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
    // Who is in the roster from the beginning: of somebody unknown, nearly everything else is refused.
    opening: fc.array(puts, { minLength: 1, maxLength: 5 }),
    steps: fc.array(steps, { minLength: 1, maxLength: 6 }),
    // In every fourth the words come with the statements, at the same time and through connections that are lost.
    areWordsKnown: fc.nat(3).map(chance => chance > 0),
    question: questions,
    // What costs most, and is wrong less often than the tables, is asked of a part of the stories.
    checks: fc.record({ events: fc.boolean(), verification: fc.nat(2).map(chance => chance === 0) })
  })
  .map(story => {
    // A void may name a deed, another voiding statement, or what never comes.
    const voidIds = story.voids.map(() => randomUUID())
    const targets = story.voids.map(at => story.deeds[at]?.id ?? voidIds[at % 4] ?? randomUUID())
    const sent: Statement[] = [
      ...story.deeds.map(deed => ({ id: deed.id, body: statementOf(deed) })),
      ...targets.map((target, at) => ({ id: voidIds[at] ?? '', body: voiding(target) }))
    ]
    const again = story.repeats.flatMap(at => sent[at] ?? [])
    const ordered = [...sent, ...again]
      .map((statement, at) => ({ statement, place: story.order[at] ?? 0 }))
      .sort((a, b) => a.place - b.place)
      .map(({ statement }) => statement)
    return { ...story, ordered, voided: new Set(targets) }
  })

export type Story = typeof stories extends fc.Arbitrary<infer S> ? S : never

/** A statement as it is sent. */
export interface Statement {
  readonly id: string
  readonly body: object
}

function scoreOf({ score, points }: Pick<Deed, 'score' | 'points'>): object {
  return { ...(score === null ? {} : { scaled: score }), ...(points === null ? {} : { raw: points, min: 0, max: 10 }) }
}

function statementOf({ kind, actor, shape, subject, timestamp, ...deed }: Deed): object {
  const agent = { mbox: mboxOf(actor) }
  const verb = { id: `${n}verbs/${kind}` }
  const about = { objectType: 'Agent', mbox: mboxOf(subject) }
  const object = { id: deed.activity }
  const result = {
    ...(deed.score === null && deed.points === null ? {} : { score: scoreOf(deed) }),
    ...(deed.minutes === null ? {} : { duration: `PT${deed.minutes}M` }),
    ...(deed.tags === null ? {} : { extensions: { [`${n}extensions/outcome-tags`]: deed.tags } })
  }
  const context = {
    contextActivities: {
      ...(deed.module === null ? {} : { parent: [{ id: deed.module }] }),
      ...(deed.categories.length === 0 ? {} : { category: deed.categories.map(id => ({ id })) })
    },
    ...(shape === 'extension' ? { extensions: { [`${n}extensions/subject`]: about } } : {})
  }
  const parts = { verb, context, result, timestamp }
  if (shape === 'group-actor') return { actor: { objectType: 'Group', ...agent }, object, ...parts }
  if (shape === 'sub-statement') {
    return { actor: agent, object: { objectType: 'SubStatement', actor: agent, verb, object }, ...parts }
  }
  return { actor: agent, object: shape === 'agent' ? about : object, ...parts }
}

/** The words of all statements, by their dictionaries. */
export const everyWord = {
  agent: [...everyAgent.map(ifiOf), '["mbox","mailto:lrs@example.org"]', '["mbox","mailto:admin@example.org"]'],
  verb: [...kinds.map(kind => `${n}verbs/${kind}`), voiding('').verb.id],
  activity: [...activities, cmi5, talking, asking]
} as const
