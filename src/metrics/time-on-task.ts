import { type RawBuilder, sql } from 'kysely'
import { deedKinds } from '../events/deed-kinds.js'
import { isActiveDay } from './activity.js'
import { stretchColumns, sumOverStretch } from './learner-weeks.js'
import type { FromWeeks, Metric } from './metric.js'

type Method = 'auto' | 'terminated' | 'sessions'

interface TimeOnTaskOptions extends Record<string, string | number> {
  readonly method: Method
}

const hasDuration = sql`durations > 0`

/**
 * How the time of a learner is told, null for those who did nothing. By durations where the learner has any in the
 * period, and otherwise, if that is allowed, by sessions: never both, because a session lasts while a duration runs.
 */
const told: Readonly<Record<Method, RawBuilder<unknown>>> = {
  auto: sql`case when ${hasDuration} then 'terminated' when active_days > 0 then 'sessions' end`,
  terminated: sql`case when ${hasDuration} then 'terminated' when active_days > 0 then 'unknown' end`,
  sessions: sql`case when active_days > 0 then 'sessions' end`
}

/** Days with a duration stand for durations, of which it only matters whether there is one. */
const fromWeeks: FromWeeks = {
  table: 'learner_time',
  days: sql`active`,
  columns: [
    ...stretchColumns,
    sql`(timed & days) <> 0 as is_timed`,
    sql`duration_ms`,
    sql`active_ms`,
    sql`calendar_durations`
  ],
  perLearner: [
    sql`sum(${sumOverStretch('duration_ms')}) as duration_ms`,
    sql`count(*) filter (where is_timed) as durations`,
    sql`sum(${sumOverStretch('calendar_durations')}) as calendar_durations`,
    sql`sum(${sumOverStretch('active_ms')}) as active_ms`,
    sql`sum(until - before) as active_days`
  ]
}

/**
 * How long people learn.
 *
 * Numerator: the milliseconds of learners in P, by durations of *terminated* events, or by sessions: the gaps of at most
 * 30 minutes between deeds, credited to the day of the later one. The method `auto` takes durations of who has any in
 * the period and sessions of all others. Denominator: |P|, since who did nothing spent no time; with `terminated`,
 * without active learners who have no duration, whose time is not known. Details: `methods`, how many learners were
 * told by each; `coverage`, the share of active learners with a duration; `calendarDurations`, those of years or months,
 * which have no length and are left out. Window: each period, in whole local days of the query's time zone. Null:
 * `empty_denominator` when P is empty, or nobody's time is known.
 */
export const timeOnTask: Metric<TimeOnTaskOptions> = {
  id: 'time-on-task',
  name: 'Time on task',
  question: 'How long do people learn?',
  definition:
    'Time that the target population spent in the period, by durations or else by sessions ÷ the target population.',
  unit: 'milliseconds',
  calculation: 'ratio',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {
    method: {
      description:
        '`auto`: the durations of *terminated* events of learners who have any in the period, and the sessions of all others. `terminated`: durations alone. `sessions`: sessions alone, the gaps of at most 30 minutes between deeds.',
      values: ['auto', 'terminated', 'sessions'],
      default: 'auto'
    }
  },
  lagDays: () => 0,
  counting: ({ options: { method } }) => ({
    deeds: sql`
      select person_id, day, duration_ms, durations, calendar_durations, active_ms from population_day
      where ${isActiveDay}`,
    perLearner: [
      sql`sum(duration_ms) as duration_ms`,
      sql`sum(durations) as durations`,
      sql`sum(calendar_durations) as calendar_durations`,
      sql`sum(active_ms) as active_ms`,
      sql`count(*) as active_days`
    ],
    fromWeeks,
    x: sql`case ${told[method]} when 'terminated' then duration_ms when 'sessions' then active_ms else 0 end`,
    y: sql`case ${told[method]} when 'unknown' then 0 else 1 end`,
    extra: {
      told: told[method],
      is_active: sql`active_days > 0`,
      has_duration: hasDuration,
      calendar_durations: sql`calendar_durations`
    },
    details: {
      methods: sql`json_build_object(
        'terminated', count(*) filter (where told = 'terminated'), 'sessions', count(*) filter (where told = 'sessions'))`,
      coverage: sql`count(*) filter (where has_duration)::float8 / nullif(count(*) filter (where is_active), 0)`,
      calendarDurations: sql`coalesce(sum(calendar_durations), 0)`
    }
  }),
  evidence: ({ method }) => ({ kinds: method === 'terminated' ? ['terminated'] : deedKinds, side: 'doer' })
}
