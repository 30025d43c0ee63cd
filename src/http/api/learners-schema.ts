import { Type } from 'typebox'
import { dimensionNames } from '../../metrics/dimension.js'
import { practiceTasks } from '../../metrics/practice-tasks.js'
import { commonParameters, exampleAnswer, metaSchema, period } from './metrics-schema.js'
import { instant, localDate, nullable, words } from './schema.js'

const { interval: _interval, compare: _compare, breakdown: _breakdown, limit: _limit, ...shared } = commonParameters

const { meta: exampleMeta } = exampleAnswer(practiceTasks)
const example = { period: { from: '2026-03-02', to: '2026-03-16' }, meta: exampleMeta }

const by = Type.Optional(
  words([...dimensionNames, 'none'], {
    description:
      'Whom learners are compared with: those who have this in common with them, or all (`none`). Default: `role`.'
  })
)

const limit = (most: number, standard: number) =>
  Type.Optional(Type.Integer({ description: `Entries on a page. Default: ${standard}.`, minimum: 1, maximum: most }))

const options = 'Further parameters are the options of the metric, as `GET /metrics` lists them.'

/** The most learners, or events, on a page. */
export const maxEntries = 1000
export const defaultEntries = 100

export const MetricParameter = Type.Object({
  metricId: Type.String({ description: 'The id of a metric.', maxLength: 100, examples: ['active-users'] })
})

/** The parameters of learners' values. */
export const LearnersQuery = Type.Object(
  { ...shared, by, limit: limit(maxEntries, defaultEntries) },
  { additionalProperties: { type: 'string' }, description: options }
)

/** The parameters of evidence. */
export const EvidenceQuery = Type.Object(
  { ...shared, limit: limit(maxEntries, defaultEntries) },
  { additionalProperties: { type: 'string' }, description: options }
)

const { cursor: _cursor, ...uncut } = shared

/** The parameters of benchmarks. */
export const BenchmarksQuery = Type.Object(
  {
    ...uncut,
    metric: Type.String({ description: 'The id of a metric.', maxLength: 100, examples: ['practice-tasks'] }),
    by,
    percentiles: Type.Optional(
      Type.String({
        description: 'Which percentiles, 0 to 100, with commas between them. Default: `10,25,50,75,90`.',
        pattern: '^\\d{1,3}(\\.\\d{1,3})?(,\\d{1,3}(\\.\\d{1,3})?){0,19}$',
        examples: ['10,50,90']
      })
    )
  },
  { additionalProperties: { type: 'string' }, description: options }
)

/** The names of the parameters that are no options of a metric. */
export const learnersNames: readonly string[] = Object.keys(LearnersQuery.properties)
export const benchmarksNames: readonly string[] = Object.keys(BenchmarksQuery.properties)

const nullReason = nullable(
  words(['missing', 'cohort_too_small', 'zero_variance'], {
    description:
      'Why `z` is null: the learner has no value, fewer than five of the group have one, or all have the same.'
  })
)

const learner = Type.Object(
  {
    personId: Type.String({ description: "The roster's id of the person." }),
    name: nullable(Type.String({ description: 'The name, where the roster has one.' })),
    group: nullable(Type.String({ description: 'What the learners compared have in common.' })),
    value: nullable(Type.Number({ description: 'The own value: x ÷ y, or of a count x. Null where y is 0.' })),
    x: Type.Number({ description: 'What the learner adds to the numerator.' }),
    y: Type.Number({ description: 'What the learner adds to the denominator; with 0 they are left out.' }),
    n: Type.Integer({ description: 'How many learners of the group have a value.' }),
    z: nullable(Type.Number({ description: '(value − mean) ÷ sample standard deviation of the group.' })),
    robustZ: nullable(Type.Number({ description: '0.6745 (value − median) ÷ median absolute deviation.' })),
    percentileRank: nullable(
      Type.Number({ description: '100 (lower + 0.5 equal) ÷ n, the learner among the equal: 0 to 100.' })
    ),
    rank: nullable(Type.Integer({ description: 'From 1, the highest value first; those who tie share it.' })),
    isTied: Type.Boolean({ description: 'Somebody of the group has the same value.' }),
    nullReason
  },
  { title: 'RankedLearner', description: 'A learner’s value, and where it stands in the group.' }
)

