import { type TSchema, Type } from 'typebox'
import { filterParameters } from '../../metrics/cohort-query.js'
import type { Metric, MetricOption, ResolvedQuery } from '../../metrics/metric.js'
import { groupSizeFloor } from '../../metrics/suppression.js'
import { defaultWindowDays, maxPeriods } from '../../metrics/window.js'
import { namePattern } from '../../people/cohort-filter.js'

const localDate = (description: string, example: string) =>
  Type.String({ description, format: 'date', examples: [example] })

const words = <Values extends string[]>(values: readonly [...Values], about: { description?: string } = {}) =>
  Type.Enum(values, { type: 'string', ...about })

const nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])

const values = (which: string, example: string) =>
  Type.String({
    description: `Only learners ${which}. Several values with commas between them: any of them; several parameters: all of them. Default: the whole roster.`,
    minLength: 1,
    maxLength: 4000,
    pattern: namePattern,
    examples: [example]
  })

const memberships = ['at_window_start', 'at_event', 'current'] as const

/** The parameters that every metric knows; dates and zones are checked again, by their meaning, further in. */
const commonParameters = {
  from: Type.Optional(localDate(`First local day. Default: ${defaultWindowDays} days before \`to\`.`, '2026-03-02')),
  to: Type.Optional(
    localDate(
      'The local day after the last (half-open). Default: today, which is not complete and so not in the window. Without `from` and `to`, a metric that waits for returns ends as many days earlier as it waits.',
      '2026-03-09'
    )
  ),
  tz: Type.Optional(
    Type.String({
      description: "IANA name of the time zone that days are cut in. Default: the tenant's.",
      maxLength: 64,
      examples: ['Europe/Berlin']
    })
  ),
  interval: Type.Optional(
    words(['day', 'week', 'month'], {
      description: `Cuts the window into local days, ISO weeks (from Monday) or calendar months, at most ${maxPeriods}. Default: one period, the whole window.`
    })
  ),
  cohort: Type.Optional(
    values('in this cohort: a saved filter by its id, or else a cohort that the roster names', 'pilot-north')
  ),
  role: Type.Optional(values('of this role', 'engineer')),
  team: Type.Optional(values('of this team', 'platform')),
  manager: Type.Optional(values('in the whole line below the manager with this personId', '4711')),
  region: Type.Optional(values('of this region', 'north')),
  tenureBand: Type.Optional(
    values(
      'whose whole months since the day of hire, by the end of the period, lie in this band: `0-12`, `12-36` or `36+`. A `+` has to be sent as `%2B`; a bare one, which a query string takes for a space, is understood too',
      '12-36'
    )
  ),
  assignmentType: Type.Optional(values('of this assignment type', 'people manager')),
  jobFamily: Type.Optional(values('of this job family', 'engineering')),
  membership: Type.Optional(
    words(memberships, {
      description:
        "When a learner must belong: `at_window_start` (default), on the period's first day; `at_event`, on any day of the period, and then only what they do on such days counts; `current`, today."
    })
  ),
  compare: Type.Optional(
    words(['previous'], {
      description:
        '`previous`: fills `previous` and `change` from the period before: the stretch of equal length before the window, or, with `interval`, the same days one interval earlier. Where a period is not over, only its days up to today are compared.'
    })
  ),
  minGroupSize: Type.Optional(
    Type.Integer({
      description: `Hides groups smaller than this. May raise the configured size (10 by default), never lower it.`,
      minimum: groupSizeFloor,
      maximum: 1_000_000
    })
  ),
  consistency: Type.Optional(
    words(['eventual', 'strong'], {
      description:
        '`eventual` (default) reads rollups that follow the record within about a second; see `meta.consistentThrough`. `strong` counts the events themselves, so that everything acknowledged is in the answer.'
    })
  )
}

/** The parameters of one metric: the common ones and its own options. Unknown ones are refused. */
export function querySchema(metric: Metric) {
  const options = Object.fromEntries(
    Object.entries(metric.options).map(([name, option]) => [name, Type.Optional(optionSchema(option))])
  )
  return Type.Object({ ...options, ...commonParameters }, { additionalProperties: false })
}

function optionSchema({ description, values, default: standard }: MetricOption) {
  const annotation = { description: `${description} Default: ${standard}.`, enum: [...values] }
  return typeof standard === 'number' ? Type.Integer(annotation) : Type.String(annotation)
}

const period = Type.Object(
  {
    from: localDate('First local day.', '2026-03-02'),
    to: localDate('The local day after the last.', '2026-03-09')
  },
  { title: 'Period', description: 'Local days of `meta.query.timeZone`, half-open.' }
)

const cell = Type.Object(
  {
    period,
    dimensions: Type.Record(Type.String(), Type.String(), {
      description: 'What the cell is broken down by; empty here.'
    }),
    value: nullable(
      Type.Number({
        description: 'numerator ÷ denominator, 0 to 1. Null with a `nullReason`, never 0 for want of data.'
      })
    ),
    numerator: nullable(Type.Integer({ description: 'Learners who did it. Null when hidden or not begun.' })),
    denominator: nullable(Type.Integer({ description: 'Learners who could have. Null when hidden or not begun.' })),
    n: nullable(Type.Integer({ description: 'How many learners the value rests on. Null when hidden or not begun.' })),
    ci: nullable(
      Type.Object(
        { low: Type.Number(), high: Type.Number(), method: words(['wilson']) },
        { title: 'ConfidenceInterval', description: 'The 95 % confidence interval. Null whenever `value` is.' }
      )
    ),
    previous: nullable(
      Type.Number({
        description: 'The value of the previous period; null unless `compare` asks for it and it can be shown.'
      })
    ),
    change: nullable(Type.Number({ description: '`value - previous`; null when either is.' })),
    partial: Type.Boolean({ description: 'The window clips the period, or it is not over at `asOf`.' }),
    suppressed: Type.Boolean({ description: 'Hidden, because the denominator is 1 to `minGroupSize - 1`.' }),
    nullReason: nullable(
      words(['empty_denominator', 'small_group', 'period_not_started'], {
        description: 'Why `value` is null; null when it is not.'
      })
    )
  },
  { title: 'MetricCell', description: 'The value of one period.' }
)

