import { deepStrictEqual as deepEqual, ok } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import { type FoldMode, foldModes, foldSteps } from '../../../src/metrics/journeys/fold.js'
import { defaultSteps, prepareFunnel } from '../../../src/metrics/journeys/funnel.js'
import { prepareSequence } from '../../../src/metrics/journeys/sequence.js'
import { stepNames } from '../../../src/metrics/journeys/steps.js'
import { testDatabase } from '../../support/database.js'
import { questions, type World, worlds } from '../world.js'
import { answering, type Deed, deeds, instant, requestOf, seedDeeds, timeZones, within } from './events.js'
import { naiveSteps } from './naive-steps.js'

const { db } = await testDatabase(t)
const answerSequence = answering(prepareSequence)
const answerFunnel = answering(prepareFunnel)

const learners = (count: number): World => ({
  people: Array.from({ length: count }, () => ({
    known: true,
    roster: [{ from: null, to: null, cohorts: [] }],
    days: []
  }))
})

type Short = readonly [kind: Deed['kind'] | `${string}-received`, day: number, hour: number]

/** The deeds of one learner; what is received is done by the learner at `others`. */
const did = (who: number, others: number, ...events: readonly Short[]): readonly Deed[] =>
  events.map(([kind, day, hour]) =>
    kind.endsWith('-received')
      ? { kind: kind.replace('-received', '') as Deed['kind'], at: instant(day, hour), by: others, about: who }
      : { kind: kind as Deed['kind'], at: instant(day, hour), by: who }
  )

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-04-20T10:00:00Z') }
const query = { from: '2026-03-02', to: '2026-03-09' }

/** The example of docs/reference/metrics/funnel.md: twelve learners, and one who only gives feedback. */
const way: readonly (readonly Short[])[] = [
  [
    ['delivered', 0, 8],
    ['opened', 0, 9],
    ['completed-task', 1, 8],
    ['peer-feedback', 2, 8]
  ],
  [
    ['delivered', 0, 8],
    ['opened', 0, 10],
    ['completed-task', 2, 8],
    ['peer-feedback', 4, 8]
  ],
  [
    ['delivered', 1, 8],
    ['opened', 1, 11],
    ['completed-task', 4, 8],
    ['peer-feedback', 14, 8]
  ],
  [
    ['delivered', 0, 8],
    ['opened', 0, 12],
    ['completed-task', 4, 8],
    ['peer-feedback', 9, 8]
  ],
  [
    ['delivered', 6, 8],
    ['opened', 6, 8],
    ['completed-task', 11, 8],
    ['peer-feedback', 20, 23]
  ],
  [
    ['delivered', 2, 8],
    ['opened', 16, 23],
    ['completed-task', 17, 1]
  ],
  [
    ['opened', 0, 7],
    ['delivered', 0, 8],
    ['opened', 0, 13],
    ['peer-feedback', 1, 8],
    ['completed-task', 6, 8]
  ],
  [
    ['delivered', 3, 8],
    ['opened', 18, 0]
  ],
  [
    ['opened', 0, 8],
    ['delivered', 1, 8]
  ],
  [['opened', 2, 8]],
  [
    ['delivered', -1, 8],
    ['opened', 0, 8]
  ],
  []
]
const worked = way.flatMap((events, who) => did(who, 12, ...events))

const ns = (answer: { readonly results: readonly { readonly n: number | null }[] }) => answer.results.map(({ n }) => n)

