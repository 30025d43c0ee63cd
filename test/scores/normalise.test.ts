import fc from 'fast-check'
import t from 'tap'
import { benchmark } from '../../src/scores/benchmark.js'
import { quantile } from '../../src/scores/quantile.js'
import { percentileRanks, ranks } from '../../src/scores/ranks.js'
import { slopeOf } from '../../src/scores/slope.js'
import { type Normalised, sumOf } from '../../src/scores/values.js'
import { robustZ, zScores } from '../../src/scores/z-scores.js'

const valued = (values: readonly (number | null)[]) => values.map((value, key) => ({ key, value }))
const normalisedOf = (scores: readonly Normalised<unknown>[]) => scores.map(({ normalised }) => normalised)
const rounded = (scores: readonly Normalised<unknown>[]) =>
  scores.map(({ normalised, nullReason }) => nullReason ?? normalised?.toFixed(4))

/** Values with many ties and gaps, as metrics have them. */
const someValues = fc.array(fc.option(fc.integer({ min: -20, max: 20 }).map(value => value / 8)), { maxLength: 40 })
const known = (values: readonly (number | null)[]) => values.filter(value => value !== null)
const close = (a: number | null | undefined, b: number) => Math.abs((a ?? Number.NaN) - b) <= 1e-9 * (1 + Math.abs(b))

/** Mean and sample SD by the sums of squares, another way than the one tested. */
function naiveMoments(values: readonly number[]): { mean: number; sd: number } {
  const n = values.length
  const sum = values.reduce((total, value) => total + value, 0)
  const squares = values.reduce((total, value) => total + value * value, 0)
  return { mean: sum / n, sd: Math.sqrt(Math.max(0, (squares - (sum * sum) / n) / (n - 1))) }
}

t.test('a z-score is the distance from the mean in sample standard deviations', async t => {
  t.same(rounded(zScores(valued([1, 2, 3, 4, 5]))), ['-1.2649', '-0.6325', '0.0000', '0.6325', '1.2649'])
  // Mean 5, squares of the distances 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 = 32, SD √(32 ÷ 7) = 2.1381.
  t.equal(zScores(valued([2, 4, 4, 4, 5, 5, 7, 9]))[7]?.normalised?.toFixed(4), '1.8708')
})

t.test('who has no value has no z-score and moves nobody else’s', async t => {
  const scores = zScores(valued([1, null, 2, 3, Number.NaN, 4, 5]))
  t.same(rounded(scores), ['-1.2649', 'missing', '-0.6325', '0.0000', 'missing', '0.6325', '1.2649'])
  t.same(
    scores.map(({ key }) => key),
    [0, 1, 2, 3, 4, 5, 6]
  )
  t.equal(scores[4]?.value, null, 'what is no number is no value')
})

t.test('there is no z-score among fewer than five values, nor where all are equal', async t => {
  for (const measure of [zScores, robustZ]) {
    t.same(measure([]), [])
    t.same(rounded(measure(valued([7]))), ['cohort_too_small'])
    t.same(rounded(measure(valued([1, 2, 3, 4, null]))), [...Array(4).fill('cohort_too_small'), 'missing'])
    for (const value of [0, 0.1, -3, 1e300, 5e-324]) {
      t.same(rounded(measure(valued(Array(7).fill(value)))), Array(7).fill('zero_variance'), `all ${value}`)
    }
  }
})

t.test('values that are equal but for rounding are equal', async t => {
  const values = [0.1 + 0.2, 0.3, 0.3, 0.3, 0.1 + 0.2, 0.3]
  t.same(rounded(zScores(valued(values))), Array(6).fill('zero_variance'))
  t.same(rounded(robustZ(valued([0.1 + 0.2, 0.3, 0.1 + 0.2, 0.3, 0.3, 5]))), Array(6).fill('zero_variance'))
  t.equal(zScores(valued([1e-9, 2e-9, 3e-9, 4e-9, 5e-9]))[4]?.normalised?.toFixed(4), '1.2649', 'small is not equal')
})

