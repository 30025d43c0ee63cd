import { Type } from 'typebox'
import { type Unit, units } from '../../metrics/unit.js'
import { lmsMetrics } from '../../scores/lms-metrics.js'
import { commonParameters, metaSchema, period } from './metrics-schema.js'
import { nullable, words } from './schema.js'
import { cardExample } from './scores-examples.js'
import { PersonScoreQuery } from './scores-schema.js'

const { tz, minGroupSize, consistency } = commonParameters
const { to } = PersonScoreQuery.properties

export const CardParameter = Type.Object({
  personId: Type.String({ description: "The roster's id of the person.", minLength: 1, maxLength: 500 })
})

export const CardQueryParameters = Type.Object(
  { to, tz, by: PersonScoreQuery.properties.by, minGroupSize, consistency },
  { additionalProperties: false }
)

const figure = (description: string) => nullable(Type.Number({ description }))

const band = Type.Object(
  {
    p25: figure('A quarter of the learners lies below.'),
    median: figure('Half of them.'),
    p75: figure('Three quarters of them.'),
    n: nullable(Type.Integer({ description: 'How many of them have a value; null when hidden.' })),
    nullReason: nullable(
      words(['small_group', 'no_values', 'no_group'], {
        description:
          'Why there is no band: fewer than `minGroupSize` have a value, nobody has, or the roster doesn’t say whom to compare with.'
      })
    )
  },
  { title: 'CardBand', description: 'Where the middle half of the learners compared lies, in the unit of the metric.' }
)

const value = figure('The person’s own, in the unit of the metric; null for nothing.')

/** A person's card. */
export const CardBody = Type.Object(
  {
    personId: Type.String({ description: "The roster's id of the person." }),
    period,
    by: Type.String({ description: 'Whom the person is compared with.' }),
    group: nullable(
      Type.String({ description: 'What they have in common today; null where nothing is known, or all are compared.' })
    ),
    metrics: Type.Immutable(
      Type.Array(
        Type.Object(
          {
            id: words([...lmsMetrics], { description: 'The id of the metric.' }),
            name: Type.String({ description: 'For people to read.' }),
            unit: words(Object.keys(units) as Unit[], { description: 'What its values are in.' }),
            value,
            band,
            weeks: Type.Immutable(
              Type.Array(
                Type.Object({ period, value, band }, { title: 'CardWeek', description: 'One week of a trend line.' }),
                { description: 'The last 12 weeks, the oldest first.' }
              )
            )
          },
          { title: 'CardMetric', description: 'One metric of the last 28 days, and its trend line.' }
        )
      )
    ),
    meta: metaSchema
  },
  {
    title: 'PersonCard',
    description: 'The six metrics of learning of one person, beside those who are alike.',
    examples: [cardExample]
  }
)
