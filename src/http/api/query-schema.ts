import { Type } from 'typebox'
import { maxDimensions } from '../../metrics/dimension.js'
import { practiceTasks } from '../../metrics/practice-tasks.js'
import { filterReference } from './cohorts-schema.js'
import { breakdownNames, cellSchema, commonParameters, exampleAnswer, metaSchema } from './metrics-schema.js'
import { words } from './schema.js'

const { breakdown: _breakdown, cursor: _cursor, limit: _limit, ...shared } = commonParameters

/** The most metrics of one query. */
const maxMetrics = 20

const asked = Type.Object(
  {
    id: Type.String({ description: 'The id of a metric.', maxLength: 100, examples: ['active-users'] }),
    options: Type.Optional(
      Type.Record(Type.String({ maxLength: 100 }), Type.Union([Type.String({ maxLength: 100 }), Type.Number()]), {
        description: 'The options that only this metric knows, as `GET /metrics` lists them.'
      })
    )
  },
  { additionalProperties: false, title: 'AskedMetric', description: 'A metric and its options.' }
)

/** Several metrics, asked at once. */
export const MetricsQuery = Type.Object(
  {
    metrics: Type.Array(asked, { minItems: 1, maxItems: maxMetrics, description: 'What is asked.' }),
    ...shared,
    filter: Type.Optional(Type.Unsafe<unknown>(filterReference)),
    breakdown: Type.Optional(
      Type.Array(words(breakdownNames), {
        maxItems: maxDimensions,
        uniqueItems: true,
        description: 'Tells learners apart, as the parameter `breakdown` of a metric does.'
      })
    )
  },
  {
    additionalProperties: false,
    title: 'MetricsQuery',
    description: 'Several metrics for one window, one choice of learners and one breakdown.',
    examples: [
      {
        metrics: [{ id: 'active-users', options: { basis: 'received' } }, { id: 'practice-tasks' }],
        from: '2026-03-02',
        to: '2026-03-30',
        interval: 'week',
        filter: { and: [{ region: ['north'] }, { not: { role: ['clerk'] } }] },
        breakdown: ['team', 'tenureBand']
      }
    ]
  }
)

/** The answers, in the order of the questions. */
export const MetricsAnswers = Type.Object(
  {
    answers: Type.Immutable(
      Type.Array(
        Type.Object(
          {
            metric: Type.String({ description: 'The id of the metric.' }),
            results: Type.Immutable(Type.Array(cellSchema)),
            meta: metaSchema
          },
          { title: 'MetricResult', description: 'As `GET /metrics/{id}` answers.' }
        ),
        { description: 'In the order of the metrics asked for.' }
      )
    )
  },
  {
    title: 'MetricsAnswers',
    description: 'One answer for each metric, all from one snapshot.',
    examples: [{ answers: [exampleAnswer(practiceTasks)] }]
  }
)
