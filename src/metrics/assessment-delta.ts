import { type RawBuilder, sql } from 'kysely'
import type { ScoreScale } from '../database/schema-activities.js'
import { backInTime, inTime } from '../rollup/learner-attempts.js'
import { differences, gainsOf, isOfAttemptDays } from './attempt-days.js'
import type { Counting, MeasureRequest, Metric } from './metric.js'
import { scaleOption, scoredAttempts } from './score.js'

type DeltaOf = 'difference' | 'hake' | 'slope'

interface AssessmentDeltaOptions extends Record<string, string | number> {
  readonly of: DeltaOf
  readonly scale: ScoreScale
}

/** Digits behind the point that quotients are rounded to, so that a sum of them is exact in any order. */
const digits = 12

const isScored = sql`filter (where score is not null)`
const first = sql`(array_agg(score order by ${inTime}) ${isScored})[1]`
const last = sql`(array_agg(score order by ${backInTime}) ${isScored})[1]`

/**
 * How much people improve.
 *
 * `difference`: last − first score of each learner of P and activity with at least two scored attempts in the period.
 * `hake`: their gains, (last − first) ÷ (1 − first), of those that did not begin with 1. Numerator: their sum.
 * Denominator: their number. `slope`: numerator, the sum over learners of the least-squares slope of the scores of their
 * modules, in the order of the first attempt in each; the score of a module is that of this first attempt, so that
 * repeating one is no progress over modules (our definition); denominator, the learners with at least two modules.
 * Quotients are rounded to 12 digits. Scores are on one scale, never mixed. Window: each period, in whole local days of
 * the query's time zone. Null: `empty_denominator` when nobody in P has what is compared.
 *
 * @see Hake, R. R. (1998), "Interactive-engagement versus traditional methods"
 */
export const assessmentDelta: Metric<AssessmentDeltaOptions> = {
  id: 'assessment-delta',
  name: 'Assessment delta',
  question: 'Do people get better?',
  definition:
    'Sum of last - first score of each learner and activity with two scored attempts or more in the period ÷ the number of these.',
  unit: 'score',
  calculation: 'ratio',
  indicator: 'lagging',
  thresholds: null,
  definitionVersion: 1,
  options: {
    of: {
      description:
        '`difference`: last - first. `hake`: (last - first) ÷ (1 - first), without those that began with 1. `slope`: the least-squares slope, per module, of the first score in each of a learner’s modules, in their order.',
      values: ['difference', 'hake', 'slope'],
      default: 'difference'
    },
    scale: scaleOption
  },
  lagDays: () => 0,
  counting: request => ({
    deeds: scoredAttempts(request, request.options.scale),
    ...countings[request.options.of],
    ...(isOfAttemptDays(request) ? fromDays(request) : {})
  }),
  evidence: () => ({ kinds: ['assessed'], side: 'doer' })
}

const countings: Readonly<Record<DeltaOf, Omit<Counting, 'deeds'>>> = {
  difference: overActivities(sql`post - pre`, sql`attempts >= 2`),
  hake: overActivities(
    sql`round((post - pre) / nullif(1 - pre, 0), ${sql.lit(digits)})`,
    sql`attempts >= 2 and pre <> 1`
  ),
  slope: {
    parts: {
      by: [sql`module_id`],
      aggregates: [
        sql`${first} as score`,
        sql`(array_agg("timestamp" order by ${inTime}) ${isScored})[1] as "timestamp"`,
        sql`(array_agg(statement_seq order by ${inTime}) ${isScored})[1] as statement_seq`
      ]
    },
    perLearner: [sql`array_agg(score order by ${inTime}) ${isScored} as scores`],
    x: sql`coalesce(${slopeOf(sql`scores`)}, 0)`,
    y: sql`(cardinality(scores) >= 2)::integer`
  }
}

/** The same from the days of attempts; of modules they know nothing. */
function fromDays(request: MeasureRequest<AssessmentDeltaOptions>): Pick<Counting, 'learners'> {
  const { of, scale } = request.options
  if (of === 'slope') return {}
  return of === 'hake' ? gainsOf(request, scale, countings.hake.perLearner) : differences(request, scale)
}

function overActivities(gain: RawBuilder<unknown>, counts: RawBuilder<unknown>): Omit<Counting, 'deeds'> {
  return {
    parts: {
      by: [sql`activity_id`],
      aggregates: [sql`${first} as pre`, sql`${last} as post`, sql`count(score) as attempts`]
    },
    perLearner: [
      sql`sum(${gain}) filter (where ${counts}) as gained`,
      sql`count(*) filter (where ${counts}) as activities`
    ],
    x: sql`coalesce(gained, 0)`,
    y: sql`coalesce(activities, 0)`,
    details: { improved: sql`count(*) filter (where x > 0)`, declined: sql`count(*) filter (where x < 0)` }
  }
}

/** The least-squares slope of numbers over their positions; null for fewer than two. */
function slopeOf(scores: RawBuilder<unknown>): RawBuilder<number | null> {
  return sql`(
    select round((count(*) * sum(nth * score) - sum(nth) * sum(score))
      / nullif(count(*) * sum(nth * nth) - sum(nth) * sum(nth), 0), ${sql.lit(digits)})
    from unnest(${scores}) with ordinality as scored (score, nth))`
}
