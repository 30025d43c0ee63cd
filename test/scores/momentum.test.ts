import fc from 'fast-check'
import t from 'tap'
import { type LmsMetric, lmsMetrics } from '../../src/scores/lms-metrics.js'
import {
  defaultMomentumDefinition,
  type LearnerCourse,
  type MetricCourse,
  momentumOf
} from '../../src/scores/momentum.js'

const rise = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
const fall = [...rise].reverse()
const level = rise.map(() => 4)
const nothing: MetricCourse = { current: null, previous: null, weekly: [] }
const steady: MetricCourse = { current: 3, previous: 3, weekly: level }

const metricsOf = (courseOf: (id: LmsMetric) => MetricCourse) =>
  Object.fromEntries(lmsMetrics.map(id => [id, courseOf(id)])) as Record<LmsMetric, MetricCourse>

/** Five others with the values 1 to 5 in both windows, and one learner, last, with the courses given. */
function cohortWith(courses: Partial<Record<LmsMetric, MetricCourse>>): readonly LearnerCourse[] {
  const others = [1, 2, 3, 4, 5].map(value => ({
    key: `other ${value}`,
    metrics: metricsOf(() => ({ current: value, previous: value, weekly: level }))
  }))
  return [...others, { key: 'learner', metrics: metricsOf(id => courses[id] ?? steady) }]
}

const judged = (courses: Partial<Record<LmsMetric, MetricCourse>>, definition = defaultMomentumDefinition) =>
  momentumOf(cohortWith(courses), definition).at(-1)

// Among 1 to 5 and the learner: 3 has z 0; 5 has z 1.0206, from mean 10 ÷ 3 and SD 1.6330.
const up: MetricCourse = { current: 5, previous: 3, weekly: rise }

t.test(
  'a learner has momentum when three of six metrics gain half a standard deviation and rise over 12 weeks',
  async t => {
    const momentum = judged({ 'completion-rate': up, 'time-on-task': up, 'forum-interactions': up })
    t.match(momentum, {
      key: 'learner',
      hasMomentum: true,
      nullReason: null,
      rising: 3,
      singleSpike: null,
      coverage: { present: 6, of: 6, needs: 3 },
      definitionVersion: 1
    })
    const [completion, , assessment] = momentum?.components ?? []
    t.equal(completion?.previousZ, 0)
    t.equal(completion?.change?.toFixed(4), '1.0206')
    t.match(completion, { current: 5, previous: 3, slope: 1, isRising: true, isMissing: false, gainShare: 1 / 3 })
    t.match(assessment, { change: 0, slope: 0, isRising: false, gainShare: 0 })
  }
)

t.test('two rising metrics are no momentum', async t => {
  t.match(judged({ 'completion-rate': up, 'time-on-task': up }), { hasMomentum: false, nullReason: null, rising: 2 })
})

t.test('a gain without a rising slope counts as little as a slope without a gain', async t => {
  const gained = { ...up, weekly: fall }
  const risen = { ...steady, weekly: rise }
  const flat = { ...up, weekly: level }
  const momentum = judged({ 'completion-rate': gained, 'time-on-task': risen, 'assessment-score': flat })
  t.match(momentum, { rising: 0, hasMomentum: false })
  t.same(
    momentum?.components.slice(0, 3).map(({ slope }) => slope),
    [-1, 1, 0]
  )
})

t.test('a gain of just the threshold is enough, and one below it is not', async t => {
  const change = judged({ 'completion-rate': up })?.components[0]?.change ?? 0
  const rising = (minimumChange: number) =>
    judged({ 'completion-rate': up }, { ...defaultMomentumDefinition, minimumChange })?.rising
  t.equal(rising(change), 1)
  t.equal(rising(change + 1e-9), 0)
})

t.test('what rises for everyone is nobody’s gain', async t => {
  const learners = cohortWith({}).map(({ key, metrics }) => ({
    key,
    metrics: metricsOf(id => ({ ...metrics[id], current: (metrics[id].previous ?? 0) * 2 + 7, weekly: rise }))
  }))
  for (const momentum of momentumOf(learners)) {
    t.match(momentum, { hasMomentum: false, rising: 0 })
    t.ok(momentum.components.every(({ change }) => Math.abs(change ?? 1) < 1e-12))
  }
})

t.test('missing metrics leave momentum open only where they would decide', async t => {
  const three = { 'completion-rate': up, 'time-on-task': up, 'forum-interactions': up }
  const rest = { 'assessment-score': nothing, 'engagement-frequency': nothing, 'course-diversity': nothing }
  t.match(judged({ ...three, ...rest }), { hasMomentum: true, coverage: { present: 3 } }, 'three are enough')
  t.match(judged({ ...rest, 'completion-rate': up }), {
    hasMomentum: null,
    nullReason: 'low_coverage',
    coverage: { present: 3, of: 6, needs: 3 }
  })
  t.match(judged({ 'assessment-score': nothing, 'course-diversity': nothing }), { hasMomentum: false }, 'two are not')
  const unknown = judged({ ...rest })?.components[2]
  t.match(unknown, { isMissing: true, isRising: null, change: null, slope: null, gainShare: null })
})

