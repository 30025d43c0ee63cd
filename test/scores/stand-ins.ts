import { sql } from 'kysely'
import { catalogue } from '../../src/metrics/catalogue.js'
import type { Evidence, Metric } from '../../src/metrics/metric.js'
import type { Kpi } from '../../src/scores/kpi-thresholds.js'
import type { LmsMetric } from '../../src/scores/lms-metrics.js'

/** Where each metric of learning is read from in these tests: a column of `learner_day` that nothing else uses. */
export const columnOf = {
  'completion-rate': 'completed',
  'time-on-task': 'visited',
  'assessment-score': 'assessed',
  'engagement-frequency': 'opened',
  'forum-interactions': 'posted',
  'course-diversity': 'started'
} as const satisfies Record<LmsMetric, string>

const columnOfKpi = {
  'peer-feedback-rate': 'peer_feedback',
  'manager-check-rate': 'manager_check_received'
} as const satisfies Partial<Record<Kpi, string>>

const frame = {
  question: '',
  definition: '',
  unit: 'per-learner',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  evidence: (): Evidence => ({ kinds: [], side: 'doer' })
} as const

/** The sum of one column; who has nothing in it has no value. */
function sumOf(id: LmsMetric): Metric {
  const column = sql.ref(columnOf[id])
  return {
    ...frame,
    id,
    name: id,
    calculation: 'ratio',
    counting: () => ({
      deeds: sql`select person_id, day, ${column} as times from population_day where ${column} > 0`,
      perLearner: [sql`sum(times) as times`],
      x: sql`coalesce(times, 0)`,
      y: sql`(times is not null)::integer`
    })
  }
}

/** The share of learners with anything in one column. */
function shareOf(id: keyof typeof columnOfKpi): Metric {
  return {
    ...frame,
    id,
    name: id,
    calculation: 'proportion',
    counting: () => ({
      deeds: sql`select person_id, day from population_day where ${sql.ref(columnOfKpi[id])} > 0`,
      perLearner: [],
      x: sql`(learner.person_id is not null)::integer`,
      y: sql`1`
    })
  }
}

/**
 * Puts a sum of one column in the place of each of the six metrics of learning, so that a test decides their values by
 * days alone, and how scores are made of them is tested apart from how they are counted. What the catalogue does not
 * have of the measures of coaching is added.
 */
export function standIn(): void {
  const metrics = catalogue as Metric[]
  for (const id of Object.keys(columnOf) as LmsMetric[]) {
    const at = metrics.findIndex(metric => metric.id === id)
    if (at >= 0) metrics[at] = sumOf(id)
    else metrics.push(sumOf(id))
  }
  for (const id of Object.keys(columnOfKpi) as (keyof typeof columnOfKpi)[]) {
    if (!metrics.some(metric => metric.id === id)) metrics.push(shareOf(id))
  }
}