t.test('a robust z-score is 0.6745 distances from the median in median distances', async t => {
  // Median 3, distances 2 1 0 1 97, their median 1.
  t.same(rounded(robustZ(valued([1, 2, 3, 4, 100]))), ['-1.3490', '-0.6745', '0.0000', '0.6745', '65.4265'])
  t.same(rounded(robustZ(valued([3, 3, 3, 3, 100]))), Array(5).fill('zero_variance'), 'more than half alike: MAD 0')
  t.equal(zScores(valued([3, 3, 3, 3, 100]))[4]?.normalised?.toFixed(4), '1.7889')
})

t.test('z-scores agree with a naive computation, and their mean is 0 and their SD 1', async () => {
  fc.assert(
    fc.property(someValues, values => {
      const present = known(values)
      const scores = zScores(valued(values))
      const { mean, sd } = naiveMoments(present)
      const hasScore = present.length >= 5 && present.some(value => value !== present[0])
      if (!hasScore) return scores.every(({ normalised }) => normalised === null)
      const moments = naiveMoments(known(normalisedOf(scores)))
      const agree = scores.every(({ value, normalised }) =>
        value === null ? normalised === null : close(normalised, (value - mean) / sd)
      )
      return agree && close(moments.mean, 0) && close(moments.sd, 1)
    })
  )
})

t.test('a percentile rank is the share below and half of those that are equal', async t => {
  const table: [(number | null)[], (number | null)[]][] = [
    [[], []],
    [[7], [50]],
    [
      [3, 3, 3],
      [50, 50, 50]
    ],
    [
      [1, 2, 2, 5],
      [12.5, 50, 50, 87.5]
    ],
    [
      [10, null, 30, 20, 40],
      [12.5, null, 62.5, 37.5, 87.5]
    ],
    [
      [0, -0, 1, 2],
      [25, 25, 62.5, 87.5]
    ]
  ]
  for (const [values, expected] of table) t.same(normalisedOf(percentileRanks(valued(values))), expected)
})

t.test('percentile ranks agree with a count by pairs, and with 50 (cume_dist + (rank − 1) ÷ N)', async () => {
  fc.assert(
    fc.property(someValues, values => {
      const present = known(values)
      const n = present.length
      const mean = known(normalisedOf(percentileRanks(valued(values)))).reduce((sum, rank) => sum + rank, 0) / n
      const agree = percentileRanks(valued(values)).every(({ value, normalised }) => {
        if (value === null) return normalised === null
        const below = present.filter(other => other < value).length
        const upTo = present.filter(other => other <= value).length
        return (
          close(normalised, (100 * (below + (upTo - below) / 2)) / n) && close(normalised, 50 * (upTo / n + below / n))
        )
      })
      return agree && (n === 0 || close(mean, 50))
    })
  )
})

t.test('the highest value is first, those with the same share a place, and the next place is left out', async t => {
  const placed = (values: (number | null)[]) => ranks(valued(values)).map(({ rank, isTied }) => [rank, isTied])
  t.same(placed([10, 8, 8, 5]), [
    [1, false],
    [2, true],
    [2, true],
    [4, false]
  ])
  t.same(placed([null, 1, 4]), [
    [null, false],
    [2, false],
    [1, false]
  ])
  t.same(placed([2, 2]), [
    [1, true],
    [1, true]
  ])
  t.same(placed([]), [])
})

t.test('a rank is one more than the number of those with more', async () => {
  fc.assert(
    fc.property(someValues, values =>
      ranks(valued(values)).every(({ value, rank, isTied }) => {
        if (value === null) return rank === null && !isTied
        const above = known(values).filter(other => other > value).length
        return rank === above + 1 && isTied === known(values).filter(other => other === value).length > 1
      })
    )
  )
})