/** A page of learners' values. */
export const LearnersAnswer = Type.Object(
  {
    metric: Type.String({ description: 'The id of the metric.' }),
    period,
    by: Type.String({ description: 'Whom learners are compared with.' }),
    learners: Type.Immutable(Type.Array(learner, { description: 'By group, then by rank, those without one last.' })),
    meta: metaSchema
  },
  {
    title: 'LearnersAnswer',
    description: 'Every learner of the target population, also those who did nothing.',
    examples: [
      {
        metric: practiceTasks.id,
        period: example.period,
        by: 'role',
        learners: [
          {
            personId: '4711',
            name: 'Ada Lovelace',
            group: 'engineer',
            value: 2,
            x: 4,
            y: 2,
            n: 50,
            z: 1.006,
            robustZ: 1.349,
            percentileRank: 80,
            rank: 10,
            isTied: true,
            nullReason: null
          }
        ],
        meta: example.meta
      }
    ]
  }
)

const evidenceEvent = Type.Object(
  {
    statementId: Type.String({
      format: 'uuid',
      description: '`GET /xapi/statements?statementId=` gives the statement.'
    }),
    personId: Type.String({ description: 'The learner in whose numerator it is.' }),
    kind: Type.String({ description: 'The kind of learning event.', examples: ['opened'] }),
    timestamp: instant('When it happened.', '2026-03-02T08:00:00.000Z'),
    day: localDate('The local day of the query’s zone.', '2026-03-02'),
    module: nullable(Type.String({ description: 'IRI of the module, where the statement names one.' }))
  },
  { title: 'EvidenceEvent', description: 'A learning event that a numerator rests on.' }
)

/** A page of evidence. */
export const EvidenceAnswer = Type.Object(
  {
    metric: Type.String({ description: 'The id of the metric.' }),
    events: Type.Immutable(Type.Array(evidenceEvent, { description: 'In the order in which they happened.' })),
    nextCursor: nullable(Type.String({ description: 'Asks for the events that follow; null when these are the last.' }))
  },
  {
    title: 'EvidenceAnswer',
    description: 'The learning events behind a numerator.',
    examples: [
      {
        metric: practiceTasks.id,
        events: [
          {
            statementId: '6690e6c9-3ef0-4ed3-8b37-7f3964730bee',
            personId: '4711',
            kind: 'completed-task',
            timestamp: '2026-03-02T08:00:00.000Z',
            day: '2026-03-02',
            module: 'https://lms.example/modules/feedback'
          }
        ],
        nextCursor: null
      }
    ]
  }
)

const figure = (description: string) => nullable(Type.Number({ description }))

const groupBenchmark = Type.Object(
  {
    group: nullable(Type.String({ description: 'What the learners have in common; null where the roster has none.' })),
    n: nullable(Type.Integer({ description: 'How many learners have a value; null when hidden.' })),
    missing: nullable(Type.Integer({ description: 'How many have none; null when hidden.' })),
    mean: figure('The mean of the learners’ values.'),
    sd: figure('The sample standard deviation; null when n < 2.'),
    median: figure('The median.'),
    percentiles: Type.Record(Type.String(), nullable(Type.Number()), {
      description: 'Each percentile that was asked for, as `p10`; interpolated between learners. Empty when hidden.'
    }),
    suppressed: Type.Boolean({
      description: 'Hidden: fewer than `minGroupSize` learners, or it would give such a group away.'
    })
  },
  { title: 'GroupBenchmark', description: 'What the values of a group of learners are like.' }
)

/** The benchmarks of a metric. */
export const BenchmarksAnswer = Type.Object(
  {
    metric: Type.String({ description: 'The id of the metric.' }),
    period,
    by: Type.String({ description: 'What the learners of a group have in common.' }),
    benchmarks: Type.Immutable(Type.Array(groupBenchmark, { description: 'In the order of groups.' })),
    meta: metaSchema
  },
  {
    title: 'BenchmarksAnswer',
    description: 'What the learners’ values of a metric are like, by group.',
    examples: [
      {
        metric: practiceTasks.id,
        period: example.period,
        by: 'role',
        benchmarks: [
          {
            group: 'engineer',
            n: 50,
            missing: 0,
            mean: 1.1,
            sd: 0.894,
            median: 1,
            percentiles: { p10: 0, p90: 2 },
            suppressed: false
          }
        ],
        meta: example.meta
      }
    ]
  }
)
