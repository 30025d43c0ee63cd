import { Type } from 'typebox'
import type { Answer, ResolvedQuery } from '../../metrics/cell.js'
import { filterParameters } from '../../metrics/cohort-query.js'
import {
  type DeedDimension,
  type Dimension,
  deedDimensionNames,
  deedDimensions,
  dimensionNames,
  dimensions,
  maxDimensions
} from '../../metrics/dimension.js'
import type { Metric, MetricOption } from '../../metrics/metric.js'
import { defaultPageCells, maxPageCells } from '../../metrics/page.js'
import { groupSizeFloor } from '../../metrics/suppression.js'
import { defaultWindowDays, maxPeriods } from '../../metrics/window.js'
import { namePattern } from '../../people/cohort-filter.js'
import { instant, localDate, nullable, words } from './schema.js'

const values = (which: string, example: string) =>
  Type.String({
    description: `Only learners ${which}. Several values with commas between them: any of them, which wants \`people/read\` or the own line; several parameters: all of them. Default: the whole roster.`,
    minLength: 1,
    maxLength: 4000,
    pattern: namePattern,
    examples: [example]
  })

/** What some metric may be broken down by. */
export const breakdownNames: (Dimension | DeedDimension)[] = [...dimensionNames, ...deedDimensionNames]

const memberships = ['at_window_start', 'at_event', 'current'] as const
const comparisons = ['previous', 'year'] as const