t.test('quantiles interpolate as percentile_cont does', async t => {
  // select percentile_cont(p) within group (order by x) over 1, 2, 3, 10, and over 15, 20, 35, 40, 50.
  const four = Float64Array.of(1, 2, 3, 10)
  const five = Float64Array.of(15, 20, 35, 40, 50)
  const table = [
    { values: four, p: 0, expected: 1 },
    { values: four, p: 0.25, expected: 1.75 },
    { values: four, p: 0.5, expected: 2.5 },
    { values: four, p: 0.75, expected: 4.75 },
    { values: four, p: 1, expected: 10 },
    { values: five, p: 0.4, expected: 29 },
    { values: five, p: 0.5, expected: 35 },
    { values: Float64Array.of(7), p: 0.9, expected: 7 }
  ]
  for (const { values, p, expected } of table) t.equal(quantile(values, p)?.toFixed(9), expected.toFixed(9), `p ${p}`)
  t.equal(quantile(Float64Array.of(), 0.5), null)
  for (const p of [-0.1, 1.1, Number.NaN]) t.throws(() => quantile(four, p), { code: 'invalid-parameter' })
})

t.test('a benchmark says how many, how much and how spread, without those who have no value', async t => {
  t.same(benchmark(valued([15, null, 20, 35, 40, 50]), [0, 40, 100, 97.5]), {
    n: 5,
    missing: 1,
    mean: 32,
    sd: Math.sqrt(830 / 4),
    median: 35,
    p0: 15,
    p40: 29,
    p100: 50,
    'p97.5': 49
  })
  t.match(benchmark(valued([15, 20, 35, 40, 50])), { p10: 17, p25: 20, p50: 35, p75: 40, p90: 46 })
  t.match(benchmark(valued([null])), { n: 0, missing: 1, mean: null, sd: null, median: null, p10: null })
  t.match(benchmark(valued([4])), { n: 1, mean: 4, sd: null, median: 4, p10: 4 })
  t.match(benchmark(valued([0.1, 0.1, 0.1])), { mean: 0.1, sd: 0 })
  t.throws(() => benchmark(valued([1]), [50, 101]), { code: 'invalid-parameter', place: { pointer: '/percentiles/1' } })
})

t.test('another order of the same values gives the same bits', async () => {
  const wild = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 5, maxLength: 30 })
  fc.assert(
    fc.property(wild, fc.infiniteStream(fc.nat()), (values, order) => {
      const entries = valued(values)
      const shuffled = entries.map(entry => ({ entry, at: order.next().value })).sort((a, b) => a.at - b.at)
      const others = shuffled.map(({ entry }) => entry)
      const byKey = (scores: readonly Normalised<number>[]) =>
        JSON.stringify([...scores].sort((a, b) => a.key - b.key).map(({ normalised }) => normalised))
      const isSame = [zScores, robustZ, percentileRanks].every(
        measure => byKey(measure(entries)) === byKey(measure(others))
      )
      return isSame && JSON.stringify(benchmark(entries)) === JSON.stringify(benchmark(others))
    })
  )
})

t.test('a sum keeps what single additions would round off', async t => {
  t.equal(sumOf([1, 1e100, 1, -1e100]), 2)
  t.equal(sumOf(Array(10).fill(0.1)), 1)
  t.equal(sumOf([]), 0)
})

t.test('a slope is that of the least squares through the values that are there, each in its place', async t => {
  t.equal(slopeOf([1, 2, 3, 4], 2), 1)
  t.equal(slopeOf([1, null, 3, 4], 2), 1, 'a gap keeps its place')
  // At 0, 1, 2: mean 1; rise (−1)(2 − 3) + 0 + (1)(3 − 3) = 1, over 2.
  t.equal(slopeOf([2, 4, 3], 2), 0.5)
  t.equal(slopeOf([0.1, 0.2, 0.3, 0.3, 0.2, 0.1], 2), 0, 'up and down again is level')
  t.equal(slopeOf(Array(12).fill(0.1), 6), 0)
  t.equal(slopeOf([0, 0, 0], 2), 0)
  t.equal(slopeOf([1, 2, null], 3), null, 'too few values')
  t.equal(slopeOf([1], 1), null, 'one point is no line')
})
