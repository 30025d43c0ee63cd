import fc from 'fast-check'
import t from 'tap'
import { coachingIndex, compoundSignal, defaultCoachingDefinition } from '../../src/scores/coaching-index.js'
import { clipZ, composite } from '../../src/scores/composite.js'
import { activityTrend, type EnergizeCounts, energizeScores } from '../../src/scores/energize-score.js'
import { leadershipFlags } from '../../src/scores/leadership-flag.js'
import { defaultLeadershipDefinition, leadershipIndexes } from '../../src/scores/leadership-index.js'
import { type LmsMetric, lmsMetrics } from '../../src/scores/lms-metrics.js'

const part = (id: 'a' | 'b' | 'c', normalised: number | null) => ({
  id,
  raw: normalised,
  normalised,
  nullReason: normalised === null ? ('missing' as const) : null
})
const weighting = { version: 7, weights: { a: 1, b: 1, c: 2 }, needs: 2 }

t.test('a composite is the weighted mean of what is there, with the weights made up to 1', async t => {
  t.match(composite([part('a', 4), part('b', 8), part('c', 2)], weighting), {
    value: 4,
    nullReason: null,
    coverage: { present: 3, of: 3, needs: 2 },
    definitionVersion: 7,
    components: [
      { id: 'a', weight: 1, share: 0.25, contribution: 1, isMissing: false },
      { id: 'b', weight: 1, share: 0.25, contribution: 2, isMissing: false },
      { id: 'c', weight: 2, share: 0.5, contribution: 1, isMissing: false }
    ]
  })
  const others = { ...weighting, weights: { a: 4, b: 1, c: 3 } }
  t.match(composite([part('a', null), part('b', 8), part('c', 2)], others, 10), {
    value: 35,
    coverage: { present: 2, of: 3, needs: 2 },
    components: [
      { id: 'a', weight: 4, share: 0, normalised: null, contribution: null, isMissing: true, nullReason: 'missing' },
      { share: 0.25, contribution: 20 },
      { share: 0.75, contribution: 15 }
    ]
  })
})

t.test('below its coverage there is no score, and nothing contributes to it', async t => {
  t.match(composite([part('a', null), part('b', null), part('c', 2)], weighting), {
    value: null,
    nullReason: 'low_coverage',
    coverage: { present: 1, of: 3, needs: 2 },
    components: [{ contribution: null }, { contribution: null }, { normalised: 2, share: 1, contribution: null }]
  })
})

t.test('a component without weight neither counts nor fills the coverage', async t => {
  const unweighted = { ...weighting, weights: { a: 0, b: 1, c: 1 } }
  t.match(composite([part('a', 100), part('b', 2), part('c', 4)], unweighted), {
    value: 3,
    coverage: { present: 2, of: 2, needs: 2 }
  })
  t.match(composite([part('a', 100), part('b', 2), part('c', null)], unweighted), {
    value: null,
    coverage: { present: 1, of: 2 }
  })
  t.match(composite([part('a', 100), part('b', null), part('c', null)], unweighted), {
    value: null,
    components: [{ share: 0, contribution: null, isMissing: false }]
  })
})

t.test(
  'a composite lies between its components, is the sum of its contributions and knows no unit of weights',
  async () => {
    const normalised = fc.option(fc.double({ min: -3, max: 3, noNaN: true }))
    const weight = fc.integer({ min: 1, max: 9 })
    fc.assert(
      fc.property(
        fc.tuple(normalised, normalised, normalised),
        fc.tuple(weight, weight, weight),
        (values, [a, b, c]) => {
          const parts = [part('a', values[0]), part('b', values[1]), part('c', values[2])]
          const score = composite(parts, { version: 1, weights: { a, b, c }, needs: 2 })
          const tenfold = composite(parts, { version: 1, weights: { a: a * 10, b: b * 10, c: c * 10 }, needs: 2 })
          const present = values.filter(value => value !== null)
          if (present.length < 2) return score.value === null
          const naive = values.reduce<number>((sum, value, at) => sum + (value ?? 0) * ([a, b, c][at] ?? 0), 0)
          const total = values.reduce<number>((sum, value, at) => sum + (value === null ? 0 : ([a, b, c][at] ?? 0)), 0)
          const value = score.value ?? Number.NaN
          const within = value >= Math.min(...present) - 1e-12 && value <= Math.max(...present) + 1e-12
          return (
            within && Math.abs(value - naive / total) < 1e-12 && Math.abs(value - (tenfold.value ?? Number.NaN)) < 1e-12
          )
        }
      )
    )
  }
)

