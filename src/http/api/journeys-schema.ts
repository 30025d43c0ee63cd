import { type TSchema, Type } from 'typebox'
import { foldModes } from '../../metrics/journeys/fold.js'
import { defaultConversionDays, defaultSteps, mostSteps } from '../../metrics/journeys/funnel.js'
import type { ResolvedJourney } from '../../metrics/journeys/journey.js'
import { lifecycleStates } from '../../metrics/journeys/lifecycle.js'
import { defaultPeriods, mostPeriods, retentionTypes } from '../../metrics/journeys/retention.js'
import { defaultSequenceDays } from '../../metrics/journeys/sequence.js'
import { stepNames } from '../../metrics/journeys/steps.js'
import { namePattern } from '../../people/cohort-filter.js'
import { bothForms } from './csv.js'
import { exampleFunnel, exampleLifecycle, exampleRetention, exampleSequence } from './journeys-examples.js'
import { cellSchema, commonParameters, metaSchema, period } from './metrics-schema.js'
import { nullable, words } from './schema.js'

const { from, to, tz, cohort, role, team, manager, region, tenureBand, assignmentType, jobFamily } = commonParameters
const { membership, minGroupSize, consistency, format } = commonParameters

/** The parameters that every question about journeys knows. */
const parameters = {
  from,
  to,
  tz,
  cohort,
  role,
  team,
  manager,
  region,
  tenureBand,
  assignmentType,
  jobFamily,
  membership,
  minGroupSize,
  consistency,
  format
}

const units = (description: string) => Type.Optional(words(['day', 'week', 'month'], { description }))

const days = (description: string, most: number) =>
  Type.Optional(Type.Integer({ description, minimum: 1, maximum: most, examples: [14] }))

const query = <Own extends Record<string, TSchema>>(own: Own) =>
  Type.Object({ ...own, ...parameters }, { additionalProperties: false })

export const FunnelParameters = query({
  steps: Type.Optional(
    Type.String({
      description: `2 to ${mostSteps} steps in their order, with commas between them, none twice: ${stepNames.join(', ')}. Default: ${defaultSteps.join(',')}. Steps other than those, \`peer-feedback-received\` and \`manager-check-received\` are counted from the events.`,
      minLength: 1,
      maxLength: 400,
      examples: [defaultSteps.join(',')]
    })
  ),
  mode: Type.Optional(
    words(foldModes, {
      description:
        '`ordered` (default): each step at or after the one before. `unordered`: the other steps in any order, also up to `windowDays` before the first. `strict`: as ordered, and no other step of the funnel between two.'
    })
  ),
  windowDays: days(
    `The conversion window: local days after the day of the first step, 1 to 90. Default: ${defaultConversionDays}.`,
    90
  ),
  module: Type.Optional(
    Type.String({
      description: 'The IRI of the only module whose events count. They are counted from the events themselves.',
      minLength: 1,
      maxLength: 4000,
      pattern: namePattern,
      examples: ['https://lms.example/modules/feedback']
    })
  )
})

export const SequenceParameters = query({
  windowDays: days(
    `How long the sequence may take: local days after the day of the first opening, 1 to 90. Default: ${defaultSequenceDays}.`,
    90
  )
})

export const RetentionParameters = query({
  type: Type.Optional(
    words(retentionTypes, {
      description:
        "`bracket` (default): active in the nth unit of the calendar after the cohort's. `unbounded`: in it or any later one. `rolling`: in the nth unit counted from the learner's own first day."
    })
  ),
  unit: units('Local days, ISO weeks (from Monday, default) or calendar months.'),
  periods: Type.Optional(
    Type.Integer({
      description: `How many periods of each cohort, its own unit with them. Default: ${defaultPeriods}.`,
      minimum: 1,
      maximum: mostPeriods,
      examples: [defaultPeriods]
    })
  )
})

export const LifecycleParameters = query({
  interval: units('Cuts the window into local days, ISO weeks (from Monday, default) or calendar months.')
})

const learners = (description: string) => nullable(Type.Integer({ description: `${description} Null when hidden.` }))

const shareProperties = {
  value: nullable(Type.Number({ description: 'numerator ÷ denominator, 0 to 1. Null with a `nullReason`.' })),
  numerator: learners('Learners who did it.'),
  denominator: learners('Learners who could have.'),
  n: learners('How many learners the value rests on.'),
  ci: cellSchema.properties.ci,
  suppressed: Type.Boolean({ description: 'Hidden, because it would speak of too few people.' }),
  nullReason: nullable(
    words(['empty_denominator', 'small_group', 'period_not_started', 'bracket_open'], {
      description: 'Why `value` is null; null when it is not.'
    })
  )
}

const share = Type.Object(shareProperties, { title: 'Share', description: 'A part of a group of learners.' })

const seconds = nullable(Type.Number({ description: 'Seconds; null at the first step, for nobody, and when hidden.' }))

const convertTime = Type.Object(
  { medianSeconds: seconds, p90Seconds: seconds },
  { title: 'ConvertTime', description: 'How long it took those who reached the step.' }
)