t.test('the worked example: 12 learners, of whom 9 got something delivered and 5 gave feedback at the end', async t => {
  const tenantId = await seedDeeds(db, learners(12), worked, 'UTC')
  const answer = await answerFunnel(db, query, { ...asker, tenantId })
  t.equal(answer.eligible, 12)
  t.same(ns(answer), [9, 7, 6, 5])
  t.match(answer.results, [
    { position: 1, step: 'delivered', dropOff: 2, suppressed: false, timeFromFirst: { medianSeconds: null } },
    { step: 'opened', dropOff: 1, stepConversion: { value: 7 / 9, numerator: 7, denominator: 9, n: 9 } },
    { step: 'completed-task', dropOff: 1, stepConversion: { value: 6 / 7 }, totalConversion: { value: 6 / 9 } },
    { step: 'peer-feedback', dropOff: null, stepConversion: { value: 5 / 6 }, totalConversion: { value: 5 / 9 } }
  ])
  t.match(answer.results[0], { stepConversion: { value: 9 / 12 }, totalConversion: { value: 1 } })
  t.match(answer.results[1]?.totalConversion.ci, { method: 'wilson' })
  t.same(answer.results[3]?.timeFromFirst, { medianSeconds: 9 * 86_400, p90Seconds: 13.975 * 86_400 })
  t.match(answer.meta, {
    query: { options: { steps: defaultSteps, mode: 'ordered', windowDays: 14, module: null }, consistency: 'eventual' },
    warnings: [],
    excluded: { voided: 0, unresolvedActor: 0, future: 0 }
  })
})

t.test('modes: strict lets no other step lie between, unordered takes the steps as they come', async t => {
  const tenantId = await seedDeeds(db, learners(12), worked, 'UTC')
  const ask = async (mode: FoldMode) => ns(await answerFunnel(db, { ...query, mode }, { ...asker, tenantId }))
  t.same(await ask('strict'), [9, 7, 5, 5])
  t.same(await ask('unordered'), [9, 8, 6, 6])
})

t.test(
  'strong consistency and another zone count the events: the same, but for the days that the zone moves',
  async t => {
    const tenantId = await seedDeeds(db, learners(12), worked, 'UTC')
    const strong = await answerFunnel(db, { ...query, consistency: 'strong' }, { ...asker, tenantId })
    t.same(strong.results, (await answerFunnel(db, query, { ...asker, tenantId })).results)
    t.match(strong.meta, { query: { consistency: 'strong' }, consistentThrough: '2026-04-20T10:00:00.000Z' })
    // In New York the deeds of 23:00 and 0:00 lie four or five hours earlier, so that 18@0 is within the bracket of day 3.
    const there = await answerFunnel(db, { ...query, tz: 'America/New_York' }, { ...asker, tenantId })
    t.same(ns(there), [9, 8, 7, 5])
  }
)

t.test('a module, and steps that the rollup does not keep, are counted from the events', async t => {
  const world = learners(6)
  const [a, b] = ['https://m.example/a', 'https://m.example/b']
  const events = world.people.flatMap((_, who): readonly Deed[] => [
    { kind: 'started', at: instant(0, 8), by: who, module: a },
    { kind: 'assessed', at: instant(1, 8), by: who, module: who === 0 ? b : a },
    { kind: 'manager-check', at: instant(2, 8), by: 0, about: who, module: a }
  ])
  const tenantId = await seedDeeds(db, world, events, 'UTC')
  const ask = (own: object) => answerFunnel(db, { ...query, ...own }, { ...asker, tenantId })
  const steps = 'started,assessed,manager-check-received'
  const all = await ask({ steps })
  t.same(ns(all), [6, 6, 6])
  t.match(all.meta.query, { consistency: 'strong', options: { module: null } })
  t.same(ns(await ask({ steps, module: a })), [6, 5, 5])
  t.same(ns(await ask({ steps, module: 'https://m.example/none' })), [0, 0, 0])
})