const instant = (description: string, example: string) =>
  Type.String({ description, format: 'date-time', examples: [example] })

const resolvedQuery = Type.Object(
  {
    metric: Type.String(),
    fromDate: localDate('First local day.', '2026-03-02'),
    toDate: localDate('The local day after the last.', '2026-03-09'),
    from: instant('When `fromDate` begins, with its offset.', '2026-03-02T00:00:00+01:00'),
    to: instant('When `toDate` begins, with its offset.', '2026-03-09T00:00:00+01:00'),
    timeZone: Type.String({ examples: ['Europe/Berlin'] }),
    interval: nullable(words(['day', 'week', 'month'])),
    cohort: nullable(Type.String({ description: 'The cohorts as they were asked for.' })),
    filters: Type.Unsafe<ResolvedQuery['filters']>({
      type: 'object',
      description: 'The values asked for of other attributes.',
      properties: Object.fromEntries(
        filterParameters.map(name => [name, { type: 'array', items: { type: 'string' } }])
      ),
      additionalProperties: false
    }),
    membership: words(memberships, { description: 'When a learner had to belong.' }),
    options: Type.Record(Type.String(), Type.Union([Type.String(), Type.Integer()])),
    compare: nullable(words(['previous'])),
    minGroupSize: Type.Integer(),
    consistency: words(['eventual', 'strong'], {
      description: "What was given: a zone other than the tenant's is counted from the events, and so `strong`."
    })
  },
  {
    title: 'ResolvedQuery',
    description: 'The query as it was understood, defaults filled in: ask it again for the same answer.'
  }
)

const meta = Type.Object(
  {
    query: resolvedQuery,
    definitionVersion: Type.Integer({ description: 'Raised whenever the same data would give another number.' }),
    asOf: instant('The instant that the answer is about.', '2026-03-09T08:00:00.000Z'),
    consistentThrough: instant(
      'Every statement, and every change of the event mapping or the time zone, that was acknowledged before this instant is in the answer.',
      '2026-03-09T08:00:00.000Z'
    ),
    warnings: Type.Immutable(
      Type.Array(
        Type.Object({
          code: words([
            'derivation_running',
            'unknown_cohort',
            'unknown_value',
            'empty_population',
            'immature_brackets',
            'parked_work'
          ]),
          message: Type.String()
        })
      )
    ),
    excluded: Type.Union(
      [
        Type.Object({
          voided: Type.Integer({ description: 'Voided events.' }),
          unresolvedActor: Type.Integer({ description: 'Events of actors whom the roster does not name.' }),
          future: Type.Integer({ description: 'Events dated more than five minutes after `asOf`.' })
        }),
        Type.Null()
      ],
      {
        description:
          'Events of the window, over the whole tenant, that no metric counts; null where the caller may not see everyone.'
      }
    )
  },
  { title: 'MetricMeta', description: 'What the answer is about, and how sure it is.' }
)

/** The answer of a metric, with an example of its own. */
export function answerSchema(metric: Metric) {
  return Type.Object(
    {
      metric: Type.String({ description: 'The id of the metric.' }),
      results: Type.Immutable(
        Type.Array(cell, {
          description: 'One cell per period, in order; periods without activity are there too.'
        })
      ),
      meta
    },
    {
      title: 'MetricAnswer',
      description: 'One cell per period, and the query as it was understood.',
      examples: [exampleAnswer(metric)]
    }
  )
}

function exampleAnswer(metric: Metric) {
  const options = Object.fromEntries(Object.entries(metric.options).map(([name, option]) => [name, option.default]))
  return {
    metric: metric.id,
    results: [
      {
        period: { from: '2026-03-02', to: '2026-03-09' },
        dimensions: {},
        value: 0.7,
        numerator: 35,
        denominator: 50,
        n: 50,
        ci: { low: 0.5625, high: 0.809, method: 'wilson' },
        previous: null,
        change: null,
        partial: false,
        suppressed: false,
        nullReason: null
      }
    ],
    meta: {
      query: {
        metric: metric.id,
        fromDate: '2026-03-02',
        toDate: '2026-03-09',
        from: '2026-03-02T00:00:00+01:00',
        to: '2026-03-09T00:00:00+01:00',
        timeZone: 'Europe/Berlin',
        interval: null,
        cohort: 'pilot-north',
        filters: { role: ['engineer'] },
        membership: 'at_window_start',
        options,
        compare: null,
        minGroupSize: 10,
        consistency: 'eventual'
      },
      definitionVersion: metric.definitionVersion,
      asOf: '2026-04-09T08:00:00.000Z',
      consistentThrough: '2026-04-09T08:00:00.000Z',
      warnings: [],
      excluded: { voided: 2, unresolvedActor: 0, future: 0 }
    }
  }
}

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
          unit: words(['proportion'], { description: '`proportion`: 0 to 1.' }),
          indicator: words(['leading', 'lagging'], {
            description: 'Whether it moves before the outcomes do, or with them.'
          }),
          thresholds: Type.Object(
            { minimum: Type.Number(), success: Type.Number(), perDays: Type.Integer() },
            { description: 'What a pilot must reach in a window of `perDays` days.' }
          ),
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
        thresholds: { minimum: 0.4, success: 0.7, perDays: 7 },
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