const step = Type.Object(
  {
    position: Type.Integer({ description: 'From 1.' }),
    step: Type.String(),
    n: learners('Learners who reached the step.'),
    stepConversion: share,
    totalConversion: share,
    dropOff: nullable(
      Type.Integer({
        description: 'Learners who did not reach the next step. Null at the last one, and when either is hidden.'
      })
    ),
    timeFromFirst: convertTime,
    timeFromPrevious: convertTime,
    suppressed: Type.Boolean({ description: 'Hidden: this step or an earlier one was reached by too few.' })
  },
  {
    title: 'JourneyStep',
    description:
      '`stepConversion` is of those who reached the step before, at the first step of `eligible`; `totalConversion` of those who reached the first.'
  }
)

const { definitionVersion, asOf, consistentThrough, warnings, excluded, query: resolved } = metaSchema.properties
const { fromDate, toDate, timeZone, filters } = resolved.properties

const journeyMeta = Type.Object(
  {
    query: Type.Object(
      {
        fromDate,
        toDate,
        from: resolved.properties.from,
        to: resolved.properties.to,
        timeZone,
        cohort: resolved.properties.cohort,
        filters,
        membership: resolved.properties.membership,
        options: Type.Unsafe<ResolvedJourney['options']>({
          type: 'object',
          description: 'The parameters that only this question knows.',
          additionalProperties: {
            anyOf: [
              { type: 'string' },
              { type: 'integer' },
              { type: 'null' },
              { type: 'array', items: { type: 'string' } }
            ]
          }
        }),
        minGroupSize: Type.Integer(),
        consistency: resolved.properties.consistency
      },
      { title: 'ResolvedJourney', description: 'The query as it was understood, defaults filled in.' }
    ),
    definitionVersion,
    asOf,
    consistentThrough,
    warnings,
    excluded
  },
  { title: 'JourneyMeta', description: 'What the answer is about, and how sure it is.' }
)

const eligible = learners('Learners of the target population whose way is known: all but those with an open bracket.')
const steps = Type.Immutable(Type.Array(step, { description: 'One for each step, in order.' }))

export const funnelAnswer = bothForms(
  Type.Object(
    { funnel: words(['funnel']), eligible, results: steps, meta: journeyMeta },
    { title: 'FunnelAnswer', description: 'How many came how far.' }
  ),
  exampleFunnel
)

export const sequenceAnswer = bothForms(
  Type.Object(
    { sequence: words(['sequence']), eligible, completed: share, results: steps, meta: journeyMeta },
    { title: 'SequenceAnswer', description: 'How many went the whole way.' }
  ),
  exampleSequence
)

const cellProperties = {
  period: Type.Integer({ description: "From 0, the cohort's own unit." }),
  eligible: learners('Learners whose period has closed at `asOf`.'),
  ...shareProperties
}

export const retentionAnswer = bothForms(
  Type.Object(
    {
      retention: words(['retention']),
      results: Type.Immutable(
        Type.Array(
          Type.Object(
            {
              cohort: period,
              partial: Type.Boolean({ description: 'The window clips the unit, or it is not over yet.' }),
              size: learners('Learners whose first active day ever lies in it, as far as they are in its P.'),
              cells: Type.Immutable(Type.Array(Type.Object(cellProperties, { title: 'RetentionCell' })))
            },
            { title: 'RetentionCohort' }
          ),
          { description: 'One for each unit of the window, in order.' }
        )
      ),
      curve: Type.Immutable(
        Type.Array(
          Type.Object(
            {
              ...cellProperties,
              loss: nullable(
                Type.Number({ description: 'How far the value fell since the period before, in the same cohorts.' })
              )
            },
            { title: 'RetentionPoint' }
          ),
          { description: 'The cells that are shown, summed over the cohorts.' }
        )
      ),
      largestLoss: nullable(
        Type.Object(
          { period: Type.Integer(), loss: Type.Number() },
          { title: 'LargestLoss', description: 'Where most were lost; null where nothing fell.' }
        )
      ),
      meta: journeyMeta
    },
    { title: 'RetentionAnswer', description: 'Who came back, by when they began.' }
  ),
  exampleRetention
)

const states = Object.fromEntries(lifecycleStates.map(state => [state, share])) as Record<
  (typeof lifecycleStates)[number],
  typeof share
>

export const lifecycleAnswer = bothForms(
  Type.Object(
    {
      lifecycle: words(['lifecycle']),
      results: Type.Immutable(
        Type.Array(
          Type.Object(
            {
              period,
              partial: Type.Boolean({ description: 'The window clips the period, or it is not over at `asOf`.' }),
              population: learners('The target population of the period.'),
              ...states
            },
            { title: 'LifecyclePeriod', description: 'active = new + returning + resurrecting.' }
          ),
          { description: 'One for each period, in order.' }
        )
      ),
      meta: journeyMeta
    },
    { title: 'LifecycleAnswer', description: 'Where the learners of each period stand.' }
  ),
  exampleLifecycle
)
