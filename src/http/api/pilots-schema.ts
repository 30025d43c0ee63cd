import { Type } from 'typebox'
import { namePattern } from '../../people/cohort-filter.js'
import { kpis } from '../../scores/kpi-thresholds.js'
import { defaultPilotDefinition } from '../../scores/pilot-decision.js'
import { metaSchema, period } from './metrics-schema.js'
import { instant, localDate, nullable, words } from './schema.js'
import { decisionExample } from './scores-examples.js'
import { kpiSource } from './scores-schema.js'

const name = (description: string) => Type.String({ description, minLength: 1, maxLength: 500, pattern: namePattern })

export const PilotParameter = Type.Object({ pilotId: name('The id of a pilot.') })

export const PilotsQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ description: 'Pilots on a page. Default: 100.', minimum: 1, maximum: 1000 })),
    after: Type.Optional(name('Only pilots behind this id: `next` of the page before.'))
  },
  { additionalProperties: false }
)

export const DecisionQuery = Type.Object(
  {
    asOf: Type.Optional(
      localDate('As of the beginning of this local day, in the tenant’s time zone. Default: today.', '2026-04-27')
    )
  },
  { additionalProperties: false }
)

const cohort = Type.String({
  description:
    'Whom it is meant for: a saved filter by its id, or else a cohort that the roster names; several with commas.',
  minLength: 1,
  maxLength: 4000,
  pattern: namePattern,
  examples: ['pilot-north']
})

const lengthWeeks = Type.Integer({ description: 'How many weeks it is meant to run.', minimum: 1, maximum: 104 })

const example = { name: 'Coaching in the north', cohort: 'pilot-north', startsOn: '2026-03-02', lengthWeeks: 8 }

/** What a pilot is made from. */
export const NewPilotBody = Type.Object(
  {
    name: Type.Optional(name('For people to read.')),
    cohort,
    startsOn: localDate('First local day.', '2026-03-02'),
    lengthWeeks,
    definition: Type.Optional(
      Type.Unsafe<object>({
        type: 'object',
        description:
          'What differs from the standard: `thresholds`, `minimumWeeks`, `minimumLearners`, `failingForHalt`. A `version` in it is of no account.'
      })
    )
  },
  { additionalProperties: false, examples: [{ ...example, definition: { minimumWeeks: 6 } }] }
)

const savedPilot = {
  id: Type.String({ description: 'As the address has it.' }),
  name: nullable(Type.String({ description: 'For people to read; null where none was given.' })),
  cohort,
  startsOn: localDate('First local day.', '2026-03-02'),
  lengthWeeks,
  definition: Type.Unsafe<object>({
    type: 'object',
    description: 'What it is judged by, whole; its `version` is raised whenever it changes.',
    additionalProperties: true
  }),
  createdAt: instant('When it was first saved.', '2026-03-02T08:00:00.000Z'),
  updatedAt: instant('When it was last saved.', '2026-03-02T08:00:00.000Z')
}

const savedExample = {
  id: 'north',
  ...example,
  definition: defaultPilotDefinition,
  createdAt: '2026-02-23T08:00:00.000Z',
  updatedAt: '2026-02-23T08:00:00.000Z'
}

export const SavedPilot = Type.Object(savedPilot, {
  title: 'Pilot',
  description: 'Whom a pilot is meant for, when, and what it is judged by.',
  examples: [savedExample]
})

export const PilotList = Type.Object(
  {
    pilots: Type.Array(SavedPilot, { description: 'In the order of their ids.' }),
    next: nullable(Type.String({ description: 'The `after` of the next page; null on the last one.' }))
  },
  { title: 'PilotList', description: 'A page of pilots.', examples: [{ pilots: [savedExample], next: null }] }
)

const measure = Type.Object(
  {
    id: words([...kpis], { description: 'The id of the metric.' }),
    value: nullable(Type.Number({ description: 'Brought to 7 days: Σx ÷ Σy over learners and weeks.' })),
    ...kpiSource,
    minimum: Type.Number({ description: 'The least that is worth going on with.' }),
    success: Type.Number({ description: 'What counts as success.' }),
    state: words(['failing', 'below_minimum', 'below_success', 'uncertain', 'success', 'unknown'], {
      description:
        '`failing`: even the upper bound is below the minimum. `below_minimum`: the value is. `below_success`: from the minimum on. `uncertain`: success, but the lower bound is below the minimum or there is none. `unknown`: no value, or hidden.'
    })
  },
  { title: 'JudgedMeasure', description: 'A measure, and where it stands.' }
)

/** The decision on a pilot. */
export const DecisionBody = Type.Object(
  {
    pilot: Type.String({ description: 'The id of the pilot.' }),
    asOf: localDate('The local day as of which it was decided.', '2026-04-27'),
    period: nullable(period),
    weeks: Type.Integer({ description: 'Complete weeks so far.' }),
    lengthWeeks,
    n: nullable(Type.Integer({ description: 'Learners of the cohort in any of the weeks; null when hidden.' })),
    decision: words(['scale', 'iterate', 'halt', 'insufficient_data'], { description: 'What to do.' }),
    sentence: Type.String({ description: 'Why, in plain English.' }),
    kpis: Type.Immutable(Type.Array(measure)),
    heldBackBy: Type.Immutable(
      Type.Array(Type.String(), { description: 'The measures that stand in the way of `scale`.' })
    ),
    definitionVersion: Type.Integer({ description: 'Of the pilot’s definition.' }),
    meta: metaSchema
  },
  {
    title: 'PilotDecision',
    description: 'Scale, iterate, halt, or not enough data, with all that it rests on.',
    examples: [decisionExample]
  }
)