t.test('a step that too few reached is hidden with all after it, and with the drop-off that would tell', async t => {
  const reached = (who: number): readonly Short[] =>
    (
      [
        ['delivered', 0, 8],
        ['opened', 1, 8],
        ['completed-task', 2, 8],
        ['peer-feedback', 3, 8]
      ] as const
    ).slice(0, who < 3 ? 4 : who < 20 ? 2 : 1)
  const tenantId = await seedDeeds(
    db,
    learners(30),
    Array.from({ length: 24 }, (_, who) => did(who, 30, ...reached(who))).flat(),
    'UTC'
  )
  const ten = { ...asker, tenantId, minGroupSize: 10 }
  const { results, eligible } = await answerFunnel(db, query, ten)
  t.equal(eligible, 30)
  t.match(results, [
    // The four who dropped out here are a numerator, as the twenty are.
    { n: 24, dropOff: 4, suppressed: false },
    { n: 20, dropOff: null, suppressed: false, stepConversion: { numerator: 20 } },
    { n: null, dropOff: null, suppressed: true, stepConversion: { value: null, nullReason: 'small_group', ci: null } },
    { n: null, suppressed: true, totalConversion: { numerator: null }, timeFromFirst: { medianSeconds: null } }
  ])
  const raised = await answerFunnel(db, { ...query, minGroupSize: 31 }, ten)
  t.match(raised, { eligible: null, results: [{ n: null }, { n: null }, { n: null }, { n: null }] })
  await t.rejects(answerFunnel(db, { ...query, minGroupSize: 9 }, ten), { code: 'invalid-parameter' })
  const empty = await answerFunnel(db, { ...query, role: 'nobody' }, ten)
  t.match(empty, {
    eligible: 0,
    results: [{ n: 0, stepConversion: { value: null, nullReason: 'empty_denominator', denominator: 0 } }],
    meta: { warnings: [{ code: 'unknown_value' }] }
  })
})

t.test('only brackets that have closed count, and the default window has no others', async t => {
  const tenantId = await seedDeeds(db, learners(12), worked, 'UTC')
  const ask = (asOf: string, own: object = query) => answerFunnel(db, own, { ...asker, tenantId, asOf: new Date(asOf) })
  // The bracket of day 6 ends with day 20, 22 March; that of day 3 with day 17, 19 March.
  t.match((await ask('2026-03-23T00:00:00Z')).meta.warnings, [])
  const open = await ask('2026-03-20T00:00:00Z')
  t.same([open.eligible, ...ns(open)], [11, 8, 6, 5, null])
  t.match(open.meta.warnings, [{ code: 'immature_brackets', message: /^Fewer than 5 / }])
  t.match((await ask('2026-03-23T10:00:00Z', {})).meta.query, { fromDate: '2026-03-02', toDate: '2026-03-09' })
})

t.test('steps must be 2 to 10 known ones, none twice', async t => {
  const tenantId = await seedDeeds(db, learners(0), [], 'UTC')
  for (const steps of [
    'opened',
    'opened,opened',
    'opened,liked',
    'opened,',
    stepNames.slice(0, 11).join(','),
    'constructor,opened'
  ]) {
    await t.rejects(answerFunnel(db, { ...query, steps }, { ...asker, tenantId }), { code: 'invalid-parameter' }, steps)
  }
  const most = await answerFunnel(db, { ...query, steps: stepNames.slice(0, 10).join(',') }, { ...asker, tenantId })
  t.equal(most.results.length, 10)
  t.match(most.meta.warnings, [{ code: 'empty_population' }])
})

