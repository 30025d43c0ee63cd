import { type RawBuilder, sql } from 'kysely'
import { deedKinds } from '../events/deed-kinds.js'
import { isRuleCategory } from '../rollup/learner-categories.js'
import { daysOfRow, numberOfDays } from '../rollup/learner-weeks.js'
import { eventDeeds } from './event-deeds.js'
import type { FromWeeks, MeasureRequest, Metric } from './metric.js'

interface CourseDiversityOptions extends Record<string, string | number> {
  readonly of: 'effective' | 'distinct'
  readonly by: 'category' | 'contentType'
}

/** Digits behind the point that a learner's effective number is rounded to, so that sums are exact in any order. */
const digits = 9

/** Up to so many deeds of a category their n ln n is looked up. */
const logsKnown = 256

/**
 * n ln n of the first numbers, in units of the 12th digit: to make numeric of each category's own took as long as to read
 * them all, 60 of 290 ms. It is one list for the whole query.
 */
const knownLogs = sql`array(
  select (round((n * ln(n::float8))::numeric, 12) * 1e12)::bigint from generate_series(1, ${sql.lit(logsKnown)}) as n)`

const allDeeds = sql`nullif(sum(deeds), 0)::float8`

const deedLogs = sql`
  coalesce(sum((${knownLogs})[least(deeds, ${sql.lit(logsKnown + 1)})]), 0) * 1e-12
  + coalesce(sum(round((deeds * ln(deeds::float8))::numeric, 12)) filter (where deeds > ${sql.lit(logsKnown)}), 0)`

/**
 * exp(−Σ p ln p) = exp(ln N − Σ n ln n ÷ N), with n deeds of a category and N of all. What is summed is numeric, so that
 * the order does not matter; `ln` and `exp` of numeric took seconds for 4,000 learners. It is told with the learner's
 * aggregates, once: each sum over learners would work it out again.
 */
const perLearner = [
  sql`count(*) filter (where deeds > 0) as categories`,
  sql`round(exp(ln(${allDeeds}) - (${deedLogs})::float8 / ${allDeeds})::numeric, ${sql.lit(digits)}) as effective`
]

const deedsOn = (digit: string) => numberOfDays(sql`unnest(${sql.ref(digit)}) & days`)

/** Every day may have a category, so the days are those of the period; the octal digits of the numbers add up. */
const fromWeeks: FromWeeks = {
  table: 'learner_categories',
  days: sql`${sql.lit(2 ** daysOfRow - 1)}::bigint`,
  columns: [
    sql`unnest(category_ids) as category_id`,
    sql`(unnest(scales) * (${deedsOn('ones')} + 2 * ${deedsOn('twos')} + 4 * ${deedsOn('fours')}))::integer as deeds`
  ],
  rowParts: {
    by: [sql`category_id`],
    aggregates: [sql`sum(deeds) as deeds`]
  },
  perLearner
}

/**
 * How widely people learn.
 *
 * Numerator: the sum, over learners in P, of the number of categories that their own deeds in the period are of:
 * `distinct`, or `effective`, exp(−Σ p ln p) with p the share of a category; a deed of several categories counts in each. Denominator: the learners in P with a categorised deed: of the others it isn't
 * known how widely they learn. Categories are the `contextActivities.category` of statements, without those in which
 * cmi5 says that its rules hold, or the types of activities (`contentType`). Each logarithm is rounded to 12
 * digits and the effective number to 9. Details: `coverage`, the share of P with a categorised deed, and `categories`, the mean distinct
 * number. Window: each period, in whole local days of the query's time zone. Null: `empty_denominator` when nobody in P
 * has a categorised deed.
 *
 * @see Hill, M. O. (1973), "Diversity and evenness", for the effective number, of order 1
 */
export const courseDiversity: Metric<CourseDiversityOptions> = {
  id: 'course-diversity',
  name: 'Course diversity',
  question: 'How widely do people learn?',
  definition:
    'Sum over learners of the effective number of categories of what they did in the period, exp(-Σ p ln p) ÷ the learners who did something with a category.',
  unit: 'categories',
  calculation: 'ratio',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {
    of: {
      description:
        '`effective`: exp(-Σ p ln p), as many categories as would be, if all were of equal shares. `distinct`: how many there are.',
      values: ['effective', 'distinct'],
      default: 'effective'
    },
    by: {
      description:
        'What a category is: `category`, of `contextActivities.category` of the statement; `contentType`, the type of the activity.',
      values: ['category', 'contentType'],
      default: 'category'
    }
  },
  lagDays: () => 0,
  counting: request => ({
    deeds: categorised(request),
    parts: { by: [sql`category_id`], aggregates: [sql`count(*) as deeds`] },
    perLearner,
    ...(request.options.by === 'category' ? { fromWeeks } : {}),
    x: request.options.of === 'distinct' ? sql`coalesce(categories, 0)` : sql`coalesce(effective, 0)`,
    y: sql`(coalesce(categories, 0) > 0)::integer`,
    extra: { categories: sql`categories` },
    details: {
      coverage: sql`count(*) filter (where y > 0)::float8 / count(*)`,
      categories: sql`sum(categories) / nullif(sum(y), 0)`
    }
  }),
  evidence: () => ({ kinds: deedKinds, side: 'doer' })
}

/** The learner's own deeds, one for each category that they are of. */
function categorised(request: MeasureRequest<CourseDiversityOptions>): RawBuilder<unknown> {
  if (request.options.by === 'contentType') {
    return eventDeeds(request, {
      kinds: deedKinds,
      columns: [sql`event.activity_type_id as category_id`],
      where: sql`event.activity_type_id is not null`
    })
  }
  const rules = sql`select id from activity where tenant_id = ${request.tenantId} and ${isRuleCategory}`
  return eventDeeds(request, {
    kinds: deedKinds,
    columns: [sql`category_id`],
    joins: sql`cross join unnest(event.category_ids) as category_id`,
    where: sql`category_id <> all(array(${rules}))`
  })
}
