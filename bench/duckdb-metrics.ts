import { deedKinds } from '../src/events/deed-kinds.js'

/** What the queries are asked of. */
export interface RawWindow {
  readonly from: string
  /** The local day after the last. */
  readonly to: string
  /** The local day that is not over yet; it begins at `asOf`. */
  readonly today: string
  /** Null for everyone. */
  readonly cohort: string | null
}

const deeds = `kind in (${deedKinds.map(kind => `'${kind}'`).join(', ')})`

/**
 * Metrics by their ids as queries over the raw events, for DuckDB: `x` and `y` of the one cell, the numerator and what
 * it is divided by, with the medians and distributions that the answers carry. Written from the definitions alone.
 */
export const rawQueries: Readonly<Record<string, (window: RawWindow) => string>> = {
  'active-users': window => whoDid(window, `kind = 'opened'`),
  'peer-feedback-rate': window => whoDid(window, `kind = 'peer-feedback'`),
  participation: window => whoDid(window, deeds),
  'repeat-rate': window => `
    with ${population(window)},
    active as (select distinct person_id, day from (${events(window, deeds, 7)})),
    first as (
      select person_id, min(day) as first_day from active
      where day < date '${window.to}' and person_id in (select person_id from population) group by person_id
    ),
    back as (
      select person_id, first_day, bool_or(day > first_day and day <= first_day + 7) as is_back
      from first join active using (person_id) group by person_id, first_day
    )
    select count(*) filter (where is_back) as x, count(*) as y from back where first_day + 7 < date '${window.today}'`,
  'practice-tasks': window =>
    perWeek(window, `select person_id, day from (${events(window, `kind = 'completed-task'`)})`),
  'engagement-frequency': window => perWeek(window, `select distinct person_id, day from (${events(window, deeds)})`),
  dau: window => activeIn(window, 'day', daysOf(window)),
  wau: window => activeIn(window, `date_trunc('week', day)`, weeksOf(window)),
  stickiness: window => `
    with ${population(window)},
    learner as (
      select person_id, count(distinct day) as days from (${events(window, deeds)})
      where person_id in (select person_id from population) group by person_id
    )
    select sum(days) as x, count(*) * ${daysOf(window)} as y, histogram(days) as active_days from learner`,
  'forum-interactions': window => `
    with ${population(window)},
    learner as (
      select person_id, count(*) as times
      from (${events(window, `kind in ('posted', 'replied', 'endorsed')`)}) group by person_id
    )
    select coalesce(sum(times), 0) as x, count(*) as y, count(times) as learners, median(coalesce(times, 0)) as median
    from population left join learner using (person_id)`,
  'assessment-score': window => `
    with ${population(window)},
    part as (
      select person_id, activity_id, arg_max(score_scaled, ("timestamp", statement_seq)) as score
      from (${events(window, `kind = 'assessed' and score_scaled is not null and activity_id is not null`)})
      where person_id in (select person_id from population) group by person_id, activity_id
    )
    select sum(score) as x, count(*) as y,
      count(distinct person_id) / (select count(*) from population) as coverage from part`
}

/** The learners of the roster on the window's first day. */
function population({ from, cohort }: RawWindow): string {
  const day = `date '${from}'`
  return `population as (
    select person_id from roster join person on person.id = roster.person_id and person.is_learner
    where coalesce(valid_from <= ${day}, true) and coalesce(valid_to > ${day}, true)
      and coalesce(hired_on <= ${day}, true) and coalesce(left_on >= ${day}, true)
      ${cohort === null ? '' : `and list_contains(cohorts, '${cohort}')`}
  )`
}

/** The events of persons in the window, and so many days behind it, that have happened. */
function events({ from, to, today }: RawWindow, condition: string, reachDays = 0): string {
  return `
    select person_id, kind, activity_id, "timestamp", statement_seq, day, score_scaled
    from learning_event join person_agent using (agent_id)
    where day >= date '${from}' and day < date '${to}' + ${reachDays} and ${condition}
      and "timestamp" <= timestamp '${today} 00:05:00'`
}

function whoDid(window: RawWindow, condition: string): string {
  return `
    with ${population(window)}
    select count(*) filter (where person_id in (select person_id from (${events(window, condition)}))) as x,
      count(*) as y
    from population`
}

/** Distinct learners in each unit, over the units of the window that are whole. */
function activeIn(window: RawWindow, unit: string, units: number): string {
  const wholeDays = unit === 'day' ? daysOf(window) : units * 7
  return `
    with ${population(window)}
    select count(*) as x, ${units} as y
    from (select distinct person_id, ${unit} as unit from (${events(window, deeds)})
      where day < date '${window.from}' + ${wholeDays})
    where person_id in (select person_id from population)`
}

function perWeek(window: RawWindow, deedsOfLearners: string): string {
  const weeks = weeksOf(window)
  return `
    with ${population(window)},
    learner as (
      select person_id, count(*) as times from (${deedsOfLearners})
      where day < date '${window.from}' + ${weeks * 7} group by person_id
    )
    select coalesce(sum(times), 0) as x, count(*) * ${weeks} as y, median(coalesce(times, 0) / ${weeks}) as median
    from population left join learner using (person_id)`
}

function daysOf({ from, to }: RawWindow): number {
  return (Date.parse(to) - Date.parse(from)) / 86_400_000
}

/** The whole weeks of a window; it begins on a Monday, so that they are ISO weeks too. */
function weeksOf(window: RawWindow): number {
  return Math.floor(daysOf(window) / 7)
}