t.test('the worked example of the sequence: 6 opened twice, 5 of 12 went the whole way', async t => {
  const whole: readonly Short[] = [
    ['completed-task', 2, 8],
    ['peer-feedback-received', 3, 8],
    ['manager-check-received', 4, 8]
  ]
  const ways: readonly (readonly Short[])[] = [
    [['opened', 0, 8], ['opened', 0, 9], ...whole],
    [['opened', 0, 8], ['opened', 0, 8], ...whole],
    [['opened', 0, 8], ['opened', 1, 9], ...whole],
    [['opened', 0, 8], ['opened', 2, 8], ...whole],
    [
      ['opened', 0, 8],
      ['opened', 1, 8],
      ['completed-task', 1, 8],
      ['peer-feedback-received', 1, 8],
      ['manager-check-received', 28, 23]
    ],
    [['opened', 0, 8], ['opened', 2, 9], ...whole],
    [['opened', 0, 8], ...whole],
    [
      ['opened', 1, 8],
      ['completed-task', 2, 8],
      ['opened', 30, 8]
    ]
  ]
  const tenantId = await seedDeeds(
    db,
    learners(12),
    ways.flatMap((events, who) => did(who, 11, ...events)),
    'UTC'
  )
  const answer = await answerSequence(db, query, { ...asker, tenantId })
  t.same(ns(answer), [8, 6, 5, 5, 5])
  t.match(answer, {
    eligible: 12,
    completed: { value: 5 / 12, numerator: 5, denominator: 12 },
    results: [{ step: 'opened' }, { step: 'opened-again' }, { step: 'completed-task' }],
    meta: { query: { options: { windowDays: 28 } } }
  })
  const hidden = await answerSequence(db, { ...query, minGroupSize: 6 }, { ...asker, tenantId })
  t.same(ns(hidden), [8, 6, null, null, null])
  t.match(hidden.completed, { value: null, nullReason: 'small_group' })
})

t.test('any world: the same as following one learner after another, from the rollup and from the events', async () => {
  const journeys = fc.record({
    steps: fc.oneof<fc.Arbitrary<readonly string[]>[]>(
      fc.constant(defaultSteps),
      fc.constant(['opened', 'opened', 'completed-task', 'peer-feedback-received', 'manager-check-received']),
      fc.shuffledSubarray(['delivered', 'opened', 'completed-task', 'peer-feedback', 'peer-feedback-received'], {
        minLength: 2
      }),
      fc.shuffledSubarray(['opened', 'assessed', 'manager-check', 'manager-check-received'], { minLength: 2 })
    ),
    mode: fc.constantFrom(...foldModes),
    windowDays: fc.constantFrom(1, 3, 14),
    module: fc.option(fc.constant('https://m.example/a'), { freq: 3 }),
    // Later ones reach into the next seven weeks that the rollup has a row for.
    laterDays: fc.constantFrom(0, 12)
  })
  await fc.assert(
    fc.asyncProperty(worlds, deeds, questions, journeys, timeZones, async (world, all, question, journey, timeZone) => {
      const [{ from, days }] = question.periods as [(typeof question.periods)[number]]
      const { filter, membership, today } = question
      const later = all.map(deed => ({ ...deed, at: deed.at + journey.laterDays * 86_400_000 }))
      const known = within(later, world, today)
      const tenantId = await seedDeeds(db, world, known, timeZone)
      const isAgain = journey.steps[0] === journey.steps[1]
      const mode = isAgain ? 'ordered' : journey.mode
      const needsEvents =
        journey.module !== null || journey.steps.some(step => ['assessed', 'manager-check'].includes(step))
      const asked = { tenantId, timeZone, filter, membership, today, from, to: from + days }
      const expected = naiveSteps(world, known, { ...asked, ...journey, mode })
      for (const source of needsEvents ? (['events'] as const) : (['rollup', 'events'] as const)) {
        const { steps, eligible, immature } = await foldSteps(db, {
          ...requestOf({ ...asked, source }),
          ...journey,
          mode
        })
        deepEqual({ eligible, immature, steps: steps.map(inMilliseconds) }, expected, source)
        const counts = steps.map(({ n }) => n)
        ok(counts.every((n, at) => at === 0 || n <= (counts[at - 1] ?? 0)))
      }
    }),
    { numRuns: 150 }
  )
})

/** Times to the millisecond, as the naive ones are. */
function inMilliseconds<Count extends object>(count: Count): Count {
  return Object.fromEntries(
    Object.entries(count).map(([name, value]) => [name, value === null ? null : Math.round(value * 1000) / 1000])
  ) as Count
}
