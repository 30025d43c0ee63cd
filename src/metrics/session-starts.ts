import { sql } from 'kysely'
import { deedKinds } from '../events/deed-kinds.js'
import { learnerDays } from '../rollup/learner-days.js'
import { daysWith, timesOn } from '../rollup/learner-weeks.js'
import { sessionGapMinutes } from '../rollup/session.js'
import type { Counting, FromWeeks, MeasureRequest, Metric } from './metric.js'
import { extent } from './shares.js'

interface SessionStartsOptions extends Record<string, string | number> {
  readonly gapMinutes: 15 | 30 | 60
}

/**
 * How many learning sessions began.
 *
 * A session is a run of a learner's own deeds with no pause of more than `gapMinutes` between them; a pause of just that
 * length does not end it, and neither does midnight: it belongs to the day of its first deed. Numerator: sessions of
 * learners in P that began in the period. No denominator: the value is the count. Window: each period, in whole local
 * days of the query's time zone. Details: `learners` who began one, and the median over these. Null:
 * `empty_denominator` when P is empty.
 */
export const sessionStarts: Metric<SessionStartsOptions> = {
  id: 'session-starts',
  name: 'Session starts',
  question: 'How often do people sit down to learn?',
  definition: 'Sessions of the target population that began in the period; a pause of more than gapMinutes ends one.',
  unit: 'count',
  calculation: 'count',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {
    gapMinutes: {
      description: 'How many minutes a pause within a session lasts at most.',
      values: [15, 30, 60],
      default: sessionGapMinutes
    }
  },
  lagDays: () => 0,
  counting: request => ({
    deeds: sessionDays(request),
    perLearner: [sql`sum(session_starts) as sessions`],
    ...(request.options.gapMinutes === sessionGapMinutes ? { fromWeeks } : {}),
    x: sql`coalesce(sessions, 0)`,
    y: sql`1`,
    details: {
      learners: sql`count(*) filter (where share.x > 0)`,
      median: sql`percentile_cont(0.5) within group (order by share.x::float8) filter (where share.x > 0)`
    }
  }),
  evidence: () => ({ kinds: deedKinds, side: 'doer' })
}

const fromWeeks: FromWeeks = {
  days: daysWith('session_starts'),
  perLearner: [sql`sum(${timesOn(sql`days`, ['session_starts'])}) as sessions`]
}

/** The rollups know the usual pause; for any other the events are cut anew. */
function sessionDays(request: MeasureRequest<SessionStartsOptions>): Counting['deeds'] {
  const { gapMinutes } = request.options
  const days =
    gapMinutes === sessionGapMinutes
      ? sql`population_day`
      : sql`(${learnerDays({
          ...request,
          ...extent(request, {}),
          source: 'events',
          sessionGapMinutes: gapMinutes
        })}) as cut`
  return sql`select person_id, day, session_starts from ${days} where session_starts > 0`
}