t.test('a z-score is clipped to ±3', async t => {
  t.same([-9, -3, -2.5, 0, 3, 3.1, null].map(clipZ), [-3, -3, -2.5, 0, 3, 3, null])
})

const pilot = {
  'active-users': 0.35,
  'repeat-rate': 0.54,
  'practice-tasks': 1.5,
  'peer-feedback-rate': 0.05,
  'manager-check-rate': 0.25
}

t.test('the coaching index weighs how far each measure has come to success', async t => {
  // 0.35 ÷ 0.70 = 0.5; 0.54 ÷ 0.45, capped at 1; 1.5 ÷ 3 = 0.5; 0.05 ÷ 0.20 = 0.25; 0.25 ÷ 0.50 = 0.5.
  // (1 · 0.5 + 2 · 1 + 3 · 0.5 + 3 · 0.25 + 4 · 0.5) ÷ 13 = 6.75 ÷ 13.
  const index = coachingIndex(pilot)
  t.equal(index.value?.toFixed(6), (675 / 13).toFixed(6))
  t.same(
    index.components.map(({ normalised }) => normalised),
    [0.5, 1, 0.5, 0.25, 0.5]
  )
  t.equal(index.definitionVersion, 1)
  const [, , , , checks] = index.components
  t.equal(checks?.contribution?.toFixed(6), (200 / 13).toFixed(6))
})

t.test('practice and manager checks weigh more than opens', async t => {
  const { weights } = defaultCoachingDefinition
  t.ok(weights['practice-tasks'] > weights['active-users'] && weights['manager-check-rate'] > weights['active-users'])
})

t.test('the coaching index is 100 at five successes, 0 at nothing, and null below three measures', async t => {
  const all = (value: number) => Object.fromEntries(Object.keys(pilot).map(id => [id, value])) as typeof pilot
  t.equal(coachingIndex(all(3)).value?.toFixed(9), '100.000000000')
  t.equal(coachingIndex(all(0)).value, 0)
  const three = { ...pilot, 'repeat-rate': null, 'practice-tasks': null }
  t.equal(coachingIndex(three).value?.toFixed(6), (325 / 8).toFixed(6), '(0.5 + 0.75 + 2) ÷ 8')
  t.match(coachingIndex({ ...three, 'active-users': null }), { value: null, nullReason: 'low_coverage' })
})

t.test('the compound signal counts the measures that reach their minimum', async t => {
  t.same(compoundSignal(pilot), {
    reached: 4,
    of: 5,
    metrics: ['repeat-rate', 'practice-tasks', 'peer-feedback-rate', 'manager-check-rate']
  })
  t.match(compoundSignal({ ...pilot, 'repeat-rate': null }), { reached: 3, of: 4 })
  const unknown = Object.fromEntries(Object.keys(pilot).map(id => [id, null])) as Record<keyof typeof pilot, null>
  t.same(compoundSignal(unknown), { reached: null, of: 0, metrics: [] })
})

const six = (values: readonly (number | null)[]) =>
  Object.fromEntries(lmsMetrics.map((id, at) => [id, values[at] ?? null])) as Record<LmsMetric, number | null>

t.test('the leadership index is the mean of a learner’s z-scores among those of the role', async t => {
  // Metric j of learner i is i: z −1.2649, −0.6325, 0, 0.6325, 1.2649. The last has the lowest of the sixth metric.
  const learners = [1, 2, 3, 4, 5].map(i => ({ key: `p${i}`, values: six([i, i, i, i, i, 6 - i]) }))
  const indexes = leadershipIndexes(learners)
  t.same(
    indexes.map(({ key, value }) => [key, value?.toFixed(4)]),
    [
      ['p1', '-0.8433'],
      ['p2', '-0.4216'],
      ['p3', '0.0000'],
      ['p4', '0.4216'],
      ['p5', '0.8433']
    ],
    '(5 · 1.2649 − 1.2649) ÷ 6 = 0.8433'
  )
  t.match(indexes[4]?.components[5], { id: 'course-diversity', raw: 1, weight: 1 })
})

