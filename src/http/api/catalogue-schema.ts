import { Type } from 'typebox'
import { dimensionNames } from '../../metrics/dimension.js'
import { units } from '../../metrics/unit.js'
import { breakdownNames } from './metrics-schema.js'
import { nullable, words } from './schema.js'

const metricOption = Type.Object(
  {
    name: Type.String({ description: 'The name of the parameter.' }),
    description: Type.String({ description: 'What it chooses.' }),
    values: Type.Array(Type.Union([Type.String(), Type.Integer()]), { description: 'What it may be.' }),
    default: Type.Union([Type.String(), Type.Integer()], { description: 'What it is when it is not given.' })
  },
  { title: 'MetricOption', description: 'A parameter that only this metric knows.' }
)

/** The list of metrics. */
export const catalogueSchema = Type.Object(
  {
    metrics: Type.Array(
      Type.Object(
        {
          id: Type.String({ description: 'The last part of its address.', examples: ['active-users'] }),
          name: Type.String({ description: 'For people to read.' }),
          question: Type.String({ description: 'The question it answers.' }),
          definition: Type.String({ description: 'Numerator ÷ denominator, in one sentence.' }),
          unit: words(Object.keys(units) as (keyof typeof units)[], {
            description: Object.entries(units)
              .map(([unit, meaning]) => `\`${unit}\`: ${meaning}.`)
              .join(' ')
          }),
          indicator: words(['leading', 'lagging'], {
            description: 'Whether it moves before the outcomes do, or with them.'
          }),
          calculation: words(['proportion', 'ratio', 'count'], {
            description:
              'How the value comes about. `proportion`: learners who did ÷ learners who could, with Wilson’s interval. `ratio`: sum ÷ sum over learners, with a t interval of the linearised ratio. `count`: a sum, without an interval.'
          }),
          thresholds: nullable(
            Type.Object(
              { minimum: Type.Number(), success: Type.Number(), perDays: Type.Integer() },
              { description: 'What a pilot must reach in a window of `perDays` days; null where no source names any.' }
            )
          ),
          dimensions: Type.Array(words(breakdownNames), {
            description: 'What it may be broken down by.'
          }),
          evidence: Type.Array(Type.String(), { description: 'The kinds of learning events that it rests on.' }),
          definitionVersion: Type.Integer({
            description: 'Raised whenever the same data would give another number.'
          }),
          options: Type.Array(metricOption, { description: 'The parameters that only this metric knows.' })
        },
        { title: 'MetricDescription', description: 'A metric: what it counts, and what it is judged by.' }
      )
    )
  },
  {
    title: 'MetricCatalogue',
    description: 'Every metric, in the order in which a reader should meet them.',
    examples: [exampleCatalogue()]
  }
)

function exampleCatalogue() {
  return {
    metrics: [
      {
        id: 'active-users',
        name: 'Active users',
        question: 'How many of the people we wanted to reach did we reach?',
        definition: 'Learners in the target population who opened at least once in the period ÷ the target population.',
        unit: 'proportion',
        indicator: 'leading',
        calculation: 'proportion' as const,
        thresholds: { minimum: 0.4, success: 0.7, perDays: 7 },
        dimensions: [...dimensionNames],
        evidence: ['opened'],
        definitionVersion: 1,
        options: [
          {
            name: 'basis',
            description: 'What makes a learner active: `opened`, or `received`, which counts *delivered* as well.',
            values: ['opened', 'received'],
            default: 'opened'
          }
        ]
      }
    ]
  }
}
