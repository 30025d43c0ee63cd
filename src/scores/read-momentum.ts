import { addDays } from '../metrics/window.js'
import { type LearnerMetrics, type MeasuredLearner, readLearnerMetrics } from './learner-metrics.js'
import { type LmsMetric, lmsMetrics } from './lms-metrics.js'
import {
  defaultMomentumDefinition,
  type LearnerCourse,
  type MetricCourse,
  type Momentum,
  momentumOf,
  parseMomentumDefinition
} from './momentum.js'
import type { LearnerScore, ScoreWindow } from './score.js'
import { type Judgement, scoreGroups } from './score-groups.js'
import { weeksBefore } from './weeks.js'

const weeks = 12
const windowDays = 28

/** The momentum of learners: the last 28 days against the 28 before, and 12 weeks, by role unless asked otherwise. */
export const momentumScore: LearnerScore = {
  id: 'momentum',
  name: 'Momentum',
  question: 'Who is picking up, in several ways at once?',
  definition:
    'True where at least three of the six metrics of learning gain 0.5 or more in z, the last 28 days against the 28 before, and rise over the last 12 weeks.',
  unit: 'true or false',
  components: lmsMetrics,
  windowDays,
  hasFixedWindow: true,
  standard: defaultMomentumDefinition,
  parse: parseMomentumDefinition,
  comparedBy: 'role',
  read: async (db, request, given) => {
    const definition = parseMomentumDefinition(given)
    const courses = request.windows.map(coursePeriods)
    const periods = courses.flatMap(({ current, previous, weekly }) => [current, previous, ...weekly])
    const metrics = await readLearnerMetrics<LmsMetric>(db, lmsMetrics, { ...request, periods })
    const windows = courses.map(course => {
      const courseOf = coursesOf(metrics, course)
      return scoreGroups(metrics.learnersOf(course.current), request, group =>
        momentumOf(group.map(courseOf), definition).map(toJudgement)
      )
    })
    return { windows, snapshot: metrics.snapshot }
  }
}

type CoursePeriods = ReturnType<typeof coursePeriods>

/** What a learner's momentum at the end of a window rests on. */
function coursePeriods({ to }: ScoreWindow) {
  const since = addDays(to, -windowDays)
  return {
    current: { from: since, to },
    previous: { from: addDays(since, -windowDays), to: since },
    weekly: weeksBefore(to, weeks)
  }
}

/** What a learner's momentum is told from, read from the values of all. */
function coursesOf(
  metrics: LearnerMetrics<LmsMetric>,
  { current, previous, weekly }: CoursePeriods
): (learner: MeasuredLearner) => LearnerCourse {
  const columns = lmsMetrics.map(id => ({
    id,
    current: metrics.valuesOf(id, current),
    previous: metrics.valuesOf(id, previous),
    weekly: weekly.map(week => metrics.valuesOf(id, week))
  }))
  return learner => {
    const values = {} as Record<LmsMetric, MetricCourse>
    for (const { id, current, previous, weekly } of columns) {
      values[id] = { current: current(learner), previous: previous(learner), weekly: weekly.map(of => of(learner)) }
    }
    return { key: learner.personId, metrics: values }
  }
}

function toJudgement({ hasMomentum, nullReason, components, coverage, rising, singleSpike }: Momentum): Judgement {
  return {
    value: hasMomentum,
    nullReason,
    components: components.map(({ current: raw, currentZ: normalised, previousZ: previousNormalised, ...part }) => ({
      ...part,
      raw,
      normalised,
      previousNormalised
    })),
    coverage,
    details: { rising, singleSpike }
  }
}