/** The parameters that every metric knows; dates and zones are checked again, by their meaning, further in. */
export const commonParameters = {
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
  module: Type.Optional(
    Type.String({
      description:
        'The IRI of a module: only what was done in it counts. The events themselves are counted then, as with `consistency=strong`.',
      minLength: 1,
      maxLength: 4000,
      pattern: namePattern,
      examples: ['https://lms.example/modules/feedback']
    })
  ),
  breakdown: Type.Optional(
    Type.String({
      description: `Tells learners apart, by one or ${maxDimensions} of these with a comma between them: ${Object.entries(
        dimensions
      )
        .map(([name, { description }]) => `\`${name}\` (${description})`)
        .join(
          ', '
        )}. A cell for each combination that has a learner, at the moment that \`membership\` asks for. Metrics whose \`dimensions\` have them take these too: ${Object.entries(
        deedDimensions
      )
        .map(([name, { description }]) => `\`${name}\` (${description})`)
        .join(', ')}; with a cell for each that somebody did anything in, out of the same learners.`,
      minLength: 1,
      maxLength: 100,
      examples: ['team']
    })
  ),
  compare: Type.Optional(
    words(comparisons, {
      description:
        '`previous`: fills `previous` and `change` from the period before: the stretch of equal length before the window, or, with `interval`, the same days one interval earlier. `year`: from the same days of the year before; 28 February stands in for the 29th. Where a period is not over, only its days up to today are compared.'
    })
  ),
  limit: Type.Optional(
    Type.Integer({
      description: `Cells on a page. Default: ${defaultPageCells}.`,
      minimum: 1,
      maximum: maxPageCells
    })
  ),
  format: Type.Optional(
    words(['json', 'csv'], {
      description:
        '`csv`: a table with a row for each cell and the same numbers; also by `Accept: text/csv`. Default: what `Accept` asks for, or JSON.'
    })
  ),
  cursor: Type.Optional(
    Type.String({
      description: 'Where the page begins: `meta.nextCursor` of the page before, with the query unchanged.',
      maxLength: 200
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

/** The names of the parameters that every metric knows. */
export const commonNames: readonly string[] = Object.keys(commonParameters)

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

/** A period in local days. */
export const period = Type.Object(
  {
    from: localDate('First local day.', '2026-03-02'),
    to: localDate('The local day after the last.', '2026-03-09')
  },
  { title: 'Period', description: 'Local days of `meta.query.timeZone`, half-open.' }
)

/** A cell of an answer. */
export const cellSchema = Type.Object(
  {
    period,
    dimensions: Type.Record(Type.String(), nullable(Type.String()), {
      description: 'The values of what the answer is broken down by; null where the roster has none.'
    }),
    value: nullable(
      Type.Number({
        description:
          'numerator ÷ denominator, in the unit of the metric; a count that has no denominator is its numerator. Null with a `nullReason`, never 0 for want of data.'
      })
    ),
    numerator: nullable(
      Type.Number({ description: 'What was counted, such as learners who did it. Null when hidden or not begun.' })
    ),
    denominator: nullable(
      Type.Number({
        description: 'What it is divided by, such as learners who could have. Null when hidden or not begun.'
      })
    ),
    n: nullable(Type.Integer({ description: 'How many learners the value rests on. Null when hidden or not begun.' })),
    ci: nullable(
      Type.Object(
        { low: Type.Number(), high: Type.Number(), method: words(['wilson', 't']) },
        {
          title: 'ConfidenceInterval',
          description:
            'The 95 % confidence interval. Null whenever `value` is, for counts, and for means of one learner.'
        }
      )
    ),
    previous: nullable(
      Type.Number({
        description: 'The value of the previous period; null unless `compare` asks for it and it can be shown.'
      })
    ),
    change: nullable(Type.Number({ description: '`value - previous`; null when either is.' })),
    partial: Type.Boolean({ description: 'The window clips the period, or it is not over at `asOf`.' }),
    suppressed: Type.Boolean({
      description: 'Hidden, because it would speak of 1 to `minGroupSize - 1` learners, or give such a cell away.'
    }),
    nullReason: nullable(
      words(['empty_denominator', 'small_group', 'period_not_started'], {
        description: 'Why `value` is null; null when it is not.'
      })
    ),
    details: nullable(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'What else the metric says, such as a median; null when hidden, or when it says nothing more.'
      })
    )
  },
  { title: 'MetricCell', description: 'The value of one period, and of one group of learners.' }
)

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
    module: nullable(Type.String({ description: 'The only module whose events count.' })),
    membership: words(memberships, { description: 'When a learner had to belong.' }),
    breakdown: Type.Immutable(Type.Array(words(breakdownNames))),
    options: Type.Record(Type.String(), Type.Union([Type.String(), Type.Integer()])),
    compare: nullable(words(comparisons)),
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

/** What every answer says of itself. */
export const metaSchema = Type.Object(
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
            'parked_work',
            'leap_day'
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
    ),
    nextCursor: nullable(Type.String({ description: 'Asks for the cells that follow; null when these are the last.' }))
  },
  { title: 'MetricMeta', description: 'What the answer is about, and how sure it is.' }
)

/** The answer of a metric, with an example of its own. */
export function answerSchema(metric: Metric) {
  return Type.Object(
    {
      metric: Type.String({ description: 'The id of the metric.' }),
      results: Type.Immutable(
        Type.Array(cellSchema, {
          description: 'One cell per period and breakdown, in order; periods without activity are there too.'
        })
      ),
      meta: metaSchema
    },
    {
      title: 'MetricAnswer',
      description: 'One cell per period, and the query as it was understood.',
      examples: [exampleAnswer(metric)]
    }
  )
}

/** An answer of the metric, as an example. */
export function exampleAnswer(metric: Metric): Answer {
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
        ci:
          metric.calculation === 'count'
            ? null
            : { low: 0.5625, high: 0.809, method: metric.calculation === 'ratio' ? 't' : 'wilson' },
        previous: null,
        change: null,
        partial: false,
        suppressed: false,
        nullReason: null,
        details: null
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
        module: null,
        membership: 'at_window_start',
        breakdown: [],
        options,
        compare: null,
        minGroupSize: 10,
        consistency: 'eventual'
      },
      definitionVersion: metric.definitionVersion,
      asOf: '2026-04-09T08:00:00.000Z',
      consistentThrough: '2026-04-09T08:00:00.000Z',
      warnings: [],
      excluded: { voided: 2, unresolvedActor: 0, future: 0 },
      nextCursor: null
    }
  }
}