t.test('a learner with four of six metrics has an index of those, and with three none', async t => {
  const learners = [1, 2, 3, 4, 5, 6].map(i => ({ key: i, values: six([i, i, i, i, i, i]) }))
  const changed = learners.map(({ key, values }) => {
    if (key === 6) return { key, values: { ...values, 'time-on-task': null, 'course-diversity': null } }
    return key === 1 ? { key, values: six([1, 1, 1]) } : { key, values }
  })
  const indexes = leadershipIndexes(changed)
  t.match(indexes[5], { coverage: { present: 4, of: 6, needs: 4 }, nullReason: null })
  t.ok((indexes[5]?.value ?? 0) > 1)
  t.match(indexes[0], { value: null, nullReason: 'low_coverage', coverage: { present: 3 } })
  const flat = leadershipIndexes(learners.map(({ key, values }) => ({ key, values: { ...values, 'time-on-task': 9 } })))
  t.match(flat[0]?.components[1], { isMissing: true, raw: 9, nullReason: 'zero_variance' }, 'all equal places nobody')
  const small = leadershipIndexes(learners.slice(0, 4))
  t.match(small[0], { value: null, components: [{ nullReason: 'cohort_too_small' }] })
  t.same(leadershipIndexes([]), [])
})

t.test('an extraordinary value adds no more than three standard deviations', async t => {
  const learners = Array.from({ length: 20 }, (_, at) => {
    const rest = at % 5
    return { key: at, values: six([at === 0 ? 1e6 : rest, rest, rest, rest, rest, rest]) }
  })
  const [component] = leadershipIndexes(learners)[0]?.components ?? []
  t.match(component, { raw: 1e6, normalised: 3 }, 'its z-score is 19 ÷ √20 = 4.25')
})

t.test('weights that are given change what an index says', async t => {
  const learners = [1, 2, 3, 4, 5].map(i => ({ key: i, values: six([i, i, i, i, i, 6 - i]) }))
  const weights = { ...defaultLeadershipDefinition.weights, 'course-diversity': 5 }
  const indexes = leadershipIndexes(learners, { ...defaultLeadershipDefinition, version: 2, weights })
  t.match(indexes[4], { definitionVersion: 2 })
  t.equal(indexes[4]?.value?.toFixed(9), (0).toFixed(9), 'five for and five against')
})

const flagged = (assessment: readonly (number | null)[], forum: readonly (number | null)[]) =>
  leadershipFlags(
    assessment.map((assessmentScore, key) => ({ key, assessmentScore, forumInteractions: forum[key] ?? null }))
  )

t.test('the leadership flag needs more than 1.5 in assessment and more than 1.0 in the forum', async t => {
  // Of 0 0 0 0 0 10 the last has z 5 ÷ √6 = 2.0412; of 0 0 0 0 5 5 the last two have 1.2910.
  const flags = flagged([0, 0, 0, 0, 0, 10], [0, 0, 0, 0, 5, 5])
  t.same(
    flags.map(({ isFlagged }) => isFlagged),
    [false, false, false, false, false, true]
  )
  t.equal(flags[5]?.assessmentZ?.toFixed(4), '2.0412')
  t.equal(flags[5]?.forumZ?.toFixed(4), '1.2910')
  // 0 0 0 0 1 1 has z 1.2910 at the top: above 1.0, but not above 1.5.
  t.equal(flagged([0, 0, 0, 0, 5, 5], [0, 0, 0, 0, 0, 10])[5]?.isFlagged, false)
})