t.test('a metric that is known not to gain does not rise, whatever its slope', async t => {
  const withoutWeeks = { ...steady, weekly: [null, 3] }
  t.match(judged({ 'completion-rate': withoutWeeks })?.components[0], {
    slope: null,
    isRising: false,
    isMissing: false
  })
  const gainOnly = { ...up, weekly: [1, 2, 3, 4, 5] }
  t.match(judged({ 'completion-rate': gainOnly })?.components[0], { slope: null, isRising: null }, 'five weeks are few')
})

t.test('one metric that makes more than 60 % of all gains is a single spike', async t => {
  t.equal(judged({ 'time-on-task': up })?.singleSpike, 'time-on-task')
  const less = { current: 4, previous: 3, weekly: rise }
  const momentum = judged({ 'time-on-task': up, 'course-diversity': less })
  const shares = momentum?.components.map(({ gainShare }) => gainShare ?? 0) ?? []
  t.ok((shares[1] ?? 0) > 0.6 && (shares[5] ?? 0) > 0)
  t.equal(momentum?.singleSpike, 'time-on-task')
  t.equal(judged({ 'time-on-task': up, 'course-diversity': up })?.singleSpike, null, 'two halves')
  const down = { current: 1, previous: 3, weekly: fall }
  t.equal(judged({ 'time-on-task': down })?.singleSpike, null, 'a loss is no spike')
  t.match(judged({ 'time-on-task': down, 'course-diversity': up })?.components[1], { gainShare: 0 })
})

t.test('the z-scores that a change is taken from are clipped to ±3', async t => {
  const many = Array.from({ length: 4 }, () => cohortWith({})).flat()
  const spike = { current: 1e6, previous: 3, weekly: rise }
  const momentum = momentumOf([...many, ...cohortWith({ 'completion-rate': spike })]).at(-1)
  t.equal(momentum?.components[0]?.currentZ, 3)
})

t.test('nobody has momentum in a cohort of nobody, and in one of four it is not known', async t => {
  t.same(momentumOf([]), [])
  const four = [1, 2, 3, 4].map(key => ({ key, metrics: metricsOf(() => up) }))
  t.match(momentumOf(four)[0], { hasMomentum: null, nullReason: 'low_coverage', coverage: { present: 0 } })
})

t.test('momentum agrees with a naive judgement of three values', async () => {
  const value = fc.option(fc.integer({ min: 0, max: 9 }), { freq: 4 })
  const course = fc.record({
    current: value,
    previous: value,
    weekly: fc.array(value, { minLength: 12, maxLength: 12 })
  })
  const learner = fc.record(Object.fromEntries(lmsMetrics.map(id => [id, course])) as Record<LmsMetric, typeof course>)
  fc.assert(
    fc.property(fc.array(learner, { minLength: 1, maxLength: 9 }), courses => {
      const learners = courses.map((metrics, key) => ({ key, metrics }))
      return momentumOf(learners).every(({ key, hasMomentum }) => hasMomentum === naive(courses, key))
    })
  )
})

/** Tries both answers for every metric that is not known: what all of them agree on is the judgement. */
function naive(courses: readonly Record<LmsMetric, MetricCourse>[], at: number): boolean | null {
  const states = lmsMetrics.map(id => {
    const z = (window: 'current' | 'previous') => {
      const values = courses.map(metrics => metrics[id][window]).filter(value => value !== null)
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length
      const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1))
      const own = courses[at]?.[id][window] ?? null
      return own === null || values.length < 5 || !(sd > 1e-9) ? null : (own - mean) / sd
    }
    const [now, before] = [z('current'), z('previous')]
    const gains = now === null || before === null ? [true, false] : [now - before >= 0.5]
    const weeks = (courses[at]?.[id].weekly ?? []).flatMap((value, week) =>
      value === null ? [] : [[week, value] as const]
    )
    const n = weeks.length
    const sum = (of: (week: number, value: number) => number) => weeks.reduce((all, point) => all + of(...point), 0)
    const covariance = n * sum((week, value) => week * value) - sum(week => week) * sum((_, value) => value)
    const rises = n < 6 ? [true, false] : [covariance > 0]
    return gains.flatMap(gain => rises.map(rising => gain && rising))
  })
  const certain = states.filter(possible => possible.every(Boolean)).length
  const possible = states.filter(values => values.some(Boolean)).length
  return certain >= 3 ? true : possible >= 3 ? null : false
}
