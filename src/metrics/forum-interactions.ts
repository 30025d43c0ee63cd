import { type RawBuilder, sql } from 'kysely'
import { daysWith, timesOn } from '../rollup/learner-weeks.js'
import { helpedPeople } from './helped-people.js'
import type { Counting, MeasureRequest, Metric } from './metric.js'

interface ForumInteractionsOptions extends Record<string, string | number> {
  readonly of: 'all' | 'posted' | 'replied' | 'endorsed' | 'people-helped'
}

/**
 * How much learners say in the forum.
 *
 * Numerator: posts, replies and endorsements of learners in P (`of=all`), or only one of the three, where
 * `of=replied` are the answers given; or, with `of=people-helped`, for each learner the distinct people to whom they
 * replied or whom they endorsed, without themself (our definition), as far as statements name them. Denominator: |P|.
 * Window: each period, in whole local days of the query's time zone. Details: `learners` who add anything, and the median
 * per learner. Null: `empty_denominator` when P is empty.
 */
export const forumInteractions: Metric<ForumInteractionsOptions> = {
  id: 'forum-interactions',
  name: 'Forum interactions',
  question: 'How much do people say in the forum, and whom do they help?',
  definition:
    'Posts, replies and endorsements of the target population, or the distinct people whom each of them helped ÷ the target population.',
  unit: 'per-learner',
  calculation: 'ratio',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {
    of: {
      description:
        'What is counted: `all` posts, replies and endorsements, one of the three, or `people-helped`, the distinct others to whom a learner replied or whom they endorsed.',
      values: ['all', 'posted', 'replied', 'endorsed', 'people-helped'],
      default: 'all'
    }
  },
  lagDays: () => 0,
  counting: request => ({
    ...interactions(request),
    x: sql`coalesce(interactions, 0)`,
    y: sql`1`,
    details: {
      learners: sql`count(*) filter (where share.x > 0)`,
      median: sql`percentile_cont(0.5) within group (order by share.x::float8)`
    }
  }),
  evidence: ({ of }) => ({
    kinds: of === 'all' ? ['posted', 'replied', 'endorsed'] : of === 'people-helped' ? ['replied', 'endorsed'] : [of],
    side: 'doer'
  })
}

function interactions(
  request: MeasureRequest<ForumInteractionsOptions>
): Pick<Counting, 'deeds' | 'perLearner' | 'fromWeeks'> {
  const { of } = request.options
  if (of === 'people-helped') {
    return { deeds: helpedPeople(request), perLearner: [sql`count(distinct helped) as interactions`] }
  }
  const kinds = of === 'all' ? (['posted', 'replied', 'endorsed'] as const) : [of]
  const counted: RawBuilder<number> = of === 'all' ? sql`(posted + replied + endorsed)` : sql`${sql.ref(of)}`
  return {
    deeds: sql`select person_id, day, ${counted} as times from population_day where ${counted} > 0`,
    perLearner: [sql`sum(times) as interactions`],
    fromWeeks: {
      days: sql`(${sql.join(kinds.map(daysWith), sql` | `)})`,
      perLearner: [sql`sum(${timesOn(sql`days`, kinds)}) as interactions`]
    }
  }
}