t.test('exactly at the threshold is not above it', async t => {
  const [, , , , , top] = flagged([0, 0, 0, 0, 0, 10], [0, 0, 0, 0, 5, 5])
  const learners = [0, 0, 0, 0, 0, 10].map((score, key) => ({
    key,
    assessmentScore: score,
    forumInteractions: key > 3 ? 5 : 0
  }))
  const at = { version: 1, assessmentAbove: top?.assessmentZ ?? 0, forumAbove: 1 }
  t.equal(leadershipFlags(learners, at)[5]?.isFlagged, false)
  const forumAt = { version: 1, assessmentAbove: 1.5, forumAbove: top?.forumZ ?? 0 }
  t.equal(leadershipFlags(learners, forumAt)[5]?.isFlagged, false)
})

t.test('a value that is missing leaves the flag open only where it would decide', async t => {
  const flags = flagged([0, 0, 0, 0, 0, 10, null, null], [0, 0, 0, 0, 1, null, 0, 5])
  t.match(flags[5], { isFlagged: null, nullReason: 'missing', forumZ: null })
  t.match(flags[6], { isFlagged: false, nullReason: null, assessmentZ: null }, 'the forum alone says no')
  t.match(flags[7], { isFlagged: null, nullReason: 'missing' })
  t.match(flagged([1, 2], [1, 2])[1], { isFlagged: null, nullReason: 'cohort_too_small' })
})

const counts = (key: string, values: readonly (number | null)[]): EnergizeCounts => {
  const [activeWeeks = null, recentActivity = null, earlierActivity = null, claims = null] = values
  const [claimsReturned = null, communityDays = null] = values.slice(4)
  return { key, activeWeeks, recentActivity, earlierActivity, claims, claimsReturned, communityDays }
}
const cohort = [
  counts('a', [8, 19, 9, 4, 4, 6]),
  counts('b', [6, 9, 9, 2, 1, 3]),
  counts('c', [4, 4, 9, 4, 1, 3]),
  counts('d', [2, 0, 4, 1, 0, 1]),
  counts('e', [0, 0, 0, 0, 0, 0]),
  counts('f', [8, 9, 4, 2, 2, null])
]

t.test('the energize score is the mean of four percentile ranks in the cohort', async t => {
  // retention of a: 4 below, 2 equal of 6 = 83.33; trend ln 2 as f = 83.33; incentive 1 as f, 3 below of 5 = 80;
  // community 4 below, 1 equal of 5 = 90. Mean 84.1667.
  const scores = energizeScores(cohort)
  const [a, , , , e, f] = scores
  t.same(
    a?.components.map(({ normalised }) => normalised?.toFixed(2)),
    ['83.33', '83.33', '80.00', '90.00']
  )
  t.equal(a?.value?.toFixed(4), '84.1667')
  // e: retention 0 below = 8.33; trend 0 as b, 2 below = 50; never claimed a reward; community 10. Mean of three.
  t.match(e?.components[2], { id: 'incentive', isMissing: true, nullReason: 'missing' })
  t.equal(e?.value?.toFixed(4), '22.7778')
  t.match(f?.coverage, { present: 3, of: 4, needs: 3 })
})

t.test('a learner with two of the four has no energize score', async t => {
  const [score] = energizeScores([counts('x', [3, null, 2, 0, 0, 4]), ...cohort])
  t.match(score, { key: 'x', value: null, nullReason: 'low_coverage', coverage: { present: 2 } })
})

t.test('what fewer than five of a cohort have places nobody', async t => {
  const scores = energizeScores(cohort.slice(0, 5))
  t.match(scores[0]?.components[2], { nullReason: 'cohort_too_small', normalised: null, raw: 1 })
  t.match(scores[4]?.components[2], { nullReason: 'missing' })
  t.match(scores[0], { coverage: { present: 3 } })
  t.same(energizeScores([]), [])
})

t.test('the trend of activity is finite at zero and turns round with time', async t => {
  t.equal(activityTrend(0, 0), 0)
  t.equal(activityTrend(19, 9), Math.LN2)
  t.equal(activityTrend(0, 1), -Math.LN2)
  t.equal(activityTrend(null, 3), null)
  t.equal(activityTrend(3, null), null)
})
