import { both } from './both.js'
import { type Coverage, clipZ } from './composite.js'
import { parseFields, parseNumber, parseVersion } from './definition.js'
import { type LmsMetric, lmsMetrics } from './lms-metrics.js'
import { slopeOf } from './slope.js'
import { isPresent, sumOf } from './values.js'
import { zScores } from './z-scores.js'

export interface MomentumDefinition {
  readonly version: number
  /** The least gain in z by which a metric counts as rising. */
  readonly minimumChange: number
  /** How many of the six metrics must rise. */
  readonly needs: number
  /** One metric that makes more than this share of all gains is a single spike; 0 to 1. */
  readonly spikeShare: number
  /** The least number of the 12 weeks with a value for a slope. */
  readonly leastWeeks: number
}

export const defaultMomentumDefinition: MomentumDefinition = {
  version: 1,
  minimumChange: 0.5,
  needs: 3,
  spikeShare: 0.6,
  leastWeeks: 6
}

/** One metric of one learner, in its own unit. */
export interface MetricCourse {
  /** The last 28 days. */
  readonly current: number | null
  /** The 28 days before those. */
  readonly previous: number | null
  /** The last 12 weeks, the oldest first. */
  readonly weekly: readonly (number | null)[]
}

export interface LearnerCourse<Key = string> {
  readonly key: Key
  readonly metrics: Readonly<Record<LmsMetric, MetricCourse>>
}

/** What one metric says of a learner's momentum. */
export interface MomentumComponent {
  readonly id: LmsMetric
  readonly current: number | null
  readonly previous: number | null
  /** The z-scores within the cohort, each among the values of its own 28 days, clipped to ±3. */
  readonly currentZ: number | null
  readonly previousZ: number | null
  /** `currentZ - previousZ`. */
  readonly change: number | null
  /** Per week, in the metric's unit. */
  readonly slope: number | null
  /** Both the change and the slope are enough; null where a missing one would decide. */
  readonly isRising: boolean | null
  /** The metric's part of all gains of the learner, 0 to 1; 0 where it lost. */
  readonly gainShare: number | null
  readonly isMissing: boolean
}

export interface Momentum<Key = string> {
  readonly key: Key
  /** Null (`low_coverage`) where the metrics that are not known would decide. */
  readonly hasMomentum: boolean | null
  readonly nullReason: 'low_coverage' | null
  /** How many metrics rise. */
  readonly rising: number
  /** The metric that makes more than 60 % of all gains, if there is one. */
  readonly singleSpike: LmsMetric | null
  readonly components: readonly MomentumComponent[]
  /** Present are the metrics of which it is known whether they rise. */
  readonly coverage: Coverage
  readonly definitionVersion: number
}

/** Everything of a component but its part of the gains, which depends on the others. */
type Course = Omit<MomentumComponent, 'gainShare'>

/**
 * Who is picking up: in at least three of the six metrics of learning the learner gains 0.5 or more in z, the last 28
 * days against the 28 before, and the 12-week slope is above 0.
 *
 * z is within the cohort, each window among its own values, so that what rises for everyone is nobody's gain. With
 * metrics missing it is still true when three rise and false when three no longer can; in between it is null.
 * `singleSpike` names the metric that makes more than 60 % of all gains: a burst, not a habit. Same order as given.
 *
 * @param learners all learners of the cohort
 */
export function momentumOf<Key>(
  learners: readonly LearnerCourse<Key>[],
  definition: MomentumDefinition = defaultMomentumDefinition
): readonly Momentum<Key>[] {
  const columns = lmsMetrics.map(id => coursesOf(learners, id, definition))
  return learners.map(({ key }, position) => {
    const courses = columns.flatMap(column => column[position] ?? [])
    return { key, ...judge(courses, definition) }
  })
}

function coursesOf<Key>(
  learners: readonly LearnerCourse<Key>[],
  id: LmsMetric,
  { minimumChange, leastWeeks }: MomentumDefinition
): readonly Course[] {
  const now = zScores(learners.map(({ key, metrics }) => ({ key, value: metrics[id].current })))
  const before = zScores(learners.map(({ key, metrics }) => ({ key, value: metrics[id].previous })))
  return learners.map(({ metrics }, position) => {
    const currentZ = clipZ(now[position]?.normalised ?? null)
    const previousZ = clipZ(before[position]?.normalised ?? null)
    const change = currentZ === null || previousZ === null ? null : currentZ - previousZ
    const slope = slopeOf(metrics[id].weekly, leastWeeks)
    const isRising = both(change === null ? null : change >= minimumChange, slope === null ? null : slope > 0)
    const { current, previous } = metrics[id]
    return { id, current, previous, currentZ, previousZ, change, slope, isRising, isMissing: isRising === null }
  })
}

function judge(courses: readonly Course[], definition: MomentumDefinition): Omit<Momentum, 'key'> {
  const { needs, spikeShare, version } = definition
  const gains = sumOf(courses.map(({ change }) => Math.max(0, change ?? 0)))
  const components = courses.map((course): MomentumComponent => {
    const { change } = course
    if (!isPresent(change) || gains === 0) return { ...course, gainShare: null }
    return { ...course, gainShare: Math.max(0, change) / gains }
  })
  const rising = courses.filter(({ isRising }) => isRising === true).length
  const unknown = courses.filter(({ isRising }) => isRising === null).length
  const couldStill = rising + unknown >= needs ? null : false
  const hasMomentum = rising >= needs ? true : couldStill
  return {
    hasMomentum,
    nullReason: hasMomentum === null ? 'low_coverage' : null,
    rising,
    singleSpike: components.find(({ gainShare }) => (gainShare ?? 0) > spikeShare)?.id ?? null,
    components,
    coverage: { present: courses.length - unknown, of: courses.length, needs },
    definitionVersion: version
  }
}

/**
 * A definition from JSON; what is missing takes its default.
 *
 * @throws LrsError `invalid-parameter` with a pointer to what can't be meant
 */
export function parseMomentumDefinition(input: unknown): MomentumDefinition {
  const given = parseFields(input, Object.keys(defaultMomentumDefinition))
  const fields = { ...defaultMomentumDefinition, ...given }
  return {
    version: parseVersion(given, defaultMomentumDefinition),
    minimumChange: parseNumber(fields.minimumChange, '/minimumChange', { above: 0 }),
    needs: parseNumber(fields.needs, '/needs', { least: 1, most: lmsMetrics.length, isInteger: true }),
    // Half or less could be the share of two metrics, and then which of them is the spike?
    spikeShare: parseNumber(fields.spikeShare, '/spikeShare', { least: 0.5, most: 1 }),
    leastWeeks: parseNumber(fields.leastWeeks, '/leastWeeks', { least: 2, most: 12, isInteger: true })
  }
}
